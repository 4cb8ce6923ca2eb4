// SPDX-License-Identifier: MIT
// Signals sent to a parent that waits in vfork are delivered after it, to the parent, once; the
// child's own handlers and masks stay its own; exec in the child under a storm of signals.
// covers: vfork, execve, kill, rt_sigaction, rt_sigprocmask
// timeout: 30
#include "sig.h"

static volatile int in_parent, wrong;
static volatile pid_t parent;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    if (getpid() == parent)
        in_parent++;
    else
        wrong++;
}

int main(int argc, char **argv)
{
    char *args[] = {argv[0], "again", NULL}, *none[] = {NULL};
    volatile int i;
    pid_t pid;
    int st;

    if (argc > 1)
        return 0;
    parent = getpid();
    catch_info(SIGUSR1, handler, SA_RESTART);
    catch_info(SIGRTMIN, handler, SA_RESTART);
    for (i = 0; i < 200; i++) {
        in_parent = 0;
        pid = vfork();
        if (pid == 0) {
            union sigval v = {0};

            kill(parent, SIGUSR1);
            kill(parent, SIGUSR1); // merges with the first
            sigqueue(parent, SIGRTMIN, v);
            sigqueue(parent, SIGRTMIN, v);
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, NULL); // the child's only
            if (in_parent)
                _exit(1);
            if (i % 2)
                execve("/proc/self/exe", args, none);
            _exit(0);
        }
        CHECK_EQ(in_parent, 3);
        CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGTERM));
        CHECK(waitpid(pid, &st, 0) == pid && st == 0);
    }
    CHECK_EQ(wrong, 0);
    return done();
}
