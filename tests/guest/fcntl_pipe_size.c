// SPDX-License-Identifier: MIT
// F_SETPIPE_SZ rounds up to pages, never loses data, and says what it gave; FIONREAD counts.
// covers: fcntl, pipe2, write, ioctl
#include "check.h"
#include <sys/ioctl.h>

int main(void)
{
    static char block[65536];
    int p[2], n;

    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 5000), 8192);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 8192);
    CHECK_EQ(write(p[1], block, sizeof(block)), 8192);
    CHECK_ERR(write(p[1], block, 1), EAGAIN);
    CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
    CHECK_EQ(n, 8192);
    CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
    CHECK_EQ(read(p[0], block, 4096), 4096);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 0), 4096);
    CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
    CHECK_EQ(n, 4096);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 131072), 131072);
    CHECK_EQ(write(p[1], block, sizeof(block)), 65536);
    n = OK(open(".", O_RDONLY));
    CHECK_ERR(fcntl(n, F_GETPIPE_SZ), EBADF);
    return done();
}
