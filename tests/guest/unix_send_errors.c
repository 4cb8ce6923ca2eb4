// SPDX-License-Identifier: MIT
// What else is wrong with a message is said before that its address leads to no socket; and who is
// connected for good asks for none.
// covers: sendto, sendmsg, shutdown
#include "check.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static long send_named(int fd, const char *path, int flags)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    strcpy(a.sun_path, path);
    return sendto(fd, "x", 1, flags | MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof a);
}

int main(void)
{
    int dgram = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), stream = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    const char *paths[] = {"missing", "file", "file/x", "missing/x"};
    const int errors[] = {ENOENT, ECONNREFUSED, ENOTDIR, ENOENT};
    int pair[2];
    char c;

    put_file("file", "");
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_ERR(send_named(dgram, paths[i], 0), errors[i]);
        CHECK_ERR(send_named(dgram, paths[i], MSG_OOB), EOPNOTSUPP);
        CHECK_ERR(send_named(stream, paths[i], 0), EOPNOTSUPP);
        CHECK_EQ(send_named(pair[0], paths[i], 0), 1);
        CHECK_EQ(recv(pair[1], &c, 1, MSG_DONTWAIT), 1);
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        strcpy(a.sun_path, paths[i]);
        struct {
            struct cmsghdr h;
            long data;
        } bad = {{.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = 77}, 0};
        struct msghdr m = {.msg_name = &a,
                           .msg_namelen = sizeof a,
                           .msg_control = &bad,
                           .msg_controllen = sizeof bad};
        CHECK_ERR(sendmsg(dgram, &m, 0), EINVAL);
        CHECK_ERR(connect(dgram, (struct sockaddr *)&a, sizeof a), errors[i]);
        CHECK_ERR(connect(stream, (struct sockaddr *)&a, sizeof a), errors[i]);
    }
    CHECK_EQ(shutdown(dgram, SHUT_WR), 0);
    CHECK_ERR(send_named(dgram, "missing", 0), EPIPE);
    return done();
}
