// SPDX-License-Identifier: MIT
// poll: readiness, hang-up, error and bad descriptors; negative ones are skipped.
// covers: poll
#include "check.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int events(int fd, int interest)
{
    struct pollfd pfd = {.fd = fd, .events = interest, .revents = 0x7fff};

    CHECK_EQ(syscall(SYS_poll, &pfd, 1, 0), pfd.revents != 0);
    return pfd.revents;
}

int main(void)
{
    struct pollfd set[3];
    struct rlimit lim;
    int p[2], s[2];

    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(events(p[0], POLLIN), 0);
    CHECK_EQ(events(p[1], POLLIN | POLLOUT), POLLOUT);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(events(p[0], POLLIN | POLLRDNORM | POLLOUT), POLLIN | POLLRDNORM);
    CHECK_EQ(events(p[0], 0), 0);
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(events(p[0], POLLIN), POLLIN | POLLHUP);
    CHECK_EQ(events(p[1], POLLIN), POLLNVAL);
    CHECK_EQ(events(-1, POLLIN), 0);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(close(p[0]), 0);
    CHECK_EQ(events(p[1], POLLOUT), POLLOUT | POLLERR);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(events(s[0], POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
    CHECK_EQ(shutdown(s[1], SHUT_WR), 0);
    CHECK_EQ(events(s[0], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
    CHECK_EQ(close(s[1]), 0);
    CHECK_EQ(events(s[0], 0), POLLHUP);
    put_file("f", "");
    CHECK_EQ(events(OK(open("f", O_RDWR)), POLLIN | POLLOUT), POLLIN | POLLOUT);
    CHECK_EQ(events(OK(open("/dev/null", O_RDWR)), POLLIN | POLLOUT), POLLIN | POLLOUT);

    set[0] = (struct pollfd){.fd = -5, .events = POLLIN, .revents = 99};
    set[1] = (struct pollfd){.fd = 500, .events = POLLIN};
    set[2] = (struct pollfd){.fd = p[1], .events = POLLOUT};
    CHECK_EQ(poll(set, 3, -1), 2);
    CHECK_EQ(set[0].revents, 0);
    CHECK_EQ(set[1].revents, POLLNVAL);
    CHECK_EQ(poll(NULL, 0, 0), 0);
    CHECK_EQ(poll(NULL, 0, 1), 0);
    CHECK_ERR(syscall(SYS_poll, bad_ptr, 1, 0), EFAULT);
    lim = (struct rlimit){10, 10};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_ERR(syscall(SYS_poll, set, 11, 0), EINVAL);
    return done();
}
