// SPDX-License-Identifier: MIT
// /dev/ptmx and /dev/pts: a pair is made, named, opened and talks both ways; /dev/tty is the
// slave for its session; hang-up.
// covers: open, ioctl, readlink, setsid, read, write
#include "check.h"
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

int main(void)
{
    struct winsize size = {24, 80, 0, 0}, back;
    char name[32], text[64] = "", link[64] = "", proc[40];
    struct termios t;
    int master, slave, n, lock = 0;

    master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
    CHECK_EQ(ioctl(master, TIOCGPTN, &n), 0);
    snprintf(name, sizeof(name), "/dev/pts/%d", n);
    CHECK_EQ(ioctl(master, TIOCSPTLCK, &lock), 0);
    slave = OK(open(name, O_RDWR | O_NOCTTY));
    CHECK(S_ISCHR(stat_of(name).st_mode));
    CHECK_EQ(major(stat_of(name).st_rdev), 136);
    CHECK_EQ(stat_of(name).st_uid, geteuid());
    CHECK_STR(ttyname(slave), name);
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", slave);
    CHECK(readlink(proc, link, sizeof(link) - 1) > 0);
    CHECK_STR(link, name);
    CHECK_EQ(isatty(slave), 1);
    CHECK_EQ(isatty(OK(open("/dev/null", O_RDWR))), 0);

    CHECK_EQ(tcgetattr(slave, &t), 0);
    CHECK(t.c_lflag & ICANON && t.c_lflag & ECHO);
    CHECK_EQ(write(master, "line\n", 5), 5);
    CHECK_EQ(read(slave, text, sizeof(text)), 5);
    CHECK_STR(text, "line\n");
    CHECK_EQ(read(master, text, sizeof(text)), 6);
    CHECK(memcmp(text, "line\r\n", 6) == 0);
    cfmakeraw(&t);
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
    CHECK_EQ(write(master, "raw", 3), 3);
    CHECK_EQ(read(slave, text, sizeof(text)), 3);
    CHECK_EQ(write(slave, "\n", 1), 1);
    CHECK_EQ(read(master, text, sizeof(text)), 1);
    CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
    CHECK_EQ(ioctl(slave, TIOCGWINSZ, &back), 0);
    CHECK_EQ(back.ws_col, 80);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setsid() > 0);
        CHECK_EQ(ioctl(slave, TIOCSCTTY, 0), 0);
        int tty = OK(open("/dev/tty", O_RDWR));
        CHECK_EQ(write(tty, "tty", 3), 3);
        CHECK_EQ(tcgetpgrp(tty), getpid());
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(read(master, text, sizeof(text)), 3);
    CHECK_EQ(close(slave), 0);
    CHECK_ERR(read(master, text, sizeof(text)), EIO);
    CHECK_EQ(close(master), 0);
    CHECK_ERR(open(name, O_RDWR | O_NOCTTY), ENOENT);
    return done();
}
