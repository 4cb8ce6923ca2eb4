// SPDX-License-Identifier: MIT
// What epoll refuses: files that are always ready, itself, loops, doubles, and bad arguments.
// covers: epoll_ctl, epoll_wait, epoll_create1
#include "check.h"
#include <sys/epoll.h>

int main(void)
{
    struct epoll_event ev = {.events = EPOLLIN}, out[2];
    int ep = OK(epoll_create1(0)), other = OK(epoll_create1(0)), p[2], chain[7];

    CHECK_EQ(pipe(p), 0);
    put_file("f", "");
    CHECK_ERR(epoll_create1(1 << 20), EINVAL);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, OK(open("f", O_RDONLY)), &ev), EPERM);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, OK(open(".", O_RDONLY)), &ev), EPERM);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
    CHECK_ERR(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev), EINVAL);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &ev), EBADF);
    CHECK_ERR(epoll_ctl(99, EPOLL_CTL_ADD, p[0], &ev), EBADF);
    CHECK_ERR(epoll_ctl(ep, 77, p[0], &ev), EINVAL);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), ENOENT);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], &ev), ENOENT);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], bad_ptr), EFAULT);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, OK(dup(p[0])), &ev), 0);

    CHECK_ERR(epoll_wait(ep, out, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_epoll_wait, ep, out, -1, 0), EINVAL);
    CHECK_ERR(epoll_wait(p[0], out, 1, 0), EINVAL);
    CHECK_ERR(epoll_wait(99, out, 1, 0), EBADF);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(epoll_wait(ep, bad_ptr, 2, 0), EFAULT);
    CHECK_EQ(epoll_wait(ep, out, 1, 0), 1);

    // One epoll in another works, a loop does not, nor a chain of more than five.
    CHECK_EQ(epoll_ctl(other, EPOLL_CTL_ADD, ep, &ev), 0);
    CHECK_EQ(epoll_wait(other, out, 1, -1), 1);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, other, &ev), ELOOP);
    for (int i = 0; i < 7; i++)
        chain[i] = OK(epoll_create1(0));
    for (int i = 1; i < 5; i++)
        CHECK_EQ(epoll_ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], &ev), 0);
    CHECK_EQ(epoll_ctl(chain[5], EPOLL_CTL_ADD, chain[4], &ev), -1);
    CHECK(errno == ELOOP || errno == EINVAL);
    return done();
}
