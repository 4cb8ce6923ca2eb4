// SPDX-License-Identifier: MIT
// Handlers that never return: siglongjmp restores the mask, longjmp leaves it; out of a fault, out
// of a blocking call, out of a nested handler and off the alternate stack, thousands of times.
// covers: rt_sigaction, rt_sigprocmask, sigaltstack, read, alarm
#include "sig.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf sj;
static jmp_buf j;
static volatile int depth;

static void jump_back(int sig)
{
    siglongjmp(sj, sig);
}
static void jump_plain(int sig)
{
    longjmp(j, sig);
}
static void raise_other(int sig)
{
    (void)sig;
    depth = 1;
    raise(SIGUSR2);
    CHECK(!"returned");
}

static void faults(void)
{
    for (volatile int i = 0; i < 3000; i++) {
        if (sigsetjmp(sj, 1) == 0)
            *(volatile int *)8 = i;
        CHECK(!is_blocked(SIGSEGV));
    }
}

int main(void)
{
    static char alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_handler = jump_back};
    struct itimerval itv = {{0, 1000}, {0, 1000}};
    int p[2];
    char c;

    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
    faults();
    CHECK(sigaltstack(&ss, NULL) == 0);
    sa.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
    faults();
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == 0); // no longer on it

    // longjmp leaves the signal blocked.
    signal(SIGUSR1, jump_plain);
    if (setjmp(j) == 0)
        raise(SIGUSR1);
    CHECK(is_blocked(SIGUSR1));
    unblock(SIGUSR1);

    // Out of the second of two nested handlers.
    signal(SIGUSR1, raise_other);
    signal(SIGUSR2, jump_back);
    for (volatile int i = 0; i < 1000; i++) {
        depth = 0;
        if (sigsetjmp(sj, 1) == 0)
            raise(SIGUSR1);
        CHECK(depth == 1 && !is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
    }

    // Out of a call that blocks, with SA_RESTART and without.
    CHECK(pipe(p) == 0);
    for (volatile int i = 0; i < 100; i++) {
        sa = (struct sigaction){.sa_handler = jump_back, .sa_flags = i % 2 ? SA_RESTART : 0};
        CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
        if (sigsetjmp(sj, 1) == 0) {
            CHECK(setitimer(ITIMER_REAL, &itv, NULL) == 0);
            read(p[0], &c, 1);
            CHECK(!"returned");
        }
    }
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
    CHECK(write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'x');
    return done();
}
