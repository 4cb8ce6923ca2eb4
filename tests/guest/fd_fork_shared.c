// SPDX-License-Identifier: MIT
// After fork both processes have the same open files (one offset, one status) under numbers of
// their own.
// covers: fork, lseek, read, close, dup2, fcntl
#include "check.h"

int main(void)
{
    char c;
    int fd;

    put_file("f", "abcdef");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(read(fd, &c, 1), 1);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(read(fd, &c, 1), 1);
        CHECK_EQ(c, 'b');
        CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
        CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
        CHECK_EQ(dup2(fd, 20), 20);
        CHECK_EQ(lseek(20, 1, SEEK_CUR), 3);
        CHECK_EQ(close(0), 0);
        CHECK_EQ(close(fd), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, 'd');
    CHECK_EQ(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_ERR(fcntl(20, F_GETFD), EBADF);
    CHECK_EQ(fcntl(0, F_GETFD), 0);
    return done();
}
