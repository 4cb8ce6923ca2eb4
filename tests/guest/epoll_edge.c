// SPDX-License-Identifier: MIT
// EPOLLET reports arrivals, EPOLLONESHOT one event until rearmed, EPOLLEXCLUSIVE has its rules;
// a registration lives as long as the open file, not the number.
// covers: epoll_ctl, epoll_wait
#include "check.h"
#include <sys/epoll.h>
#include <sys/socket.h>

int main(void)
{
    struct epoll_event ev, out[4];
    int ep = OK(epoll_create1(0)), s[2], p[2], copy;
    char c;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    ev = (struct epoll_event){.events = EPOLLIN | EPOLLET | EPOLLRDHUP, .data.u32 = 1};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &ev), 0);
    CHECK_EQ(write(s[1], "a", 1), 1);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    CHECK_EQ(write(s[1], "b", 1), 1);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(read(s[0], &c, 1), 1);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    CHECK_EQ(shutdown(s[1], SHUT_WR), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(out[0].events, EPOLLIN | EPOLLRDHUP);

    CHECK_EQ(pipe(p), 0);
    ev = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u32 = 2};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_EQ(out[0].data.u32, 2);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);

    // EXCLUSIVE only at ADD, and then never MOD.
    ev.events = EPOLLIN | EPOLLEXCLUSIVE;
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), EINVAL);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), 0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
    ev.events = EPOLLIN;
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), EINVAL);

    copy = OK(dup(p[0]));
    CHECK_EQ(close(p[0]), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), EBADF);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, copy, NULL), ENOENT);
    CHECK_EQ(close(copy), 0);
    CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
    return done();
}
