// SPDX-License-Identifier: MIT
// socket and socketpair: types with flags, protocols, what is refused, stat of a socket.
// covers: socket, socketpair, fstat, getsockopt
#include "sock.h"

int main(void)
{
    struct stat st;
    int s[2], fd, on = 1;
    socklen_t len;

    fd = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode, S_IFSOCK | 0777);
    CHECK_EQ(st.st_uid, geteuid());
    CHECK_ERR(lseek(fd, 0, SEEK_SET), ESPIPE);
    CHECK_ERR(read(fd, &on, 1), EINVAL);
    CHECK_ERR(fsync(fd), EINVAL);
    close(OK(socket(AF_UNIX, SOCK_RAW, 0))); // becomes a datagram socket
    close(OK(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)));
    close(OK(socket(AF_INET, SOCK_DGRAM, 0)));
    CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(200, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM | 1 << 20, 0), EINVAL);
    CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad_ptr), EFAULT);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, AF_UNIX, s), 0);
    CHECK_EQ(fcntl(s[1], F_GETFL), O_RDWR | O_NONBLOCK);
    fd = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    on = 0, len = sizeof(on);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &len), 0);
    CHECK_EQ(on, 1);
    len = 2;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &on, &len), 0);
    CHECK_EQ(len, 2);
    CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, bad_ptr, 4), EFAULT);
    CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, 1), EINVAL);
    return done();
}
