// SPDX-License-Identifier: MIT
// F_DUPFD and F_DUPFD_CLOEXEC take the lowest free number from a minimum; F_DUPFD_QUERY
// compares.
// covers: fcntl
#include "check.h"

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif
#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif

int main(void)
{
    int fd, other, made, r;

    closefrom(3);
    fd = OK(open(".", O_RDONLY));
    CHECK_EQ(fcntl(fd, F_DUPFD, 0), 4);
    CHECK_EQ(fcntl(fd, F_DUPFD, 100), 100);
    CHECK_EQ(fcntl(fd, F_DUPFD, 100), 101);
    CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102);
    CHECK_EQ(fcntl(101, F_GETFD), 0);
    CHECK_EQ(fcntl(102, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(close(100), 0);
    CHECK_EQ(fcntl(fd, F_DUPFD, 50), 50);
    CHECK_EQ(fcntl(fd, F_DUPFD, 100), 100);
    CHECK_ERR(fcntl(fd, F_DUPFD, -1), EINVAL);
    CHECK_ERR(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
    CHECK_ERR(fcntl(77, F_DUPFD, 0), EBADF);
    CHECK_ERR(fcntl(fd, 9999, 0), EINVAL);
    CHECK_ERR(fcntl(-1, F_GETFD), EBADF);

    // Linux 6.10 and 6.12; older kernels say EINVAL, there and here.
    other = OK(open(".", O_RDONLY));
    made = OK(open("new", O_RDWR | O_CREAT, 0600));
    r = fcntl(fd, F_DUPFD_QUERY, 100);
    if (r < 0)
        printf("no F_DUPFD_QUERY\n");
    else
        CHECK_EQ(r, 1);
    if (r >= 0)
        CHECK_EQ(fcntl(fd, F_DUPFD_QUERY, other), 0);
    r = fcntl(made, F_CREATED_QUERY);
    if (r < 0)
        printf("no F_CREATED_QUERY\n");
    else
        CHECK_EQ(r, 1);
    if (r >= 0)
        CHECK_EQ(fcntl(OK(open("new", O_RDWR | O_CREAT, 0600)), F_CREATED_QUERY), 0);
    return done();
}
