// SPDX-License-Identifier: MIT
// Times of a device, set by a descriptor: its name has them then. And a guest without /dev changes
// those of the host's as little: scripts/check-escape.py.
// covers: utimensat
// needs: root
#include "check.h"
#include <sys/sysmacros.h>

static void set(int fd, int empty, int sec)
{
    struct timespec ts[2] = {{sec, 0}, {sec + 1, 0}};
    struct stat st;

    CHECK_EQ(empty ? utimensat(fd, "", ts, AT_EMPTY_PATH) : futimens(fd, ts), 0);
    CHECK_EQ(stat("/dev/full", &st), 0);
    CHECK_EQ(st.st_mtime, sec + 1);
}

int main(void)
{
    struct stat was;
    struct timespec ts[2];
    int fd = OK(open("/dev/full", O_RDWR)), path = OK(open("/dev/full", O_PATH));

    CHECK_EQ(stat("/dev/full", &was), 0);
    set(fd, 0, 1000);
    set(fd, 1, 2000);
    set(path, 1, 3000);
    CHECK_ERR(futimens(path, NULL), EBADF);
    CHECK_EQ(futimens(fd, NULL), 0);
    ts[0] = was.st_atim;
    ts[1] = was.st_mtim;
    CHECK_EQ(futimens(fd, ts), 0);
    done();
}
