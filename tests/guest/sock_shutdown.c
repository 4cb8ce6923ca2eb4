// SPDX-License-Identifier: MIT
// shutdown closes one direction for both ends; SIGPIPE or EPIPE for the writer, end of file for
// the reader.
// covers: shutdown, socketpair, sendto, recvfrom
#include "sock.h"

int main(void)
{
    char c;
    int s[2], status;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(send(s[0], "before", 6, 0), 6);
    CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
    CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    says(s[1], "before");
    says(s[1], "");
    CHECK_EQ(send(s[1], "other way", 9, 0), 9);
    says(s[0], "other way");
    CHECK_EQ(shutdown(s[0], SHUT_RD), 0);
    says(s[0], "");
    CHECK_ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    pid_t pid = fork();
    if (pid == 0) {
        send(s[1], "x", 1, 0);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);

    // A reader that waits is woken.
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(recv(s[1], &c, 1, 0), 0);
        _exit(0);
    }
    CHECK_EQ(shutdown(s[1], SHUT_RDWR), 0);
    wait_ok(pid);
    CHECK_ERR(shutdown(s[0], 3), EINVAL);
    CHECK_ERR(shutdown(OK(socket(AF_INET, SOCK_STREAM, 0)), SHUT_RD), ENOTCONN);
    CHECK_ERR(shutdown(0, SHUT_RD), ENOTSOCK);
    CHECK_ERR(shutdown(99, SHUT_RD), EBADF);
    return done();
}
