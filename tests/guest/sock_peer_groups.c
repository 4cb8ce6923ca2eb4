// SPDX-License-Identifier: MIT
// SO_PEERGROUPS gives the peer's supplementary groups as the guest set them.
// covers: getsockopt, setgroups, socketpair
// needs: root
#include "sock.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int main(void)
{
    gid_t set[3] = {300, 400, 50000}, got[8];
    socklen_t len = sizeof(got);
    int s[2];

    CHECK_EQ(setgroups(3, set), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERGROUPS, got, &len), 0);
    CHECK_EQ(len, sizeof(set));
    CHECK(memcmp(got, set, sizeof(set)) == 0);
    len = 4;
    CHECK_ERR(getsockopt(s[0], SOL_SOCKET, SO_PEERGROUPS, got, &len), ERANGE);
    CHECK_EQ(len, sizeof(set));
    // As they were at socketpair, not as they are now.
    CHECK_EQ(setgroups(0, NULL), 0);
    len = sizeof(got);
    CHECK_EQ(getsockopt(s[1], SOL_SOCKET, SO_PEERGROUPS, got, &len), 0);
    CHECK_EQ(len, sizeof(set));
    return done();
}
