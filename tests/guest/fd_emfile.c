// SPDX-License-Identifier: MIT
// At the edge of RLIMIT_NOFILE: the last number is handed out, then EMFILE until one is closed.
// covers: setrlimit, prlimit64, open, dup, dup2, pipe, fcntl, socketpair, accept4
#include "check.h"
#include <sys/resource.h>
#include <sys/socket.h>

int main(void)
{
    struct rlimit old, lim;
    int fd, p[2];

    closefrom(3);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    lim = (struct rlimit){.rlim_cur = 64, .rlim_max = old.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    for (int n = 3; n < 64; n++)
        CHECK_EQ(open("/dev/null", O_RDONLY), n);
    CHECK_ERR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERR(open("new", O_RDWR | O_CREAT, 0600), EMFILE);
    CHECK_ERR(dup(0), EMFILE);
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
    CHECK_ERR(fcntl(0, F_DUPFD, 10), EMFILE);
    CHECK_ERR(fcntl(0, F_DUPFD, 64), EINVAL);
    CHECK_ERR(dup2(0, 64), EBADF);
    CHECK_EQ(dup2(0, 63), 63);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(access("d", F_OK), 0);

    // One free number is not enough for two ends, and the failure leaks nothing.
    CHECK_EQ(close(40), 0);
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 0, p), EMFILE);
    CHECK_EQ(dup(0), 40);

    // A lower limit closes nothing and only stops new numbers.
    lim.rlim_cur = 10;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_EQ(fcntl(63, F_GETFD), 0);
    CHECK_EQ(close(63), 0);
    CHECK_ERR(dup(0), EMFILE);
    CHECK_EQ(close(5), 0);
    fd = OK(dup(0));
    CHECK_EQ(fd, 5);
    lim.rlim_cur = old.rlim_cur;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_EQ(dup(0), 63);
    CHECK_EQ(dup(0), 64);
    return done();
}
