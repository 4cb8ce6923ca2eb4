// SPDX-License-Identifier: MIT
// Close-on-exec: every call that can set it does, execve closes exactly those descriptors.
// covers: open, execve, fcntl, dup3, pipe2, close_range
#include "check.h"
#include <linux/close_range.h>

static void after_exec(void)
{
    for (int fd = 10; fd < 20; fd++) {
        if (fd % 2)
            CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
        else
            CHECK_EQ(fcntl(fd, F_GETFD), 0);
    }
    exit(done());
}

int main(int argc, char **argv)
{
    int fd, p[2];

    if (argc > 1)
        after_exec();
    put_file("f", "data");
    fd = OK(open("f", O_RDONLY | O_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    // Even numbers stay over the exec, odd ones go.
    CHECK_EQ(dup2(fd, 10), 10);
    CHECK_EQ(fcntl(10, F_GETFD), 0);
    CHECK_EQ(dup3(fd, 11, O_CLOEXEC), 11);
    CHECK_EQ(dup3(fd, 12, 0), 12);
    CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 13), 13);
    CHECK_EQ(fcntl(fd, F_DUPFD, 14), 14);
    CHECK_EQ(dup2(fd, 15), 15);
    CHECK_EQ(fcntl(15, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(dup3(fd, 16, O_CLOEXEC), 16);
    CHECK_EQ(fcntl(16, F_SETFD, 0), 0);
    CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(p[1], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup2(fd, 17), 17);
    CHECK_EQ(dup2(fd, 19), 19);
    CHECK_EQ(close_range(17, 17, CLOSE_RANGE_CLOEXEC), 0);
    CHECK_EQ(close_range(19, 19, CLOSE_RANGE_CLOEXEC), 0);
    CHECK_EQ(dup2(fd, 18), 18);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execve came back");
}
