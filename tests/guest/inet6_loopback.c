// SPDX-License-Identifier: MIT
// ::1 works as 127.0.0.1 does, and a v6 listener takes v4 clients as mapped addresses.
// covers: socket, bind, listen, accept, connect, setsockopt
#include "sock.h"

int main(void)
{
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    socklen_t len = sizeof(addr);
    int srv = socket(AF_INET6, SOCK_STREAM, 0), cli, con, off = 0;

    if (srv < 0) { // a host without IPv6 has none in the guest either
        CHECK_EQ(errno, EAFNOSUPPORT);
        printf("no IPv6\n");
        return done();
    }
    CHECK_EQ(setsockopt(srv, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
    CHECK_EQ(bind(srv, (struct sockaddr *)&addr, sizeof(addr)), 0);
    CHECK_EQ(listen(srv, 5), 0);
    CHECK_EQ(getsockname(srv, (struct sockaddr *)&addr, &len), 0);
    cli = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_EQ(inet_connect(cli, ntohs(addr.sin6_port)), 0);
    struct sockaddr_in6 from;
    len = sizeof(from);
    con = OK(accept(srv, (struct sockaddr *)&from, &len));
    CHECK_EQ(len, sizeof(from));
    CHECK(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    CHECK_EQ(send(con, "mapped", 6, 0), 6);
    says(cli, "mapped");

    cli = OK(socket(AF_INET6, SOCK_STREAM, 0));
    addr.sin6_addr = in6addr_loopback;
    if (connect(cli, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        CHECK_EQ(errno, EADDRNOTAVAIL);
        printf("no ::1\n");
        return done();
    }
    con = OK(accept(srv, (struct sockaddr *)&from, &len));
    CHECK(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr));
    CHECK_EQ(send(cli, "six", 3, 0), 3);
    says(con, "six");
    return done();
}
