// SPDX-License-Identifier: MIT
// sigreturn loads every register as the frame has it, RCX, R11, the flags and values that look like
// errors included, and the vectors, also while signals of another process rain on everything: on
// the handlers, on the returns, and on the return of a handler whose signal has just interrupted
// another return. The mask is the frame's.
// covers: rt_sigreturn, tgkill, kill, rt_sigprocmask
// timeout: 60
#include "sig.h"
#include "vec.h"
// with _GNU_SOURCE defined
#include "regs.h"

#define STATUS_FLAGS 0x8d5ul // CF PF AF ZF SF OF
#define DF 0x400ul

static uint64_t want[NREGS];
static volatile unsigned seed, self_runs;
static atomic_long rained;

static void edit(int sig, siginfo_t *si, void *ctx)
{
    static const int order[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
                                REG_RBP, REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12,
                                REG_R13, REG_R14, REG_R15, REG_EFL};
    ucontext_t *uc = ctx;
    sigset_t now;

    CHECK(sig == SIGUSR1 && si->si_pid == getpid() && si->si_code == SI_TKILL);
    regs_fill(want, seed);
    want[RAX] = seed % 4 ? want[RAX] : -(seed % 600ul);
    want[RFLAGS] = 0x202 | (want[RBX] & STATUS_FLAGS) | (seed % 8 == 1 ? DF : 0);
    CHECK((GREG(ctx, EFL) & 0x202) == 0x202);
    for (int i = 0; i < NREGS; i++)
        uc->uc_mcontext.gregs[order[i]] = want[i];
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
    CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2) == seed % 2);
    if (seed % 3 == 0) // left blocked
        sigaddset(&uc->uc_sigmask, SIGHUP);
    self_runs++;
}

static void rain(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    CHECK(si->si_pid == getppid() || si->si_pid == getpid());
    rained++;
    if (rained % 4 == 0)
        CHECK(getppid() > 0);
}

static void check_registers(int rounds)
{
    struct vec in, out;
    uint64_t r[NREGS];

    for (int i = 0; i < rounds; i++) {
        struct sigaction sa = {.sa_sigaction = edit, .sa_flags = SA_SIGINFO};

        seed++;
        if (seed % 2)
            sigaddset(&sa.sa_mask, SIGUSR2);
        CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
        regs_fill(r, seed * 77);
        r[RAX] = SYS_tgkill, r[RDI] = getpid(), r[RSI] = tid(), r[RDX] = SIGUSR1;
        regs_call(r);
        for (int k = 0; k < NREGS; k++)
            CHECK_EQ(r[k], want[k]);
        CHECK_EQ(self_runs, seed);
        CHECK_EQ(is_blocked(SIGHUP), seed % 3 == 0);
        CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
        unblock(SIGHUP);
        if (i % 16 == 0) { // in one piece with vectors
            vec_fill(&in, i);
            CHECK_EQ(vec_call(&in, &out, SYS_tgkill, getpid(), tid(), SIGUSR2, 0), 0);
            VEC_CHECK(&in, &out);
        }
    }
}

int main(void)
{
    pid_t me = getpid(), child, gone;
    int status;

    catch_info(SIGUSR2, rain, 0);
    check_registers(300);
    // The rain falls on the child, which sees this process as its parent.
    CHECK((child = fork()) >= 0);
    if (child == 0) {
        rained = 0;
        check_registers(1500);
        CHECK(getppid() == me && rained >= 1500 / 16);
        _exit(0);
    }
    while (!(gone = waitpid(child, &status, WNOHANG))) {
        CHECK(kill(child, SIGUSR2) == 0);
        sleep_us(20);
    }
    CHECK(gone == child && status == 0);
    return done();
}
