// SPDX-License-Identifier: MIT
// epoll_pwait and epoll_pwait2 swap the signal mask for the wait: a pending signal interrupts it
// at once, and the old mask is back afterwards.
// covers: epoll_pwait, epoll_pwait2
// trap: not old: such a host has no epoll_pwait2
#include "sig.h"
#include <sys/epoll.h>

static volatile sig_atomic_t seen;

static void handler(int sig)
{
    seen += sig == SIGUSR1;
}

int main(void)
{
    struct epoll_event ev = {.events = EPOLLIN}, out[2];
    struct timespec zero = {0, 0}, bad = {0, 2000000000};
    sigset_t block = sigset_of(SIGUSR1), none = sigset_of(0), now;
    int ep = OK(epoll_create1(0)), p[2];

    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &block, NULL), 0);

    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(epoll_pwait(ep, out, 2, 0, NULL), 0);
    CHECK_EQ(epoll_pwait(ep, out, 2, 0, &block), 0);
    CHECK_EQ(seen, 0);
    CHECK_ERR(epoll_pwait(ep, out, 2, -1, &none), EINTR);
    CHECK_EQ(seen, 1);
    CHECK_EQ(sigprocmask(SIG_SETMASK, NULL, &now), 0);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);

    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(epoll_pwait2(ep, out, 2, &zero, NULL), 0);
    CHECK_ERR(epoll_pwait2(ep, out, 2, NULL, &none), EINTR);
    CHECK_EQ(seen, 2);
    CHECK_EQ(sigprocmask(SIG_SETMASK, NULL, &now), 0);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);

    // With an event and a signal ready, the event wins and the signal stays pending or is handled.
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(epoll_pwait(ep, out, 2, -1, &none), 1);
    CHECK_EQ(epoll_pwait2(ep, out, 2, NULL, &none), 1);
    CHECK_ERR(epoll_pwait2(ep, out, 2, &bad, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_epoll_pwait, ep, out, 2, 0, &none, 4), EINVAL);
    CHECK_ERR(syscall(SYS_epoll_pwait2, ep, out, 2, &zero, &none, 4), EINVAL);
    CHECK_ERR(syscall(SYS_epoll_pwait, ep, out, 2, 0, bad_ptr, 8), EFAULT);
    CHECK_ERR(syscall(SYS_epoll_pwait2, ep, out, 2, &bad, bad_ptr, 8), EINVAL); // the time first
    CHECK_ERR(syscall(SYS_epoll_pwait2, 99, out, 2, &zero, bad_ptr, 8), EFAULT);
    return done();
}
