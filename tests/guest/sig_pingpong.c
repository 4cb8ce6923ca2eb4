// SPDX-License-Identifier: MIT
// Two processes wake each other by signals 20,000 times, each waiting in sigsuspend, sigwaitinfo or
// ppoll: a signal that comes just before the wait, or just as it begins, is never lost.
// covers: rt_sigsuspend, rt_sigtimedwait, ppoll, kill, rt_sigprocmask
// timeout: 30
#include "sig.h"
#include <poll.h>

static volatile int got;

static void handler(int sig)
{
    (void)sig;
    got = 1;
}

static void wait_signal(int how)
{
    sigset_t none, usr1 = sigset_of(SIGUSR1);

    sigemptyset(&none);
    got = 0;
    if (how == 0)
        CHECK_ERR(sigsuspend(&none), EINTR);
    else if (how == 1)
        got = sigwaitinfo(&usr1, NULL) == SIGUSR1;
    else
        CHECK_ERR(ppoll(NULL, 0, NULL, &none), EINTR);
    CHECK(got);
    CHECK(is_blocked(SIGUSR1));
}

int main(void)
{
    pid_t pid;

    signal(SIGUSR1, handler);
    block(SIGUSR1);
    pid = OK(fork());
    if (pid == 0) {
        pid_t parent = getppid();

        for (int i = 0; i < 10000; i++) {
            wait_signal(i % 3);
            CHECK(kill(parent, SIGUSR1) == 0);
        }
        _exit(0);
    }
    for (int i = 0; i < 10000; i++) {
        CHECK(kill(pid, SIGUSR1) == 0);
        wait_signal((i + 1) % 3);
    }
    wait_ok(pid);
    return done();
}
