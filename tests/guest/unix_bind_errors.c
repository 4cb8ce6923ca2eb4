// SPDX-License-Identifier: MIT
// The errors of bind and connect on paths: in use, missing, refused, wrong kind, and binding
// again after unlink.
// covers: bind, connect, listen, accept, unlink
#include "sock.h"

int main(void)
{
    struct sockaddr_un addr;
    int fd, srv;

    put_file("file", "");
    CHECK_EQ(mkdir("d", 0755) | symlink("missing", "dead"), 0);
    srv = unix_listen("s", SOCK_STREAM);
    fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERR(unix_bind(fd, "s"), EADDRINUSE);
    CHECK_ERR(unix_bind(fd, "file"), EADDRINUSE);
    CHECK_ERR(unix_bind(fd, "d"), EADDRINUSE);
    CHECK_ERR(unix_bind(fd, "dead"), EADDRINUSE);
    CHECK_ERR(unix_bind(fd, "missing/s"), ENOENT);
    CHECK_ERR(unix_bind(fd, "file/s"), ENOTDIR);
    CHECK_ERR(unix_connect(fd, "missing"), ENOENT);
    CHECK_ERR(unix_connect(fd, "dead"), ENOENT);
    CHECK_ERR(unix_connect(fd, "file"), ECONNREFUSED);
    CHECK_ERR(unix_connect(fd, "d"), ECONNREFUSED);
    CHECK_ERR(unix_connect(fd, "file/s"), ENOTDIR);
    CHECK_ERR(unix_connect(OK(socket(AF_UNIX, SOCK_DGRAM, 0)), "s"), EPROTOTYPE);
    CHECK_ERR(listen(fd, 1), EINVAL); // not bound
    CHECK_ERR(accept(fd, NULL, NULL), EINVAL);
    CHECK_EQ(unix_bind(fd, "d/s"), 0);
    CHECK_ERR(unix_bind(fd, "d/t"), EINVAL);
    CHECK_ERR(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "d/s"), ECONNREFUSED);
    CHECK_ERR(unix_connect(fd, "d/s"), ECONNREFUSED);

    // A server that is gone leaves its node; only unlink makes the name free.
    CHECK_EQ(close(srv), 0);
    CHECK(S_ISSOCK(stat_of("s").st_mode));
    CHECK_ERR(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "s"), ECONNREFUSED);
    CHECK_ERR(unix_bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "s"), EADDRINUSE);
    CHECK_EQ(unlink("s"), 0);
    srv = unix_listen("s", SOCK_STREAM);
    CHECK_EQ(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "s"), 0);

    addr.sun_family = AF_INET;
    CHECK_ERR(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, 10), EINVAL);
    CHECK_ERR(bind(fd, (void *)&addr, 0), EINVAL);
    CHECK_ERR(bind(fd, (void *)&addr, 200), EINVAL);
    CHECK_ERR(connect(fd, bad_ptr, 20), EFAULT);
    CHECK_ERR(bind(0, (void *)&addr, 20), ENOTSOCK);
    CHECK_ERR(connect(99, (void *)&addr, 20), EBADF);
    return done();
}
