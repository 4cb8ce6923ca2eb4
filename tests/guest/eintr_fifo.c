// SPDX-License-Identifier: MIT
// open (open, openat, openat2) of a FIFO that waits for the other end: EINTR without SA_RESTART,
// restart with it.
// covers: open, openat, openat2, mknod
#include "eintr.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

static int mine = -1, other = -1;
static struct open_how how = {.flags = O_RDONLY};

static void setup(void)
{
    close(mine);
    close(other);
    mine = other = -1;
}

// While the other side waits in open, it counts as reader or writer already.
static void come_write(void)
{
    while ((other = open("fifo", O_WRONLY | O_NONBLOCK)) < 0)
        CHECK(errno == ENXIO); // the target is in its handler just now
}
static void come_read(void)
{
    CHECK((other = open("fifo", O_RDONLY | O_NONBLOCK)) >= 0);
}

static long do_open(void)
{
    return mine = raw(SYS_open, "fifo", O_RDONLY);
}
static long do_open_write(void)
{
    return mine = raw(SYS_open, "fifo", O_WRONLY);
}
static long do_openat(void)
{
    return mine = raw(SYS_openat, AT_FDCWD, "fifo", O_RDONLY);
}
static long do_openat2(void)
{
    return mine = raw(SYS_openat2, AT_FDCWD, "./fifo", &how, sizeof(how));
}

int main(void)
{
    static const struct eintr tests[] = {
        {"open for reading", RESTARTS, do_open, come_write, ANY, setup},
        {"open for writing", RESTARTS, do_open_write, come_read, ANY, setup},
        {"openat", RESTARTS, do_openat, come_write, ANY, setup},
        {"openat2", RESTARTS, do_openat2, come_write, ANY, setup},
    };

    CHECK(mkfifo("fifo", 0600) == 0);
    EINTR_TEST(tests);
    return done();
}
