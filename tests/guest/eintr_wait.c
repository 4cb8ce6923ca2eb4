// SPDX-License-Identifier: MIT
// wait4 and waitid (by id, any child, and by pidfd): EINTR without SA_RESTART, restart with it.
// covers: wait4, waitid, pidfd_open
// trap: not old: such a host has no pidfd_open
#include "eintr.h"
#include <sys/wait.h>

static pid_t child;
static int status, pidfd = -1;
static siginfo_t info;

static void setup(void)
{
    if (child > 0) { // the interrupted run left it behind
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        for (;;)
            pause();
    close(pidfd);
    pidfd = syscall(SYS_pidfd_open, child, 0);
    CHECK(pidfd >= 0);
}

static void end(void)
{
    CHECK(kill(child, SIGKILL) == 0);
}

static long keep(long ret)
{
    if (ret >= 0) {
        CHECK(ret == 0 || ret == child);
        child = 0;
    }
    return ret;
}

static long do_wait4(void)
{
    return keep(raw(SYS_wait4, child, &status, 0, 0));
}
static long do_wait4_any(void)
{
    return keep(raw(SYS_wait4, -1, &status, 0, 0));
}
static long do_waitid(void)
{
    return keep(raw(SYS_waitid, P_PID, child, &info, WEXITED, 0));
}
static long do_pidfd(void)
{
    return keep(raw(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED, 0));
}

int main(void)
{
    static const struct eintr tests[] = {
        {"wait4 pid", RESTARTS, do_wait4, end, ANY, setup},
        {"wait4 any", RESTARTS, do_wait4_any, end, ANY, setup},
        {"waitid P_PID", RESTARTS, do_waitid, end, 0, setup},
        {"waitid P_PIDFD", RESTARTS, do_pidfd, end, 0, setup},
    };

    EINTR_TEST(tests);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    return done();
}
