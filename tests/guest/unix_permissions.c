// SPDX-License-Identifier: MIT
// Connecting to a path needs write permission on the node and search along the way; fchmod of
// the unbound socket and umask decide its mode.
// covers: bind, connect, sendto, chmod, chown
// needs: root
#include "sock.h"

int main(void)
{
    int srv, dgram;

    CHECK_EQ(chmod(".", 0755), 0);
    umask(077);
    srv = unix_listen("s", SOCK_STREAM);
    dgram = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_EQ(unix_bind(dgram, "g"), 0);
    CHECK_EQ(mode_of("s"), 0700);
    for (int mode = 0; mode < 8; mode++) {
        CHECK_EQ(chmod("s", mode), 0);
        CHECK_EQ(chmod("g", mode), 0);
        pid_t pid = fork();
        if (pid == 0) {
            int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0)), d = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

            become(1000, 1000);
            if (mode & 2) {
                CHECK_EQ(unix_connect(fd, "s"), 0);
                CHECK_EQ(unix_connect(d, "g"), 0);
            } else {
                CHECK_ERR(unix_connect(fd, "s"), EACCES);
                CHECK_ERR(unix_connect(d, "g"), EACCES);
            }
            CHECK_ERR(unix_bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "new"), EACCES);
            _exit(0);
        }
        wait_ok(pid);
    }
    // Root needs none.
    CHECK_EQ(chmod("s", 0), 0);
    CHECK_EQ(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "s"), 0);
    CHECK_EQ(chown("s", 1000, 1000), 0);
    CHECK_EQ(chmod("s", 0200), 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        CHECK_EQ(unix_connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), "s"), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(close(srv), 0);
    return done();
}
