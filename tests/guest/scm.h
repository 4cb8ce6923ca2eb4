// SPDX-License-Identifier: MIT
// For the tests of ancillary data: descriptors, or credentials, in one message.
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

// Sends one byte with credentials.
static inline ssize_t send_cred(int fd, struct ucred cred)
{
    char control[CMSG_SPACE(sizeof(cred))] __attribute__((aligned(8))) = {0};
    struct iovec iov = {"x", 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *c = (void *)control;

    msg.msg_control = control;
    msg.msg_controllen = sizeof(control);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(cred)), SOL_SOCKET, SCM_CREDENTIALS};
    memcpy(CMSG_DATA(c), &cred, sizeof(cred));
    return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

// Takes a message with credentials.
static inline struct ucred recv_cred(int fd)
{
    char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8))), byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct ucred cred;
    struct cmsghdr *c;

    msg.msg_control = control;
    msg.msg_controllen = sizeof(control);
    CHECK_EQ(OK(recvmsg(fd, &msg, 0)), 1);
    c = CMSG_FIRSTHDR(&msg);
    CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS);
    memcpy(&cred, CMSG_DATA(c), sizeof(cred));
    return cred;
}

#endif
