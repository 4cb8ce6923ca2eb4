// SPDX-License-Identifier: MIT
// close frees the number at once; a second close, and every call on it, says EBADF.
// covers: close, fstat, fcntl, dup, ioctl
#include "check.h"
#include <sys/ioctl.h>

int main(void)
{
    struct stat st;
    int fd, n;

    fd = OK(open(".", O_RDONLY));
    CHECK_EQ(close(fd), 0);
    CHECK_ERR(close(fd), EBADF);
    CHECK_ERR(close(-1), EBADF);
    CHECK_ERR(close(1 << 30), EBADF);
    CHECK_ERR(fstat(fd, &st), EBADF);
    CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
    CHECK_ERR(dup(fd), EBADF);
    CHECK_ERR(ioctl(fd, FIONREAD, &n), EBADF);
    CHECK_ERR(read(fd, &n, 1), EBADF);
    CHECK_ERR(lseek(fd, 0, SEEK_SET), EBADF);
    CHECK_ERR(fchdir(fd), EBADF);
    CHECK_ERR(ftruncate(fd, 0), EBADF);
    CHECK_ERR(fchmod(fd, 0), EBADF);
    CHECK_ERR(fsync(fd), EBADF);
    CHECK_ERR(unlinkat(fd, "x", 0), EBADF);
    CHECK_ERR(syscall(SYS_getdents64, fd, &st, sizeof(st)), EBADF);
    // The upper half of the register is not part of a descriptor.
    fd = OK(open(".", O_RDONLY));
    CHECK_EQ(syscall(SYS_close, (unsigned long)fd | 1ul << 32), 0);
    CHECK_ERR(close(fd), EBADF);
    return done();
}
