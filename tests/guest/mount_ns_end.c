// SPDX-License-Identifier: MIT
// A mount namespace ends with the last process in it, however that ends: 70 processes, one behind
// the other, mount in namespaces of their own, by unshare and by clone, and are killed; their
// children go on for a while. No mount is left over that another namespace would lack.
// covers: unshare, clone, mount, kill
// needs: root
#include "mountns.h"
#include <sys/prctl.h>

static char stack_[65536] __attribute__((aligned(16)));
static int ready_[2];

static void fill(void)
{
    char name[16];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "m%d", i);
        CHECK_EQ(mount("none", name, "tmpfs", 0, NULL), 0);
    }
    put_file("m4/inside", "");
}

static int child(void *arg)
{
    if (!arg)
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
    fill();
    CHECK_EQ(write(ready_[1], "x", 1), 1);
    pause();
    return 0;
}

int main(void)
{
    char name[16], c;

    own_mounts();
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "m%d", i);
        CHECK_EQ(mkdir(name, 0755), 0);
    }
    CHECK_EQ(pipe(ready_), 0);
    // One that stays, whose maker has gone: an orphan's child.
    int left[2];
    CHECK_EQ(pipe(left), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
        fill();
        if (fork() > 0)
            _exit(0);
        CHECK_EQ(close(left[1]), 0);
        CHECK_EQ(read(left[0], &c, 1), 0); // till the first has ended
        CHECK_EQ(access("m4/inside", F_OK), 0);
        put_file("survived", "");
        _exit(0);
    }
    wait_ok(pid);
    for (int i = 0; i < 70; i++) {
        if (i % 2) {
            pid = fork();
            if (pid == 0)
                _exit(child(NULL));
        } else {
            pid = clone(child, stack_ + sizeof stack_, CLONE_NEWNS | SIGCHLD, "clone");
        }
        CHECK(pid > 0);
        CHECK_EQ(read(ready_[0], &c, 1), 1);
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        CHECK_ERR(access("m4/inside", F_OK), ENOENT);
    }
    for (int i = 0; i < 30; i++)
        CHECK_EQ(mount("none", "m0", "tmpfs", 0, NULL), 0);
    for (int i = 0; i < 30; i++)
        CHECK_EQ(umount2("m0", 0), 0);
    CHECK_EQ(close(left[0]) | close(left[1]), 0);
    for (int i = 0; i < 1000 && access("survived", F_OK); i++)
        usleep(10000);
    CHECK_EQ(access("survived", F_OK), 0);
    return done();
}
