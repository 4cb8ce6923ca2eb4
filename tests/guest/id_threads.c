// SPDX-License-Identifier: MIT
// Identity belongs to the thread for the kernel: a raw call changes only the caller; libc's setuid
// changes all threads; new threads and children inherit the caller's.
// covers: setuid, setresuid, setresgid, setgroups, capset, clone
// needs: root
#include "sig.h"

static atomic_int step;

static void until(int n)
{
    while (step < n)
        usleep(500);
}

static void *child_of_changed(void *arg)
{
    CHECK_EQ(geteuid(), 1000);
    return arg;
}

static void *raw_changer(void *arg)
{
    pthread_t th;
    pid_t pid;

    CHECK(syscall(SYS_setresuid, 1000, 1000, 0) == 0);
    CHECK(syscall(SYS_setresgid, 2000, 2000, 0) == 0 || errno == EPERM);
    CHECK_EQ(getuid(), 1000);
    CHECK_ERR(chown("file", 5, 5), EPERM);
    CHECK(pthread_create(&th, NULL, child_of_changed, NULL) == 0 && pthread_join(th, NULL) == 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(getuid(), 1000);
        _exit(0);
    }
    wait_ok(pid);
    step = 1;
    until(2);
    CHECK_EQ(getuid(), 1000);
    CHECK(syscall(SYS_setresuid, 0, 0, 0) == 0);
    step = 3;
    until(4);
    CHECK(getuid() == 3000 && geteuid() == 3000); // libc told every thread
    CHECK_ERR(setuid(0), EPERM);
    step = 5;
    return arg;
}

int main(void)
{
    pthread_t th;

    CHECK(chmod(".", 0755) == 0); // others search it below
    put_file("file", "x");
    CHECK(pthread_create(&th, NULL, raw_changer, NULL) == 0);
    until(1);
    CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0);
    CHECK(chown("file", 7, 7) == 0);
    step = 2;
    until(3);
    CHECK(setuid(3000) == 0);
    step = 4;
    until(5);
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
