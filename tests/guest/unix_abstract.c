// SPDX-License-Identifier: MIT
// Abstract names: any bytes, no node, free again with the last close, autobind, exact lengths.
// covers: bind, connect, getsockname, accept, sendto, recvfrom
#include "sock.h"

int main(void)
{
    char name[128] = "@lxrun-guest-test-", binary[40];
    struct sockaddr_un addr;
    socklen_t len;
    int srv, cli, fd;

    // A name of this process, so that tests can run side by side.
    sprintf(name + strlen(name), "%d", getpid());
    srv = unix_listen(name, SOCK_STREAM);
    unix_name_is(srv, name);
    cli = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(unix_connect(cli, name), 0);
    unix_peer_is(cli, name);
    CHECK_EQ(close(OK(accept(srv, NULL, NULL))), 0);
    fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERR(unix_bind(fd, name), EADDRINUSE);
    // One byte more or less is another name.
    strcat(name, "x");
    CHECK_ERR(unix_connect(fd, name), ECONNREFUSED);
    CHECK_EQ(unix_bind(fd, name), 0);
    name[strlen(name) - 1] = 0;
    CHECK_EQ(close(srv), 0);
    CHECK_ERR(unix_connect(cli = OK(socket(AF_UNIX, SOCK_STREAM, 0)), name), ECONNREFUSED);
    CHECK_EQ(unix_bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), name), 0);

    // NUL bytes count like any other.
    memset(&addr, 0, sizeof(addr));
    addr.sun_family = AF_UNIX;
    snprintf(binary, sizeof(binary), "\xff%d", getpid());
    memcpy(addr.sun_path + 2, binary, strlen(binary));
    len = 2 + 2 + strlen(binary) + 3;
    fd = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, len), 0);
    cli = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_ERR(connect(cli, (struct sockaddr *)&addr, len - 1), ECONNREFUSED);
    CHECK_EQ(connect(cli, (struct sockaddr *)&addr, len), 0);

    // Autobind: the kernel chooses five hex digits.
    memset(&addr, 0, sizeof(addr));
    addr.sun_family = AF_UNIX;
    CHECK_EQ(bind(cli, (struct sockaddr *)&addr, 2), 0);
    len = sizeof(addr);
    CHECK_EQ(getsockname(cli, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(len, 2 + 6);
    CHECK_EQ(addr.sun_path[0], 0);
    CHECK_EQ(strspn(addr.sun_path + 1, "0123456789abcdef"), 5);
    CHECK_EQ(send(cli, "from", 4, 0), 4);
    struct sockaddr_un from;
    socklen_t fromlen = sizeof(from);
    char text[8];
    CHECK_EQ(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &fromlen), 4);
    CHECK_EQ(fromlen, 8);
    CHECK(memcmp(&from, &addr, 8) == 0);
    CHECK_EQ(sendto(fd, "back", 4, 0, (struct sockaddr *)&from, fromlen), 4);
    says(cli, "back");
    return done();
}
