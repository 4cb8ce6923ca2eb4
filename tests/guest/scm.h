// SPDX-License-Identifier: MIT
// For the tests of ancillary data: descriptors in one message.
#ifndef GUEST_SCM_H
#define GUEST_SCM_H

#include "sock.h"

// Sends one byte with n descriptors.
static inline ssize_t send_fds(int sock, const int *fds, int n)
{
    static char control[CMSG_SPACE(300 * sizeof(int))] __attribute__((aligned(8)));
    struct iovec iov = {"x", 1};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = CMSG_SPACE(n * sizeof(int)),
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    return sendmsg(sock, &msg, 0);
}

// Takes one message with room for n descriptors; how many came, and the message's flags.
static inline int recv_fds(int sock, int *fds, int n, int flags, int *msg_flags)
{
    static char control[CMSG_SPACE(300 * sizeof(int))] __attribute__((aligned(8)));
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = n ? CMSG_LEN(n * sizeof(int)) : 0,
    };
    struct cmsghdr *c;
    int got;

    CHECK_EQ(OK(recvmsg(sock, &msg, flags)), 1);
    if (msg_flags)
        *msg_flags = msg.msg_flags;
    c = CMSG_FIRSTHDR(&msg);
    if (!c)
        return 0;
    CHECK_EQ(c->cmsg_level, SOL_SOCKET);
    CHECK_EQ(c->cmsg_type, SCM_RIGHTS);
    got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), got * sizeof(int));
    return got;
}

#endif
