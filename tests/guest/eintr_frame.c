// SPDX-License-Identifier: MIT
// What a handler sees of the call it interrupted: with SA_RESTART the saved RIP is the `syscall`
// instruction and RAX its number again, so that sigreturn repeats it; else RIP is behind it and RAX
// -EINTR. A handler may change its mind: moving RIP forward and setting RAX cancels the restart,
// and moving it back repeats an ended call. RCX, R11 aside, all registers are those of the call.
// covers: rt_sigaction, rt_sigreturn, read
#include "eintr.h"
#include <fcntl.h>

static int p[2];
static char c;
static enum { WATCH, CANCEL, REPEAT } mode;
static volatile sig_atomic_t acted;

static long do_read(void)
{
    return raw(SYS_read, p[0], &c, 1, 0x1234, 0x5678, 0x9abc);
}
static void feed(void)
{
    CHECK(write(p[1], "x", 1) == 1);
}

static void handler(int sig, siginfo_t *si, void *ctx)
{
    greg_t *r = ((ucontext_t *)ctx)->uc_mcontext.gregs;

    (void)sig, (void)si;
    if (r[REG_RIP] != (greg_t)raw_insn && r[REG_RIP] != (greg_t)raw_next)
        return;
    if (r[REG_RIP] == (greg_t)raw_insn)
        CHECK(r[REG_RAX] == SYS_read);
    else
        CHECK(r[REG_RAX] == -EINTR || r[REG_RAX] == 1 || r[REG_RAX] == -4242);
    CHECK(r[REG_RDI] == p[0] && r[REG_RSI] == (greg_t)&c && r[REG_RDX] == 1);
    CHECK(r[REG_R10] == 0x1234 && r[REG_R8] == 0x5678 && r[REG_R9] == 0x9abc);
    atomic_fetch_add(&eintr_now.inside, 1);
    if (mode == CANCEL && r[REG_RIP] == (greg_t)raw_insn) {
        r[REG_RIP] = (greg_t)raw_next;
        r[REG_RAX] = -4242;
        acted = 1;
    }
    if (mode == REPEAT && r[REG_RIP] == (greg_t)raw_next && r[REG_RAX] == -EINTR) {
        r[REG_RIP] = (greg_t)raw_insn;
        r[REG_RAX] = SYS_read;
        acted = 1;
    }
}

// As eintr_run, but with this file's handler.
static long run(int flags, int wake_after)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    struct eintr t = {.call = do_read, .wake = feed};
    sigset_t usr1;
    pthread_t th;
    long ret;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    eintr_now.test = &t;
    eintr_now.target = syscall(SYS_gettid);
    eintr_now.wake_after = wake_after;
    eintr_now.inside = eintr_now.returned = 0;
    acted = 0;
    CHECK(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
    CHECK(pthread_create(&th, NULL, eintr_pester, NULL) == 0);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) == 0);
    ret = do_read();
    eintr_now.returned = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return ret;
}

int main(void)
{
    CHECK(pipe(p) == 0);
    mode = WATCH;
    CHECK(run(SA_RESTART, 5) == 1);
    CHECK(run(0, 0) == -EINTR);
    mode = CANCEL;
    CHECK(run(SA_RESTART, 0) == -4242 && acted);
    mode = REPEAT;
    CHECK(run(0, 5) == 1 && acted);
    return done();
}
