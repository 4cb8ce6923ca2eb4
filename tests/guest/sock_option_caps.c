// SPDX-License-Identifier: MIT
// Socket options and control messages that need CAP_NET_RAW or CAP_NET_ADMIN are refused to a user
// without them, also where the one who runs lxrun has them.
// covers: setsockopt, getsockopt, sendmsg
// needs: root
#include "sock.h"
#include <netinet/in.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static void set(int s, int level, int name, int value, int error)
{
    int r = setsockopt(s, level, name, &value, sizeof value);

    if (error)
        CHECK(r == -1 && errno == error);
    else
        CHECK_EQ(r, 0);
}

// One control message with a number.
static long send_with(int s, int type, int value)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } c = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, type}};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct iovec v = {"x", 1};
    struct msghdr m = {&to, sizeof to, &v, 1, &c, sizeof c, 0};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(CMSG_DATA(&c.head), &value, sizeof value);
    return sendmsg(s, &m, 0);
}

int main(void)
{
    int s, s6, u, v, n = sizeof v;
    char one = 1;

    become(1000, 1000);
    s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    u = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    set(s, SOL_SOCKET, SO_MARK, 0, EPERM);
    set(s, SOL_SOCKET, SO_MARK, 7, EPERM);
    set(u, SOL_SOCKET, SO_MARK, 7, EPERM);
    set(99, SOL_SOCKET, SO_MARK, 7, EBADF);
    set(0, SOL_SOCKET, SO_MARK, 7, ENOTSOCK);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_MARK, &one, 1), EINVAL);
    CHECK_ERR(syscall(SYS_setsockopt, s, SOL_SOCKET, SO_MARK, 8, 4), EFAULT);
    set(s, SOL_SOCKET, SO_PRIORITY, 6, 0);
    set(s, SOL_SOCKET, SO_PRIORITY, 7, EPERM);
    set(s, SOL_SOCKET, SO_PRIORITY, -1, EPERM);
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, (socklen_t *)&n), 0);
    CHECK_EQ(v, 6);
    set(s, IPPROTO_IP, IP_TRANSPARENT, 0, 0);
    set(s, IPPROTO_IP, IP_TRANSPARENT, 1, EPERM);
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_TRANSPARENT, &one, 1), EPERM);
    set(s, IPPROTO_IP, IP_TTL, 5, 0);
    if ((s6 = socket(AF_INET6, SOCK_DGRAM, 0)) >= 0) {
        set(s6, IPPROTO_IPV6, IPV6_TRANSPARENT, 0, 0);
        set(s6, IPPROTO_IPV6, IPV6_TRANSPARENT, 1, EPERM);
        set(s6, IPPROTO_IPV6, IPV6_HOPOPTS, 0, EPERM);
        set(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5, 0);
    }
    set(s, SOL_SOCKET, SO_BINDTOIFINDEX, 1, 0); // lo; nobody minds the first
    set(s, SOL_SOCKET, SO_BINDTOIFINDEX, 1, EPERM);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo\0", 4), EPERM);
    CHECK(send_with(s, SO_MARK, 0) == -1 && errno == EPERM);
    CHECK_EQ(write(1, "", 0), 0);
    return done();
}
