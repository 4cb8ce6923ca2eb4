// SPDX-License-Identifier: MIT
// Names stay right however many sockets are bound one after another: a socket that lives through it
// all, its accepted one, and each new one tell the name that they were bound to.
// covers: bind, getsockname, getpeername, accept
// timeout: 60
#include "sock.h"

static void named(int fd, int peer, const char *want)
{
    struct sockaddr_un a;
    socklen_t len = sizeof(a);

    memset(&a, 0, sizeof(a));
    if (peer)
        CHECK_EQ(getpeername(fd, (void *)&a, &len), 0);
    else
        CHECK_EQ(getsockname(fd, (void *)&a, &len), 0);
    CHECK_EQ(len, offsetof(struct sockaddr_un, sun_path) + strlen(want) + 1);
    CHECK_STR(a.sun_path, want);
}

int main(void)
{
    int srv = unix_listen("first", SOCK_STREAM), con, acc;
    char name[32];

    con = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(unix_connect(con, "first"), 0);
    acc = OK(accept(srv, NULL, NULL));
    CHECK_EQ(close(srv), 0);
    for (int i = 0; i < 10000; i++) {
        int fd = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

        snprintf(name, sizeof(name), "s%d", i);
        CHECK_EQ(unix_bind(fd, name), 0);
        if (i % 100 == 0)
            named(fd, 0, name);
        CHECK_EQ(unlink(name), 0);
        CHECK_EQ(close(fd), 0);
    }
    named(acc, 0, "first");
    named(con, 1, "first");
    return done();
}
