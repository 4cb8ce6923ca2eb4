// SPDX-License-Identifier: MIT
// MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, SO_PEEK_OFF, FIONREAD and iovecs on sockets.
// covers: socketpair, recvfrom, recvmsg, sendto, sendmsg, ioctl, getsockopt, setsockopt
#include "sock.h"
#include <sys/ioctl.h>

int main(void)
{
    char text[16] = "";
    int s[2], d[2], n, off = 0;
    socklen_t len = sizeof(n);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, d), 0);
    CHECK_EQ(fcntl(s[1], F_GETFD), FD_CLOEXEC);
    CHECK_ERR(recv(s[0], text, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(s[1], "abcdef", 6, 0), 6);
    CHECK_EQ(recv(s[0], text, 3, MSG_PEEK), 3);
    CHECK_STR(text, "abc");
    CHECK_EQ(ioctl(s[0], FIONREAD, &n), 0);
    CHECK_EQ(n, 6);
    CHECK_EQ(recv(s[0], text, 2, 0), 2);
    CHECK_EQ(recv(s[0], text, 16, MSG_PEEK), 4);
    CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)), 0);
    CHECK_EQ(recv(s[0], text, 1, MSG_PEEK), 1);
    CHECK_EQ(recv(s[0], text, 1, MSG_PEEK), 1);
    CHECK_EQ(text[0], 'd');
    CHECK_EQ(recv(s[0], text, 16, 0), 4);

    // MSG_WAITALL waits for both halves.
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(send(s[1], "first", 5, 0), 5);
        CHECK_EQ(send(s[1], "second", 6, 0), 6);
        _exit(0);
    }
    CHECK_EQ(recv(s[0], text, 11, MSG_WAITALL), 11);
    CHECK(memcmp(text, "firstsecond", 11) == 0);
    wait_ok(pid);

    CHECK_EQ(send(d[1], "datagram", 8, 0), 8);
    CHECK_EQ(recv(d[0], text, 4, MSG_PEEK | MSG_TRUNC), 8);
    CHECK_EQ(recv(d[0], NULL, 0, MSG_TRUNC), 8);
    CHECK_ERR(recv(d[0], text, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(recv(d[0], text, 1, MSG_OOB), EOPNOTSUPP);

    CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &n, &len), 0);
    CHECK_EQ(n, SOCK_STREAM);
    CHECK_EQ(getsockopt(d[0], SOL_SOCKET, SO_DOMAIN, &n, &len), 0);
    CHECK_EQ(n, AF_UNIX);
    CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &n, &len), 0);
    CHECK_EQ(n, 0);
    CHECK_ERR(getsockopt(s[0], SOL_SOCKET, 9999, &n, &len), ENOPROTOOPT);
    CHECK_ERR(getsockopt(0, SOL_SOCKET, SO_TYPE, &n, &len), ENOTSOCK);
    CHECK_ERR(send(s[0], bad_ptr, 1, 0), EFAULT);
    CHECK_ERR(recv(99, text, 1, 0), EBADF);
    CHECK_ERR(recv(0, text, 1, 0), ENOTSOCK);
    return done();
}
