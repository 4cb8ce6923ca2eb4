// SPDX-License-Identifier: MIT
// An ordinary user gives away nothing, changes only what is his, and may choose among his
// groups.
// covers: chown, chmod, utimensat, setgroups
// needs: root
#include "check.h"

int main(void)
{
    gid_t extra = 300;

    put_file("theirs", "");
    put_file("mine", "");
    CHECK_EQ(chown("mine", 1000, 1000), 0);
    CHECK_EQ(chmod("theirs", 0666), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgroups(1, &extra), 0);
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_ERR(chown("mine", 1001, -1), EPERM);
        CHECK_ERR(chown("mine", 0, -1), EPERM);
        CHECK_ERR(chown("mine", -1, 0), EPERM);
        CHECK_EQ(chown("mine", 1000, -1), 0);
        CHECK_EQ(chown("mine", -1, 300), 0);
        CHECK_EQ(stat_of("mine").st_gid, 300);
        CHECK_EQ(chown("mine", 1000, 1000), 0);
        CHECK_ERR(chown("theirs", -1, 1000), EPERM);
        CHECK_ERR(chown("theirs", 1000, -1), EPERM);
        CHECK_EQ(chown("theirs", -1, -1), 0);
        CHECK_ERR(chmod("theirs", 0600), EPERM);
        CHECK_ERR(fchmod(OK(open("theirs", O_RDWR)), 0600), EPERM);

        // Times: "now" needs write permission, a chosen time needs the owner.
        CHECK_EQ(utimensat(AT_FDCWD, "theirs", NULL, 0), 0);
        struct timespec t[2] = {{1, 0}, {1, 0}};
        CHECK_ERR(utimensat(AT_FDCWD, "theirs", t, 0), EPERM);
        CHECK_EQ(utimensat(AT_FDCWD, "mine", t, 0), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(stat_of("theirs").st_uid, 0);
    CHECK_EQ(chmod("theirs", 0644), 0);
    pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        CHECK_ERR(utimensat(AT_FDCWD, "theirs", NULL, 0), EACCES);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
