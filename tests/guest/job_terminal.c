// SPDX-License-Identifier: MIT
// A controlling terminal: how a session gets one, who may ask and set its foreground group,
// /dev/tty, losing it; the errors of each.
// covers: ioctl, setsid, setpgid, openat, open
#include "job.h"

static int idle(int arg)
{
    (void)arg;
    for (;;)
        pause();
    return 0;
}

static void without(void)
{
    pid_t group;

    CHECK(setsid() == getpid());
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
    int tty = OK(open(pty_name, O_RDWR | O_NOCTTY));
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO); // O_NOCTTY did not make it ours
    CHECK_ERR(tcgetpgrp(tty), ENOTTY);
    CHECK_ERR(tcsetpgrp(tty, getpgrp()), ENOTTY);
    CHECK_ERR(tcgetsid(tty), ENOTTY);
    CHECK_ERR(ioctl(tty, TIOCNOTTY), ENOTTY);
    CHECK(ioctl(pty_master, TIOCGPGRP, &group) == 0 && group == 0);
    // Opening without the flag makes it the controlling one.
    close(OK(open(pty_name, O_RDWR)));
    close(OK(open("/dev/tty", O_RDWR)));
    CHECK(tcgetpgrp(tty) == getpgrp() && tcgetsid(tty) == getpid());
}

static void leader(int tty)
{
    pid_t a, b, group;
    char name[64];
    int own;

    CHECK(isatty(tty) && tcgetpgrp(tty) == getpid() && tcgetsid(tty) == getpid());
    CHECK(ioctl(tty, TIOCSCTTY, 0) == 0); // again is fine
    CHECK(ttyname_r(tty, name, sizeof(name)) == 0 && strcmp(name, pty_name) == 0);
    own = OK(open("/dev/tty", O_RDWR));
    CHECK(tcgetpgrp(own) == getpid());
    CHECK(ttyname_r(own, name, sizeof(name)) == 0 && strcmp(name, "/dev/tty") == 0);
    a = job(idle, 0);
    CHECK(tcsetpgrp(tty, a) == 0 && tcgetpgrp(tty) == a);
    CHECK(ioctl(pty_master, TIOCGPGRP, &group) == 0 && group == a);
    // Now in the background, in a group without a parent in the session: SIGTTOU would be useless.
    CHECK_ERR(tcsetpgrp(tty, getpgrp()), ENOTTY);
    block(SIGTTOU); // not sent where it is blocked
    CHECK_ERR(tcsetpgrp(tty, 0x3fffffff), ESRCH);
    CHECK_ERR(tcsetpgrp(tty, -1), EINVAL);
    CHECK(tcsetpgrp(tty, getpgrp()) == 0 && tcgetpgrp(tty) == getpid());
    // A group of another session.
    b = OK(fork());
    if (b == 0) {
        CHECK(setsid() == getpid());
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK_ERR(tcgetpgrp(tty), ENOTTY);
        CHECK_ERR(ioctl(tty, TIOCSCTTY, 0), EPERM); // belongs to another session
        kill(getppid(), SIGUSR1);
        idle(0);
    }
    sigset_t usr1 = sigset_of(SIGUSR1);
    CHECK(sigwaitinfo(&usr1, NULL) == SIGUSR1);
    CHECK_ERR(tcsetpgrp(tty, b), EPERM);
    CHECK(kill(a, SIGKILL) == 0 && kill(b, SIGKILL) == 0);
    CHECK(wait_for(a, 0) == SIGKILL && wait_for(b, 0) == SIGKILL);
    // Not the leader: may not take, may let go for itself.
    a = OK(fork());
    if (a == 0) {
        CHECK(ioctl(tty, TIOCNOTTY) == 0);
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK_ERR(ioctl(tty, TIOCSCTTY, 0), EPERM);
        _exit(0);
    }
    wait_ok(a);
    CHECK(tcgetpgrp(tty) == getpid());
    // The leader lets go: the foreground group is told.
    signal(SIGHUP, SIG_IGN);
    CHECK(ioctl(tty, TIOCNOTTY) == 0);
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
}

int main(void)
{
    block(SIGUSR1);
    pty_open();
    CHECK_EQ(status_of(without), 0);
    in_session(leader);
    CHECK_ERR(tcgetpgrp(OK(open("/dev/null", O_RDWR))), ENOTTY);
    return done();
}
