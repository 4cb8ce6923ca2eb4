// SPDX-License-Identifier: MIT
// read on a terminal, and write to a stopped one: EINTR without SA_RESTART, restart with it.
// covers: read, write, ioctl
#include "eintr.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char buf[1];

static void setup(void)
{
    CHECK(tcflush(slave, TCIFLUSH) == 0);
}
static void stop(void)
{
    CHECK(tcflow(slave, TCOOFF) == 0);
} // as Ctrl-S does
static void start(void)
{
    CHECK(tcflow(slave, TCOON) == 0);
}
static void feed(void)
{
    CHECK(write(master, "x", 1) == 1);
}

static long do_read(void)
{
    return raw(SYS_read, slave, buf, 1);
}
static long do_write(void)
{
    return raw(SYS_write, slave, buf, 1);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"terminal read", RESTARTS, do_read, feed, 1, setup},
        {"terminal write", RESTARTS, do_write, start, 1, stop},
    };
    struct termios tio;

    CHECK((master = posix_openpt(O_RDWR | O_NOCTTY)) >= 0);
    CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
    CHECK((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) >= 0);
    CHECK(tcgetattr(slave, &tio) == 0);
    cfmakeraw(&tio);
    CHECK(tcsetattr(slave, TCSANOW, &tio) == 0);
    EINTR_TEST(tests);
    return done();
}
