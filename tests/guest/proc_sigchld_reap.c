// SPDX-License-Identifier: MIT
// A SIGCHLD handler that reaps: 500 children that end at once, several at a time, are all seen,
// while the program makes calls that the signal interrupts; fork and vfork mixed.
// covers: fork, vfork, wait4, rt_sigaction
// timeout: 30
#include "sig.h"

static volatile int reaped, sum;

static void reap(int sig)
{
    int st, saved = errno;
    pid_t pid;

    (void)sig;
    while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
        CHECK(WIFEXITED(st));
        reaped++;
        sum += WEXITSTATUS(st);
    }
    CHECK(pid == 0 || errno == ECHILD);
    errno = saved;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = reap, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    volatile int made = 0, want = 0;
    sigset_t none;

    CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
    while (made < 500) {
        pid_t pid;

        if (made % 5 == 4)
            pid = vfork();
        else
            pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(made % 100);
        want += made % 100;
        made++;
        CHECK(access("/", F_OK) == 0);
        CHECK_ERR(open("absent", O_RDONLY), ENOENT);
    }
    sigemptyset(&none);
    block(SIGCHLD);
    while (reaped < 500)
        CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK_EQ(sum, want);
    CHECK_ERR(wait(NULL), ECHILD);
    return done();
}
