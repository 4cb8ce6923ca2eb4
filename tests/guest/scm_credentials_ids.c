// SPDX-License-Identifier: MIT
// Credentials of other users: a peer that changed its ids shows the new ones, only root may send
// others' ids, an ordinary user only his own three.
// covers: getsockopt, sendmsg, recvmsg, setresuid
// needs: root
#include "scm.h"

int main(void)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    int s[2], srv, con, on = 1;

    CHECK_EQ(chmod(".", 0755), 0);
    srv = unix_listen("s", SOCK_STREAM);
    CHECK_EQ(chmod("s", 0777), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    CHECK_EQ(send_cred(s[0], (struct ucred){getpid(), 77, 88}), 1);
    cred = recv_cred(s[1]);
    CHECK_EQ(cred.uid, 77);
    CHECK_EQ(cred.gid, 88);

    pid_t pid = fork();
    if (pid == 0) {
        become(1000, 2000);
        int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK_EQ(unix_connect(fd, "s"), 0);
        CHECK_ERR(send_cred(s[0], (struct ucred){getpid(), 0, 2000}), EPERM);
        CHECK_ERR(send_cred(s[0], (struct ucred){getpid(), 1000, 0}), EPERM);
        CHECK_ERR(send_cred(s[0], (struct ucred){getppid(), 1000, 2000}), EPERM);
        CHECK_ERR(send_cred(99, (struct ucred){getpid(), 0, 2000}), EBADF);
        int packet[2], alone = OK(socket(AF_UNIX, SOCK_SEQPACKET, 0));
        CHECK_ERR(send_cred(alone, (struct ucred){getpid(), 0, 2000}), ENOTCONN);
        CHECK_ERR(send_cred(alone, (struct ucred){getppid(), 1000, 2000}), ENOTCONN);
        CHECK_ERR(send_cred(alone, (struct ucred){getpid(), -1u, 2000}), ENOTCONN);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packet), 0);
        CHECK_ERR(send_cred(packet[0], (struct ucred){getpid(), 0, 2000}), EPERM);
        CHECK_ERR(send_cred(OK(socket(AF_INET, SOCK_STREAM, 0)), (struct ucred){getpid(), 0, 2000}),
                  EPIPE);
        // A port that is the administrator's, after what is wrong with socket and address.
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1)};
        int inet = OK(socket(AF_INET, SOCK_STREAM, 0));
        CHECK_ERR(bind(inet, (struct sockaddr *)&in, sizeof in), EACCES);
        CHECK_ERR(bind(inet, (struct sockaddr *)&in, 15), EINVAL);
        CHECK_ERR(bind(s[0], (struct sockaddr *)&in, sizeof in), EINVAL);
        CHECK_ERR(bind(99, (struct sockaddr *)&in, sizeof in), EBADF);
        in.sin_family = AF_UNSPEC;
        CHECK_ERR(bind(inet, (struct sockaddr *)&in, sizeof in), EACCES);
        CHECK_EQ(send_cred(s[0], (struct ucred){getpid(), 1000, 2000}), 1);
        CHECK_EQ(send(s[0], "x", 1, 0), 1);
        says(fd, "end");
        _exit(0);
    }
    con = OK(accept(srv, NULL, NULL));
    CHECK_EQ(getsockopt(con, SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
    CHECK_EQ(cred.uid, 1000);
    CHECK_EQ(cred.gid, 2000);
    for (int i = 0; i < 2; i++) {
        cred = recv_cred(s[1]);
        CHECK_EQ(cred.pid, pid);
        CHECK_EQ(cred.uid, 1000);
        CHECK_EQ(cred.gid, 2000);
    }
    CHECK_EQ(send(con, "end", 3, 0), 3);
    wait_ok(pid);
    return done();
}
