// SPDX-License-Identifier: MIT
// /proc lists the caller and its children, a child's entry tells about the child, and goes when
// it has been waited for; task lists threads.
// covers: getdents64, open, readlink, fork, wait4
#include "check.h"
#include <dirent.h>
#include <pthread.h>

static pthread_barrier_t barrier;

static int has(const char *path, int number)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int n = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        n += atoi(e->d_name) == number;
    closedir(dir);
    return n;
}

static void *thread(void *arg)
{
    *(int *)arg = gettid();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    char path[64], link[4096] = "", text[16];
    int p[2], q[2], tid;
    pthread_t other;

    CHECK_EQ(has("/proc", getpid()), 1);
    CHECK_EQ(mkdir("sub", 0755), 0);
    CHECK_EQ(pipe(p) | pipe(q), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(chdir("sub"), 0);
        CHECK_EQ(write(q[1], "r", 1), 1);
        CHECK_EQ(close(p[1]), 0);
        CHECK_EQ(read(p[0], text, 1), 0);
        _exit(0);
    }
    CHECK_EQ(read(q[0], text, 1), 1);
    CHECK_EQ(has("/proc", pid), 1);
    snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
    CHECK(readlink(path, link, sizeof(link) - 1) > 0);
    CHECK_STR(strrchr(link, '/'), "/sub");
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    snprintf(text, sizeof(text), "\nPPid:\t%d", getpid());
    CHECK(strstr(get_file(path), text) != NULL);
    CHECK_EQ(close(p[1]), 0);
    wait_ok(pid);
    CHECK_ERR(open(path, O_RDONLY), ENOENT);
    CHECK_EQ(has("/proc", pid), 0);

    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
    CHECK_EQ(pthread_create(&other, NULL, thread, &tid), 0);
    pthread_barrier_wait(&barrier);
    CHECK_EQ(has("/proc/self/task", tid), 1);
    CHECK_EQ(has("/proc/self/task", getpid()), 1);
    CHECK_EQ(has("/proc", tid), 0);
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
    CHECK_STR(get_file(path), "procfs_tasks\n");
    pthread_barrier_wait(&barrier);
    CHECK_EQ(pthread_join(other, NULL), 0);
    return done();
}
