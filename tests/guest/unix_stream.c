// SPDX-License-Identifier: MIT
// A stream socket at a path: bind makes the node, connect finds it, both ends have the guest's
// names, data flows both ways.
// covers: socket, bind, listen, accept, connect, getsockname, getpeername, sendto, recvfrom
#include "sock.h"

int main(void)
{
    struct sockaddr_un addr;
    socklen_t len = sizeof(addr);
    int srv, cli, con;

    umask(022);
    srv = unix_listen("sock", SOCK_STREAM);
    CHECK_EQ(stat_of("sock").st_mode, S_IFSOCK | 0755);
    unix_name_is(srv, "sock");
    cli = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(unix_connect(cli, "./sock"), 0);
    con = OK(accept(srv, (struct sockaddr *)&addr, &len));
    CHECK_EQ(len, 2); // the client has no name
    CHECK_EQ(addr.sun_family, AF_UNIX);
    unix_name_is(con, "sock");
    unix_peer_is(cli, "sock"); // as bound, not as connected
    len = sizeof(addr);
    CHECK_EQ(getpeername(con, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(len, 2);

    CHECK_EQ(send(cli, "to server", 9, 0), 9);
    says(con, "to server");
    CHECK_EQ(write(con, "to client", 9), 9);
    says(cli, "to client");
    // A bound client shows its name.
    cli = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(unix_bind(cli, "client"), 0);
    CHECK_EQ(unix_connect(cli, "sock"), 0);
    len = sizeof(addr);
    con = OK(accept(srv, (struct sockaddr *)&addr, &len));
    unix_is(&addr, len, "client");
    unix_peer_is(con, "client");

    // The node can move and go; names stay what was bound.
    CHECK_EQ(rename("sock", "moved"), 0);
    CHECK_ERR(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "sock"), ENOENT);
    CHECK_EQ(symlink("moved", "link"), 0);
    cli = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(unix_connect(cli, "link"), 0);
    unix_peer_is(cli, "sock");
    con = OK(accept(srv, NULL, NULL));
    CHECK_EQ(unlink("moved"), 0);
    CHECK_EQ(send(con, "still", 5, 0), 5);
    says(cli, "still");
    CHECK_EQ(close(con), 0);
    says(cli, "");
    return done();
}
