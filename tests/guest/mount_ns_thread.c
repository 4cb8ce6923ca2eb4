// SPDX-License-Identifier: MIT
// unshare(CLONE_NEWNS) of one thread: it alone goes to the new mount namespace, with what it forks,
// and has a working directory and root of its own from then on.
// covers: unshare, mount, clone, chdir
// needs: root
// trap: not container: such a host refuses unshare(CLONE_FS), too
#include "mountns.h"
#include <pthread.h>

static int ready_[2], go_[2];

static void *thread(void *arg)
{
    (void)arg;
    CHECK_EQ(syscall(SYS_unshare, CLONE_NEWNS), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    put_file("m/inside", "");
    sees_inside(ready_[1], go_[0]);
    CHECK_EQ(chdir("m"), 0);
    return NULL;
}

int main(void)
{
    char c;
    pthread_t th;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    CHECK_EQ(pipe(ready_) | pipe(go_), 0);
    CHECK_EQ(pthread_create(&th, NULL, thread, NULL), 0);
    CHECK_EQ(read(ready_[0], &c, 1), 1);
    CHECK_ERR(access("m/inside", F_OK), ENOENT);
    pid_t pid = fork(); // of this thread's
    if (pid == 0)
        _exit(access("m/inside", F_OK) == 0 || errno != ENOENT);
    wait_ok(pid);
    CHECK_EQ(write(go_[1], "x", 1), 1);
    CHECK_EQ(pthread_join(th, NULL), 0);
    CHECK_ERR(access("inside", F_OK), ENOENT);
    CHECK_EQ(rmdir("m"), 0);
    return done();
}
