// SPDX-License-Identifier: MIT
// SCM_RIGHTS at its edges: 253 descriptors in a message and no more, a full table cuts, MSG_PEEK
// gives copies, a socket can travel through itself.
// covers: sendmsg, recvmsg, setrlimit
#include "scm.h"
#include <sys/resource.h>

int main(void)
{
    int s[2], fds[300], got[300], flags;
    struct rlimit lim = {40, 40};

    closefrom(3);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    for (int i = 0; i < 300; i++)
        fds[i] = s[0];
    CHECK_ERR(send_fds(s[0], fds, 254), EINVAL);
    CHECK_EQ(send_fds(s[0], fds, 253), 1);
    CHECK_EQ(recv_fds(s[1], got, 253, 0, &flags), 253);
    for (int i = 0; i < 253; i++)
        CHECK_EQ(got[i], 5 + i);
    CHECK_EQ(close_range(5, ~0u, 0), 0);

    CHECK_EQ(send_fds(s[0], &s[1], 1), 1);
    CHECK_EQ(recv_fds(s[1], got, 1, MSG_PEEK, &flags), 1);
    CHECK_EQ(got[0], 5);
    CHECK_EQ(recv_fds(s[1], got, 1, 0, &flags), 1);
    CHECK_EQ(got[0], 6);
    CHECK_EQ(send(s[0], "y", 1, 0), 1);
    says(5, "y");
    CHECK_EQ(close_range(5, ~0u, 0), 0);

    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_EQ(send_fds(s[0], fds, 50), 1);
    CHECK_EQ(recv_fds(s[1], got, 50, 0, &flags), 35);
    CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
    CHECK_EQ(got[34], 39);
    CHECK_ERR(dup(0), EMFILE);
    // Messages nobody takes go with the last close.
    CHECK_EQ(close(20), 0);
    CHECK_EQ(send_fds(s[0], fds, 1), 1);
    CHECK_EQ(close_range(3, 39, 0), 0);
    CHECK_EQ(dup(0), 3);
    return done();
}
