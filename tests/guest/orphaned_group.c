// SPDX-License-Identifier: MIT
// A process group whose last parent in the session ends while one of its processes is stopped: the
// kernel sends SIGHUP and SIGCONT. In one that is orphaned already a terminal's stop is ignored.
// covers: setpgid, exit_group
#include <signal.h>
#include <sys/wait.h>

#include "check.h"

static void orphan(int out, int stops_by)
{
    int status, started[2];
    pid_t self = getpid();
    CHECK_EQ(setpgid(0, 0), 0);
    CHECK_EQ(pipe(started), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        alarm(20);
        if (stops_by != SIGSTOP)
            while (getppid() == self)
                usleep(1000);
        raise(stops_by);
        CHECK_EQ(write(out, "k", 1), 1); // killed before, or not stopped
        _exit(0);
    }
    if (stops_by == SIGSTOP) {
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
    }
    _exit(0);
}

// What the orphan has written until it ended.
static int left(int stops_by)
{
    char buf[4];
    int end[2], status;
    CHECK_EQ(pipe(end), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        close(end[0]);
        orphan(end[1], stops_by);
    }
    close(end[1]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    int n = (int)read(end[0], buf, sizeof buf);
    close(end[0]);
    return n;
}

int main(void)
{
    signal(SIGHUP, SIG_DFL);
    CHECK_EQ(left(SIGSTOP), 0);
    CHECK_EQ(left(SIGTSTP), 1);
    CHECK_EQ(left(SIGTTIN), 1);
    return done();
}
