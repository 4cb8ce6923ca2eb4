// SPDX-License-Identifier: MIT
// One thread that blocks and unblocks standard signals all the time, with nothing or a few calls in
// between, while two processes send them, by every way there is: no handler runs while its signal
// is blocked, the mask that a handler finds in its frame and sets there holds, each signal says who
// sent it and values never go back, and one sent while none is pending is not lost.
// covers: rt_sigprocmask, rt_sigreturn, rt_sigqueueinfo, tgkill, kill
// timeout: 60
#include "sig.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <time.h>

#define SENDERS 2

static struct shared {
    atomic_int stop, acknowledged[SENDERS];
} * shared;

static const int sigs[SENDERS][2] = {{SIGUSR1, SIGHUP}, {SIGUSR2, SIGTERM}};
static volatile uint64_t closed; // blocked for sure
static volatile long runs;
static volatile int last[65], jump;
static sigjmp_buf env;
static pid_t senders[SENDERS];

#define BIT(sig) (1ul << ((sig)-1))

static uint64_t mask_now(void)
{
    uint64_t m;

    CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &m, 8) == 0);
    return m;
}

static void handler(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    uint64_t before, now = mask_now();
    int who = sig == SIGUSR2 || sig == SIGTERM;

    memcpy(&before, &uc->uc_sigmask, 8);
    CHECK(!(closed & BIT(sig)));
    CHECK(!(before & BIT(sig)));
    CHECK_EQ(now, before | BIT(sig) | BIT(SIGALRM));
    CHECK_EQ(si->si_signo, sig);
    CHECK_EQ(si->si_pid, senders[who]);
    if (sig == SIGUSR1 || sig == SIGUSR2) {
        CHECK_EQ(si->si_code, SI_QUEUE);
        CHECK(si->si_int > last[sig]);
        last[sig] = si->si_int;
    } else {
        CHECK_EQ(si->si_code, sig == SIGHUP ? SI_TKILL : SI_USER);
    }
    atomic_fetch_add(&shared->acknowledged[who], 1);
    runs++;
    // Not out of a handler over another one, which may not have begun yet.
    if (jump && !(before & BIT(SIGALRM))) {
        jump = 0;
        siglongjmp(env, 1);
    }
}

// Sends one, waits for the answer, so that none is dropped; every 16th time both at once.
static void send(int who, pid_t to)
{
    union sigval v;

    for (int i = 1; !atomic_load(&shared->stop); i++) {
        int want = atomic_load(&shared->acknowledged[who]);

        v.sival_int = i;
        if (i % 16 == 0 || i % 2) {
            CHECK(sigqueue(to, sigs[who][0], v) == 0);
            want++;
        }
        if (i % 16 == 0 || i % 2 == 0) {
            CHECK((who ? kill(to, SIGTERM) : syscall(SYS_tgkill, to, to, SIGHUP)) == 0);
            want++;
        }
        for (long spins = 0; atomic_load(&shared->acknowledged[who]) != want; spins++)
            if (spins > 100)
                sched_yield();
    }
}

static void spin(int times)
{
    for (volatile int i = 0; i < times; i++)
        ;
}

static void change(unsigned how, uint64_t set, uint64_t *old)
{
    CHECK(syscall(SYS_rt_sigprocmask, how, &set, old, 8) == 0);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct timespec begin, now;
    pid_t me = getpid();
    unsigned seed = 1;
    long rounds = 0;

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    sigaddset(&sa.sa_mask, SIGALRM);
    change(SIG_SETMASK, BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGHUP) | BIT(SIGTERM), NULL);
    for (int k = 0; k < SENDERS; k++)
        for (int i = 0; i < 2; i++)
            CHECK(sigaction(sigs[k][i], &sa, NULL) == 0);
    for (int k = 0; k < SENDERS; k++) {
        senders[k] = OK(fork());
        if (senders[k] == 0) {
            send(k, me);
            _exit(0);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        uint64_t a = 0, old, m;

        for (int k = 0; k < SENDERS; k++)
            for (int i = 0; i < 2; i++)
                if (rand_r(&seed) & 1)
                    a |= BIT(sigs[k][i]);
        change(SIG_SETMASK, 0, NULL);
        closed = 0;
        spin(rand_r(&seed) % 300);
        change(SIG_BLOCK, a, &old);
        closed = a;
        CHECK_EQ(old, 0);
        CHECK_EQ(mask_now(), a);
        spin(rand_r(&seed) % 300);
        switch (rand_r(&seed) % 8) {
        case 0: // a call that the kernel serves
            CHECK(syscall(SYS_getppid) > 0);
            break;
        case 1: // another part of them
            m = a & BIT(SIGUSR1);
            closed = a & ~m;
            change(SIG_UNBLOCK, m, &old);
            CHECK_EQ(old, a);
            spin(50);
            change(SIG_BLOCK, m, &old);
            closed = a;
            CHECK_EQ(old, a & ~m);
            break;
        case 2: // one that is not handled
            change(SIG_BLOCK, BIT(SIGPROF), NULL);
            spin(50);
            change(SIG_UNBLOCK, BIT(SIGPROF), &old);
            CHECK_EQ(old, a | BIT(SIGPROF));
            break;
        case 3: // what it takes to leave a handler by a jump
            if (!sigsetjmp(env, 1)) {
                jump = 1;
                closed = 0;
                change(SIG_SETMASK, 0, NULL);
                spin(200);
                jump = 0;
                change(SIG_SETMASK, a, NULL);
            }
            closed = a;
            CHECK_EQ(mask_now(), a);
            break;
        case 4: // a handler for another one in its place
            CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
            break;
        case 5:
            sched_yield();
            break;
        case 6: { // pending ones are blocked ones
            uint64_t pending;

            CHECK(syscall(SYS_rt_sigpending, &pending, 8) == 0);
            CHECK(!(pending & ~a));
            break;
        }
        }
        CHECK_EQ(mask_now(), a);
        closed = 0;
        rounds++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < 4);
    closed = 0;
    change(SIG_SETMASK, 0, NULL);
    atomic_store(&shared->stop, 1);
    for (int k = 0; k < SENDERS; k++)
        wait_ok(senders[k]); // each has its last answer
    CHECK(runs > 10 && rounds > 10);
    return done();
}
