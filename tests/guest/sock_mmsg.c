// SPDX-License-Identifier: MIT
// sendmmsg and recvmmsg: several messages in one call, counts and partial success.
// covers: sendmmsg, recvmmsg
#include "sock.h"

int main(void)
{
    char text[4][8] = {0};
    struct iovec out[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}}, in[4];
    struct mmsghdr msgs[4] = {0};
    struct timespec zero = {0, 0};
    int d[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, d), 0);
    for (int i = 0; i < 3; i++)
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    CHECK_EQ(sendmmsg(d[0], msgs, 3, 0), 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(msgs[i].msg_len, i + 1);

    for (int i = 0; i < 4; i++) {
        in[i] = (struct iovec){text[i], 8};
        msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &in[i], .msg_iovlen = 1}};
    }
    CHECK_EQ(recvmmsg(d[1], msgs, 2, 0, NULL), 2);
    CHECK_STR(text[0], "a");
    CHECK_STR(text[1], "bb");
    CHECK_EQ(msgs[1].msg_len, 2);
    // More asked than there is: with MSG_WAITFORONE or DONTWAIT what there is.
    CHECK_EQ(recvmmsg(d[1], msgs, 4, MSG_WAITFORONE, NULL), 1);
    CHECK_STR(text[0], "ccc");
    CHECK_ERR(recvmmsg(d[1], msgs, 4, MSG_DONTWAIT, &zero), EAGAIN);
    zero.tv_nsec = -1;
    CHECK_ERR(recvmmsg(d[1], msgs, 4, 0, &zero), EINVAL);

    // The first failure ends it; it is an error only if nothing went before.
    for (int i = 0; i < 3; i++)
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    msgs[1].msg_hdr.msg_iov = bad_ptr;
    CHECK_EQ(sendmmsg(d[0], msgs, 3, 0), 1);
    CHECK_ERR(sendmmsg(d[0], msgs + 1, 2, 0), EFAULT);
    says(d[1], "a");
    CHECK_EQ(sendmmsg(d[0], msgs, 0, 0), 0);
    CHECK_ERR(recvmmsg(0, msgs, 1, 0, NULL), ENOTSOCK);
    return done();
}
