// SPDX-License-Identifier: MIT
// unshare(CLONE_FS) and unshare(CLONE_FILES) give a thread its own directory, umask and
// descriptors; clone without CLONE_FS is separate, with it shared.
// covers: unshare, clone, chdir, umask, close, dup2
// trap: not container: such a filter refuses unshare
#include "check.h"
#include <pthread.h>
#include <sched.h>

static void *thread(void *arg)
{
    CHECK_EQ(unshare(CLONE_FS), 0);
    CHECK_EQ(chdir("d"), 0);
    umask(0777);
    CHECK_EQ(access("inside", F_OK), 0);
    CHECK_EQ(unshare(CLONE_FILES), 0);
    CHECK_EQ(close(50), 0);
    CHECK_EQ(dup2(0, 51), 51);
    return arg;
}

static int child(void *arg)
{
    (void)arg;
    CHECK_EQ(chdir("d"), 0);
    umask(011);
    CHECK_EQ(close(50), 0);
    _exit(0);
}

int main(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    pthread_t t;

    umask(022);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/inside", "");
    CHECK_EQ(dup2(0, 50), 50);
    CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_ERR(access("inside", F_OK), ENOENT);
    CHECK_EQ(fcntl(50, F_GETFD), 0);
    CHECK_ERR(fcntl(51, F_GETFD), EBADF);
    CHECK_EQ(umask(022), 022);

    wait_ok(clone(child, stack + sizeof(stack), SIGCHLD, NULL));
    CHECK_ERR(access("inside", F_OK), ENOENT);
    CHECK_EQ(fcntl(50, F_GETFD), 0);
    wait_ok(clone(child, stack + sizeof(stack), CLONE_FS | CLONE_FILES | SIGCHLD, NULL));
    CHECK_EQ(access("inside", F_OK), 0);
    CHECK_ERR(fcntl(50, F_GETFD), EBADF);
    CHECK_EQ(umask(0), 011);
    CHECK_ERR(unshare(1), EINVAL);
    return done();
}
