// SPDX-License-Identifier: MIT
// chdir and fchdir: what they refuse; a child's change is its own; threads share one directory.
// covers: chdir, fchdir, clone
#include "check.h"
#include <pthread.h>

static void *move(void *arg)
{
    CHECK_EQ(chdir(arg), 0);
    return NULL;
}

int main(void)
{
    pthread_t thread;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("f", "");
    put_file("d/in", "");
    CHECK_EQ(symlink("f", "flink") | symlink("missing", "dead") | symlink("self", "self"), 0);
    CHECK_ERR(chdir("f"), ENOTDIR);
    CHECK_ERR(chdir("flink"), ENOTDIR);
    CHECK_ERR(chdir("missing"), ENOENT);
    CHECK_ERR(chdir("dead"), ENOENT);
    CHECK_ERR(chdir("self"), ELOOP);
    CHECK_ERR(chdir(""), ENOENT);
    CHECK_ERR(syscall(SYS_chdir, bad_ptr), EFAULT);
    CHECK_ERR(fchdir(OK(open("f", O_RDONLY))), ENOTDIR);
    CHECK_ERR(fchdir(-1), EBADF);
    CHECK_ERR(fchdir(AT_FDCWD), EBADF);
    CHECK_EQ(access("f", F_OK), 0);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(chdir("d"), 0);
        CHECK_EQ(access("in", F_OK), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_ERR(access("in", F_OK), ENOENT);
    CHECK_EQ(pthread_create(&thread, NULL, move, "d"), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(access("in", F_OK), 0);
    return done();
}
