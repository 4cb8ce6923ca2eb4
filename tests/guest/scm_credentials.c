// SPDX-License-Identifier: MIT
// SO_PEERCRED, SO_PASSCRED and SCM_CREDENTIALS tell the peer's pid and ids as the guest knows
// them.
// covers: getsockopt, setsockopt, sendmsg, recvmsg, connect
#include "scm.h"

static int peer_of(int fd, struct ucred *cred)
{
    socklen_t len = sizeof(*cred);

    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len), 0);
    return len;
}

static void is_me(struct ucred cred)
{
    CHECK_EQ(cred.pid, getpid());
    CHECK_EQ(cred.uid, geteuid());
    CHECK_EQ(cred.gid, getegid());
}

int main(void)
{
    struct ucred cred, me = {getpid(), getuid(), getgid()};
    int s[2], srv, fd, con, on = 1;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(peer_of(s[0], &cred), sizeof(cred));
    is_me(cred);
    CHECK_EQ(peer_of(OK(socket(AF_UNIX, SOCK_STREAM, 0)), &cred), sizeof(cred));
    CHECK_EQ(cred.pid, 0);
    CHECK_EQ(cred.uid, -1u);

    CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    CHECK_EQ(send(s[0], "x", 1, 0), 1);
    is_me(recv_cred(s[1]));
    CHECK_EQ(send_cred(s[0], me), 1);
    is_me(recv_cred(s[1]));

    // The listener's are those of listen(), the client's those of connect().
    srv = unix_listen("s", SOCK_STREAM);
    pid_t pid = fork();
    if (pid == 0) {
        fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK_EQ(unix_connect(fd, "s"), 0);
        peer_of(fd, &cred);
        CHECK_EQ(cred.pid, getppid());
        CHECK_EQ(send(s[0], "x", 1, 0), 1);
        says(fd, "end");
        _exit(0);
    }
    con = OK(accept(srv, NULL, NULL));
    peer_of(con, &cred);
    CHECK_EQ(cred.pid, pid);
    CHECK_EQ(cred.uid, geteuid());
    CHECK_EQ(recv_cred(s[1]).pid, pid);
    CHECK_EQ(send(con, "end", 3, 0), 3);
    wait_ok(pid);
    return done();
}
