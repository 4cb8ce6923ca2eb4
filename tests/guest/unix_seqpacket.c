// SPDX-License-Identifier: MIT
// SOCK_SEQPACKET over a path: connected, boundaries kept, MSG_EOR in, end of file by close.
// covers: socket, bind, connect, accept4, sendmsg, recvmsg
#include "sock.h"

int main(void)
{
    char a[4] = "", b[8] = "";
    struct iovec in[] = {{a, 3}, {b, 8}}, out[] = {{"12", 2}, {"345", 3}};
    struct msghdr msg = {.msg_iov = out, .msg_iovlen = 2};
    int srv = unix_listen("s", SOCK_SEQPACKET), cli, con;

    cli = OK(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    CHECK_EQ(fcntl(cli, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(cli, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_ERR(sendmsg(cli, &msg, 0), ENOTCONN);
    CHECK_EQ(unix_connect(cli, "s"), 0);
    con = OK(accept4(srv, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    CHECK_EQ(fcntl(con, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(con, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_ERR(accept4(srv, NULL, NULL, 1), EINVAL);

    CHECK_EQ(sendmsg(cli, &msg, 0), 5);
    CHECK_EQ(send(cli, "next", 4, 0), 4);
    msg = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
    CHECK_EQ(recvmsg(con, &msg, 0), 5);
    CHECK(memcmp(a, "123", 3) == 0 && memcmp(b, "45", 2) == 0);
    CHECK_EQ(msg.msg_flags & MSG_TRUNC, 0);
    msg.msg_iovlen = 1;
    CHECK_EQ(recvmsg(con, &msg, 0), 3);
    CHECK_EQ(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
    CHECK_ERR(recv(con, a, 1, 0), EAGAIN);
    CHECK_EQ(close(cli), 0);
    CHECK_EQ(recv(con, a, 1, 0), 0);
    CHECK_ERR(send(con, "x", 1, MSG_NOSIGNAL), EPIPE);
    return done();
}
