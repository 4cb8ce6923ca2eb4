// SPDX-License-Identifier: MIT
// unshare(CLONE_NEWNS): mounts made in a child's namespace are not seen outside, nor those made
// outside afterwards seen inside; a fork without it shares them.
// covers: unshare, mount, umount2, fork
// needs: root
#include "mountns.h"

int main(void)
{
    int p[2], q[2];
    char c;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755) | mkdir("n", 0755), 0);
    CHECK_EQ(pipe(p) | pipe(q), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(mount("none", "n", "tmpfs", 0, NULL), 0);
        put_file("n/shared", "");
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(access("n/shared", F_OK), 0);

    pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
        CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
        put_file("m/inside", "");
        CHECK_EQ(access("n/shared", F_OK), 0);
        CHECK_EQ(write(q[1], "x", 1), 1);
        CHECK_EQ(read(p[0], &c, 1), 1);
        CHECK_EQ(access("n/shared", F_OK), 0);
        CHECK_EQ(access("m/inside", F_OK), 0);
        _exit(0);
    }
    CHECK_EQ(close(q[1]), 0); // a child that failed must not leave us waiting
    CHECK_EQ(read(q[0], &c, 1), 1);
    CHECK_ERR(access("m/inside", F_OK), ENOENT);
    CHECK_EQ(umount2("n", 0), 0);
    CHECK_EQ(write(p[1], "x", 1), 1);
    wait_ok(pid);
    CHECK_ERR(access("n/shared", F_OK), ENOENT);
    return done();
}
