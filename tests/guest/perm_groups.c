// SPDX-License-Identifier: MIT
// Supplementary groups count for access, also many of them, and change at once with setgroups.
// covers: setgroups, getgroups, open, access
// needs: root
#include "check.h"

int main(void)
{
    gid_t many[100], back[100];

    put_file("f", "");
    CHECK_EQ(chown("f", 0, 577), 0);
    CHECK_EQ(chmod("f", 0060) | chmod(".", 0755), 0);
    for (int i = 0; i < 100; i++)
        many[i] = 500 + i;
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgroups(100, many), 0);
        CHECK_EQ(getgroups(0, NULL), 100);
        CHECK_EQ(getgroups(100, back), 100);
        CHECK(memcmp(many, back, sizeof(many)) == 0);
        CHECK_ERR(getgroups(50, back), EINVAL);
        CHECK_EQ(setresuid(1000, 1000, 0), 0);
        OK(open("f", O_RDWR));
        CHECK_EQ(access("f", R_OK | W_OK), 0);
        CHECK_ERR(setgroups(0, NULL), EPERM);
        CHECK_EQ(setresuid(-1, 0, -1), 0);
        CHECK_EQ(setgroups(77, many), 0);
        CHECK_EQ(setresuid(-1, 1000, -1), 0);
        CHECK_ERR(open("f", O_RDWR), EACCES);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
