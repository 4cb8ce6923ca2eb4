// SPDX-License-Identifier: MIT
// UDP over loopback: source address, reply, connected sockets, truncation, refused by ICMP.
// covers: socket, bind, sendto, recvfrom, connect, sendmsg, recvmsg
#include "sock.h"
#include <poll.h>

int main(void)
{
    int a = inet_bound(SOCK_DGRAM), b = inet_bound(SOCK_DGRAM), c;
    struct sockaddr_in to = inet_addr_of(inet_port(b)), from;
    socklen_t len = sizeof(from);
    char text[16] = "";
    struct iovec iov = {text, 3};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct pollfd pfd;

    CHECK_EQ(sendto(a, "ping", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
    CHECK_EQ(recvfrom(b, text, sizeof(text), 0, (struct sockaddr *)&from, &len), 4);
    CHECK_STR(text, "ping");
    CHECK_EQ(len, sizeof(from));
    CHECK_EQ(ntohs(from.sin_port), inet_port(a));
    CHECK_EQ(sendto(b, "pong", 4, 0, (struct sockaddr *)&from, len), 4);
    says(a, "pong");

    CHECK_EQ(inet_connect(a, inet_port(b)), 0);
    CHECK_EQ(send(a, "connected", 9, 0), 9);
    CHECK_EQ(recvmsg(b, &msg, 0), 3);
    CHECK_EQ(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
    CHECK(memcmp(text, "con", 3) == 0);
    // A connected socket hears only its peer.
    c = inet_bound(SOCK_DGRAM);
    to = inet_addr_of(inet_port(a));
    CHECK_EQ(sendto(c, "stranger", 8, 0, (struct sockaddr *)&to, sizeof(to)), 8);
    CHECK_ERR(recv(a, text, sizeof(text), MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(b, "x", 1, 0), -1);
    CHECK_EQ(errno, EDESTADDRREQ);

    // Nobody at the port: the error comes with the next call.
    CHECK_EQ(close(b), 0);
    CHECK_EQ(send(a, "x", 1, 0), 1);
    pfd = (struct pollfd){.fd = a, .events = POLLIN};
    CHECK_EQ(poll(&pfd, 1, -1), 1);
    CHECK(pfd.revents & POLLERR);
    CHECK_ERR(recv(a, text, sizeof(text), 0), ECONNREFUSED);
    return done();
}
