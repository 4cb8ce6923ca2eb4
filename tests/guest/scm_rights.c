// SPDX-License-Identifier: MIT
// SCM_RIGHTS: open files travel with their offset, into lowest numbers, with or without
// close-on-exec; what does not fit is closed.
// covers: sendmsg, recvmsg, socketpair
#include "scm.h"

int main(void)
{
    int s[2], fds[3], got[8], flags, p[2];
    char text[8] = "";
    struct stat st;

    closefrom(3);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    put_file("f", "abcdef");
    fds[0] = OK(open("f", O_RDONLY | O_CLOEXEC));
    CHECK_EQ(lseek(fds[0], 2, SEEK_SET), 2);
    CHECK_EQ(pipe(p), 0);
    fds[1] = p[1], fds[2] = OK(dup(p[0]));
    CHECK_EQ(send_fds(s[0], fds, 3), 1);
    CHECK_EQ(close(fds[2]) | close(p[0]), 0);
    // They take the lowest free numbers in order.
    CHECK_EQ(recv_fds(s[1], got, 3, 0, &flags), 3);
    CHECK_EQ(flags & MSG_CTRUNC, 0);
    CHECK_EQ(got[0], p[0]);
    CHECK_EQ(got[1], fds[2]);
    CHECK_EQ(got[2], fds[2] + 1);
    CHECK_EQ(fcntl(got[0], F_GETFD), 0);
    CHECK_EQ(read(got[0], text, 2), 2);
    CHECK_STR(text, "cd");
    CHECK_EQ(lseek(fds[0], 0, SEEK_CUR), 4);
    CHECK_EQ(write(got[1], "pipe", 4), 4);
    CHECK_EQ(read(got[2], text, 4), 4);

    CHECK_EQ(send_fds(s[0], fds, 2), 1);
    CHECK_EQ(recv_fds(s[1], got, 2, MSG_CMSG_CLOEXEC, &flags), 2);
    CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(got[1], F_GETFD), FD_CLOEXEC);

    // Room for one of two; then for none.
    CHECK_EQ(send_fds(s[0], fds, 2), 1);
    CHECK_EQ(recv_fds(s[1], got, 1, 0, &flags), 1);
    CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
    CHECK_EQ(fcntl(got[0] + 1, F_GETFD), -1);
    CHECK_EQ(send_fds(s[0], fds, 1), 1);
    CHECK_EQ(recv_fds(s[1], got, 0, 0, &flags), 0);
    CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);

    // A file without a name and closed by its sender is still a file.
    fds[0] = OK(open("f", O_RDWR));
    CHECK_EQ(unlink("f"), 0);
    CHECK_EQ(send_fds(s[0], fds, 1), 1);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(recv_fds(s[1], got, 1, 0, NULL), 1);
    CHECK_EQ(fstat(got[0], &st), 0);
    CHECK_EQ(st.st_size, 6);
    fds[0] = 999;
    CHECK_ERR(send_fds(s[0], fds, 1), EBADF);
    fds[0] = -1;
    CHECK_ERR(send_fds(s[0], fds, 1), EBADF);
    return done();
}
