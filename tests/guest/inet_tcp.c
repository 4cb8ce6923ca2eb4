// SPDX-License-Identifier: MIT
// TCP over loopback: ports, addresses of both ends, data, half close, refused and reused ports,
// non-blocking connect.
// covers: socket, bind, listen, accept4, connect, getsockname, getpeername, shutdown, getsockopt
#include "sock.h"
#include <netinet/tcp.h>
#include <poll.h>

int main(void)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof(addr);
    struct pollfd pfd;
    int srv, cli, con, port, err, on = 1;

    srv = inet_bound(SOCK_STREAM);
    port = inet_port(srv);
    CHECK(port > 0);
    cli = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_ERR(inet_connect(cli, port), ECONNREFUSED);
    CHECK_EQ(listen(srv, 5), 0);
    CHECK_EQ(inet_connect(cli, port), 0);
    con = OK(accept4(srv, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC));
    CHECK_EQ(fcntl(con, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(len, sizeof(addr));
    CHECK_EQ(ntohs(addr.sin_port), inet_port(cli));
    CHECK_EQ(getpeername(cli, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(ntohs(addr.sin_port), port);
    CHECK_EQ(inet_port(con), port);

    CHECK_EQ(setsockopt(cli, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    CHECK_EQ(send(cli, "request", 7, 0), 7);
    says(con, "request");
    CHECK_EQ(shutdown(cli, SHUT_WR), 0);
    says(con, "");
    CHECK_EQ(send(con, "answer", 6, 0), 6);
    says(cli, "answer");
    CHECK_EQ(close(con), 0);
    says(cli, "");

    CHECK_ERR(inet_connect(cli, port), EISCONN);
    addr = inet_addr_of(port);
    con = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_ERR(bind(con, (struct sockaddr *)&addr, sizeof(addr)), EADDRINUSE);
    CHECK_ERR(bind(con, (struct sockaddr *)&addr, 4), EINVAL);
    addr.sin_addr.s_addr = htonl(0xc0000201); // 192.0.2.1, nobody's
    CHECK_ERR(bind(con, (struct sockaddr *)&addr, sizeof(addr)), EADDRNOTAVAIL);
    CHECK_ERR(getpeername(con, (struct sockaddr *)&addr, &len), ENOTCONN);

    cli = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    if (inet_connect(cli, port) != 0)
        CHECK_EQ(errno, EINPROGRESS);
    pfd = (struct pollfd){.fd = cli, .events = POLLOUT};
    CHECK_EQ(poll(&pfd, 1, -1), 1);
    CHECK_EQ(pfd.revents, POLLOUT);
    len = sizeof(err);
    CHECK_EQ(getsockopt(cli, SOL_SOCKET, SO_ERROR, &err, &len), 0);
    CHECK_EQ(err, 0);
    return done();
}
