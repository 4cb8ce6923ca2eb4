// SPDX-License-Identifier: MIT
// What a process has open, as another one sees it: in /proc/PID/fd and /proc/PID/fdinfo, by
// pidfd_getfd and kcmp. One of the two has many descriptors, or one of a high number.
// covers: pidfd_getfd, kcmp, getdents64, openat
// trap: not nested,container,old: two layers take descriptors from the program; such a host refuses pidfd_getfd and kcmp
#include "check.h"
#include <dirent.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>

#define MANY 700

static int listed(pid_t pid, const char *dir, int *numbers)
{
    char path[64];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, dir);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            numbers[n++] = atoi(e->d_name);
    closedir(d);
    return n;
}

// Has it the numbers below `below`, and `high` if that is not 0, and no more?
static void has(pid_t pid, int below, int high)
{
    static int numbers[2048];
    const char *const dirs[] = {"fd", "fdinfo"};
    int pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));
    for (int i = 0; i < 2; i++) {
        int n = listed(pid, dirs[i], numbers);
        CHECK_EQ(n, below + !!high);
        for (int k = 0; k < n; k++)
            CHECK((numbers[k] >= 0 && numbers[k] < below) || (high && numbers[k] == high));
    }
    for (int fd = 0; fd < 1200; fd++) {
        errno = 0;
        int got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
        bool there = fd < below || (high && fd == high);
        CHECK_EQ(got >= 0, there);
        CHECK_EQ(errno, there ? 0 : EBADF);
        if (!there)
            CHECK_ERR(syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 0, fd), EBADF);
        if (got >= 0)
            close(got);
    }
    close(pidfd);
}

// what: 0 nothing, 1 many by dup, else that number by dup2.
static void take(int what)
{
    for (int n = 7; what == 1 && n < MANY; n++)
        CHECK_EQ(dup(0), n);
    if (what > 1)
        CHECK_EQ(dup2(0, what), what);
}

static void see(int child_has, int parent_has)
{
    int to[2], from[2], status;
    char c;
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    pid_t parent = getpid(), p = OK(fork());
    if (!p) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        take(child_has);
        CHECK_EQ(write(from[1], "x", 1), 1);
        CHECK_EQ(read(to[0], &c, 1), 1);
        has(parent, parent_has == 1 ? MANY : 7, parent_has > 1 ? parent_has : 0);
        _exit(0);
    }
    CHECK_EQ(read(from[0], &c, 1), 1);
    take(parent_has);
    has(p, child_has == 1 ? MANY : 7, child_has > 1 ? child_has : 0);
    CHECK_EQ(write(to[1], "x", 1), 1);
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(status, 0);
    CHECK_EQ(close_range(3, ~0u, 0), 0);
}

// Two processes have one table; one of them takes a number, a third looks at the other.
static void see_shared(int number)
{
    int status;
    pid_t p = OK((pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
    if (!p) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            pause();
    }
    CHECK_EQ(dup2(0, number), number);
    pid_t third = OK(fork());
    if (!third) {
        int pidfd = OK((int)syscall(SYS_pidfd_open, p, 0));
        for (int fd = 0; fd < 1200; fd++)
            if (fd > 2 && fd != number)
                CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, fd, 0), EBADF);
        CHECK(syscall(SYS_pidfd_getfd, pidfd, number, 0) >= 0);
        _exit(0);
    }
    CHECK_EQ(waitpid(third, &status, 0), third);
    CHECK_EQ(status, 0);
    CHECK_EQ(kill(p, SIGKILL), 0);
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(close(number), 0);
}

int main(void)
{
    closefrom(3);
    // The parent keeps what it has taken for its later children.
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    see_shared(260);
    see(0, 0);
    see(256, 0);
    see(0, 270);
    see(1, 0);
    see(0, 1);
    see(970, 260);
    see(1, 1);
    see(1000, 1);
    see_shared(260);
    see_shared(960);
    return done();
}
