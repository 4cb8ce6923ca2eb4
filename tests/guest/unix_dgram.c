// SPDX-License-Identifier: MIT
// Datagrams between paths: the source address is the sender's name as bound, a reply to it
// arrives, boundaries and truncation, connected pairs.
// covers: sendto, recvfrom, bind, connect, sendmsg, recvmsg
#include "sock.h"

int main(void)
{
    struct sockaddr_un addr, to;
    socklen_t len, tolen;
    char text[32] = "";
    int a, b, c;

    a = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    b = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(unix_bind(a, "a"), 0);
    CHECK_EQ(unix_bind(b, "d/b"), 0);
    tolen = unix_addr(&to, "d/../d/b");
    CHECK_EQ(sendto(a, "one", 3, 0, (struct sockaddr *)&to, tolen), 3);
    CHECK_EQ(sendto(a, "second", 6, 0, (struct sockaddr *)&to, tolen), 6);
    len = sizeof(addr);
    CHECK_EQ(recvfrom(b, text, sizeof(text), 0, (struct sockaddr *)&addr, &len), 3);
    CHECK_STR(text, "one");
    unix_is(&addr, len, "a");
    CHECK_EQ(sendto(b, "reply", 5, 0, (struct sockaddr *)&addr, len), 5);
    len = sizeof(addr);
    CHECK_EQ(recvfrom(a, text, sizeof(text), 0, (struct sockaddr *)&addr, &len), 5);
    unix_is(&addr, len, "d/b");
    CHECK_EQ(recv(b, text, 3, MSG_TRUNC), 6);
    CHECK(memcmp(text, "sec", 3) == 0);
    CHECK_ERR(recv(b, text, 3, MSG_DONTWAIT), EAGAIN);

    // A short buffer for the address: cut, with the full length told.
    CHECK_EQ(sendto(b, "x", 1, 0, (struct sockaddr *)&addr, unix_addr(&addr, "a")), 1);
    len = 4;
    memset(&addr, '#', sizeof(addr));
    CHECK_EQ(recvfrom(a, text, sizeof(text), 0, (struct sockaddr *)&addr, &len), 1);
    CHECK_EQ(len, 2 + 4);
    CHECK(memcmp(addr.sun_path, "d/#", 3) == 0);

    // An unbound sender has no name.
    c = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_ERR(send(c, "x", 1, 0), ENOTCONN);
    CHECK_EQ(unix_connect(c, "a"), 0);
    unix_peer_is(c, "a");
    CHECK_EQ(send(c, "", 0, 0), 0);
    len = sizeof(addr);
    CHECK_EQ(recvfrom(a, text, sizeof(text), 0, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(len, 0);

    // A connected receiver takes from its peer only.
    CHECK_EQ(unix_connect(a, "d/b"), 0);
    CHECK_ERR(send(c, "x", 1, 0), EPERM);
    addr.sun_family = AF_UNSPEC;
    CHECK_EQ(connect(a, (struct sockaddr *)&addr, 2), 0);
    CHECK_EQ(send(c, "x", 1, 0), 1);
    CHECK_EQ(close(a), 0);
    CHECK_ERR(send(c, "x", 1, 0), ECONNREFUSED);
    CHECK_EQ(unlink("d/b"), 0);
    CHECK_ERR(sendto(c, "x", 1, 0, (struct sockaddr *)&to, tolen), ENOENT);
    return done();
}
