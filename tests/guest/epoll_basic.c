// SPDX-License-Identifier: MIT
// epoll: level-triggered readiness, the data that comes back, change and removal, hang-up.
// covers: epoll_create, epoll_create1, epoll_ctl, epoll_wait
#include "check.h"
#include <sys/epoll.h>

int main(void)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef}, out[4];
    int ep, p[2], q[2];
    char c;

    CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
    CHECK_EQ(close(OK(syscall(SYS_epoll_create, 1))), 0);
    ep = OK(epoll_create1(EPOLL_CLOEXEC));
    CHECK_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
    CHECK_EQ(syscall(SYS_epoll_wait, ep, out, 4, 0), 0);
    CHECK_EQ(write(p[1], "ab", 2), 2);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
        CHECK_EQ(out[0].events, EPOLLIN);
        CHECK(out[0].data.u64 == 0x123456789abcdef);
        CHECK_EQ(read(p[0], &c, 1), 1);
    }
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);

    // Change: new interest and new data.
    ev = (struct epoll_event){.events = EPOLLOUT, .data.fd = q[1]};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, q[1], &ev), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(out[0].data.fd, q[1]);
    CHECK_EQ(out[0].events, EPOLLOUT);
    ev = (struct epoll_event){.events = 0, .data.fd = 7};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, q[1], &ev), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    // Errors are reported without being asked for.
    CHECK_EQ(close(q[0]), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(out[0].events, EPOLLERR);
    CHECK_EQ(out[0].data.fd, 7);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, q[1], NULL), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);

    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(epoll_wait(ep, out, 1, -1), 1);
    CHECK_EQ(out[0].events, EPOLLIN | EPOLLHUP);
    // The last close of the file removes it.
    CHECK_EQ(close(p[0]), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    return done();
}
