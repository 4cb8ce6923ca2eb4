// SPDX-License-Identifier: MIT
// Signals unblocked together, whose handlers do not block each other: all frames are built before
// the first handler instruction runs, so that the last one delivered (the highest number) runs
// first and returns into the start of the one before.
// covers: rt_sigprocmask, rt_sigreturn, rt_sigsuspend
#include "sig.h"

static volatile int seen[8];
static volatile int n;

static void note(int sig, siginfo_t *si, void *ctx)
{
    (void)si, (void)ctx;
    seen[n++] = sig;
}

static void second(int sig, siginfo_t *si, void *ctx)
{
    (void)si;
    CHECK_EQ(GREG(ctx, RDI), SIGHUP); // interrupted at its first instruction
    CHECK_EQ(GREG(ctx, RIP), (greg_t)note);
    note(sig, NULL, NULL);
}

int main(void)
{
    sigset_t all, old;

    sigfillset(&all);
    catch_info(SIGHUP, note, 0);
    catch_info(SIGUSR1, second, 0);
    for (int i = 0; i < 2; i++) {
        CHECK(sigprocmask(SIG_BLOCK, &all, &old) == 0);
        CHECK(kill(getpid(), SIGUSR1) == 0 && kill(getpid(), SIGHUP) == 0);
        n = 0;
        if (i == 0)
            CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
        else
            CHECK_ERR(sigsuspend(&old), EINTR);
        CHECK(n == 2 && seen[0] == SIGUSR1 && seen[1] == SIGHUP);
        CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    }
    return done();
}
