// SPDX-License-Identifier: MIT
// The access mode of open decides what the descriptor may do; the plain errors of open.
// covers: open, read, write, close
#include "check.h"

int main(void)
{
    char c;
    int fd;

    put_file("f", "data");
    fd = OK(syscall(SYS_open, "f", O_RDONLY, 0));
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, 'd');
    CHECK_EQ(close(fd), 0);
    fd = OK(syscall(SYS_open, "f", O_WRONLY, 0));
    CHECK_ERR(read(fd, &c, 1), EBADF);
    CHECK_EQ(write(fd, "D", 1), 1);
    CHECK_EQ(close(fd), 0);
    fd = OK(syscall(SYS_open, "f", O_RDWR, 0));
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, 'D');
    CHECK_EQ(write(fd, "A", 1), 1);
    CHECK_EQ(close(fd), 0);
    CHECK_STR(get_file("f"), "DAta");

    // Access mode 3 opens for ioctl only.
    fd = OK(syscall(SYS_open, "f", O_ACCMODE, 0));
    CHECK_ERR(read(fd, &c, 1), EBADF);
    CHECK_ERR(write(fd, "x", 1), EBADF);

    CHECK_ERR(open("missing", O_RDONLY), ENOENT);
    CHECK_ERR(open("", O_RDONLY), ENOENT);
    CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("missing/x", O_RDWR | O_CREAT, 0600), ENOENT);
    CHECK_ERR(open(".", O_WRONLY), EISDIR);
    CHECK_ERR(open(".", O_RDWR | O_CREAT, 0600), EISDIR);
    CHECK_ERR(syscall(SYS_open, bad_ptr, O_RDONLY, 0), EFAULT);
    fd = OK(open(".", O_RDONLY));
    CHECK_ERR(read(fd, &c, 1), EISDIR);
    return done();
}
