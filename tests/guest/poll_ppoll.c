// SPDX-License-Identifier: MIT
// ppoll: the mask holds for the wait only, and the raw call writes back the time that is left.
// covers: ppoll
#include "sig.h"
#include <poll.h>

static volatile sig_atomic_t seen;

static void handler(int sig)
{
    seen += sig == SIGUSR1;
}

int main(void)
{
    struct timespec hour = {3600, 0}, bad = {0, -1};
    struct pollfd pfd = {.events = POLLIN};
    sigset_t block = sigset_of(SIGUSR1), none = sigset_of(0), now;
    int p[2];

    CHECK_EQ(pipe(p), 0);
    pfd.fd = p[0];
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &block, NULL), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(syscall(SYS_ppoll, &pfd, 1, &(struct timespec){0, 0}, &block, 8), 0);
    CHECK_EQ(seen, 0);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, &hour, &none, 8), EINTR);
    CHECK_EQ(seen, 1);
    CHECK(hour.tv_sec < 3600 && hour.tv_sec > 3000);
    CHECK_EQ(sigprocmask(SIG_SETMASK, NULL, &now), 0);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);

    CHECK_EQ(write(p[1], "x", 1), 1);
    hour.tv_sec = 3600;
    CHECK_EQ(ppoll(&pfd, 1, &hour, NULL), 1);
    CHECK_EQ(pfd.revents, POLLIN);
    CHECK_EQ(hour.tv_sec, 3600); // libc hides the rest
    CHECK_EQ(syscall(SYS_ppoll, &pfd, 1, NULL, NULL, 0), 1);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, &bad, NULL, 8), EINVAL);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, &hour, &none, 4), EINVAL);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, bad_ptr, NULL, 8), EFAULT);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, &(struct timespec){-1, 0}, bad_ptr, 8), EINVAL);
    CHECK_ERR(syscall(SYS_ppoll, NULL, -1, NULL, bad_ptr, 8), EFAULT);
    CHECK_ERR(syscall(SYS_ppoll, NULL, -1, &(struct timespec){-1, 0}, NULL, 8), EINVAL);
    return done();
}
