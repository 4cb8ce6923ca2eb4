// SPDX-License-Identifier: MIT
// dup, dup2, dup3: one open file behind two numbers; offset and status are shared, close-on-exec
// not.
// covers: dup, dup2, dup3, lseek, fcntl
#include "check.h"

int main(void)
{
    int fd, copy, other;
    char c;

    put_file("f", "abcdef");
    put_file("g", "other");
    fd = OK(open("f", O_RDWR | O_CLOEXEC));
    copy = OK(dup(fd));
    CHECK_EQ(fcntl(copy, F_GETFD), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    CHECK_EQ(read(copy, &c, 1), 1);
    CHECK_EQ(c, 'c');
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(fcntl(copy, F_SETFL, O_APPEND), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(read(copy, &c, 1), 1);
    CHECK_EQ(c, 'd');

    // Onto a number in use: that one is closed first, and nothing of its state stays.
    other = OK(open("g", O_RDONLY | O_CLOEXEC));
    CHECK_EQ(dup2(copy, other), other);
    CHECK_EQ(fcntl(other, F_GETFD), 0);
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 4);
    CHECK_EQ(dup3(copy, other, O_CLOEXEC), other);
    CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);

    // Onto itself: dup2 does nothing (and keeps the flag), dup3 refuses.
    CHECK_EQ(dup2(other, other), other);
    CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(dup3(other, other, 0), EINVAL);
    CHECK_ERR(dup3(copy, other, O_APPEND), EINVAL);

    CHECK_ERR(dup2(500, other), EBADF);
    CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(dup2(500, 500), EBADF);
    CHECK_ERR(dup2(copy, -1), EBADF);
    CHECK_ERR(dup3(copy, 1 << 30, 0), EBADF);
    CHECK_ERR(dup(-1), EBADF);

    // A closed number in the middle, then the standard ones.
    CHECK_EQ(dup2(copy, 300), 300);
    CHECK_EQ(dup2(300, 0), 0);
    CHECK_EQ(lseek(0, 0, SEEK_CUR), 4);
    return done();
}
