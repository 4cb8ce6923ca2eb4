// SPDX-License-Identifier: MIT
// A small session on a pseudo-terminal for the job-control tests.
#ifndef GUEST_JOB_H
#define GUEST_JOB_H

#include "sig.h"
#include <sys/ioctl.h>
#include <termios.h>

static int pty_master;
static char pty_name[64];

static inline void pty_open(void)
{
    pty_master = OK(posix_openpt(O_RDWR | O_NOCTTY));
    CHECK(grantpt(pty_master) == 0 && unlockpt(pty_master) == 0);
    CHECK(ptsname_r(pty_master, pty_name, sizeof(pty_name)) == 0);
}

// In a child: a session of its own with the terminal as its controlling one; the slave.
static inline int session_start(void)
{
    int tty;

    CHECK(setsid() == getpid());
    tty = OK(open(pty_name, O_RDWR | O_NOCTTY));
    CHECK(ioctl(tty, TIOCSCTTY, 0) == 0);
    return tty;
}

// Forks a member of a new group of its own, which runs fn(arg).
static inline pid_t job(int (*fn)(int), int arg)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        setpgid(0, 0);
        _exit(fn(arg));
    }
    setpgid(pid, pid);
    return pid;
}

static inline int wait_for(pid_t pid, int flags)
{
    int st;

    CHECK_EQ(waitpid(pid, &st, flags), pid);
    return st;
}

#define STOPPED_BY(sig) ((sig) << 8 | 0x7f)

// Runs the leader of a session; it reports by its exit status.
static inline void in_session(void (*fn)(int tty))
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        fn(session_start());
        _exit(0);
    }
    wait_ok(pid);
}

#endif
