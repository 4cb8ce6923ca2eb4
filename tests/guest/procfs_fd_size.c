// SPDX-License-Identifier: MIT
// The size of /proc/PID/fd is how many descriptors the process has (Linux 6.2), and its list has as
// many.
// covers: stat, fstat, statx, newfstatat
#include "check.h"
#include <dirent.h>

static int listed(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;

    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void same(const char *path, int wanted)
{
    struct stat st;
    struct statx stx;

    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, wanted);
    CHECK_EQ(lstat(path, &st), 0);
    CHECK_EQ(st.st_size, wanted);
    CHECK_EQ(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stx), 0);
    CHECK_EQ(stx.stx_size, wanted);
}

int main(void)
{
    char path[64];
    struct stat st;
    int own = listed("/proc/self/fd") - 1, go[2], status; // without the listing's

    CHECK_EQ(stat("/proc/self/fd", &st), 0);
    if (!st.st_size) // an older kernel
        return done();
    same("/proc/self/fd", own);
    same("/proc/self/fd/.", own);
    same("/proc/thread-self/fd", own);
    snprintf(path, sizeof path, "/proc/self/task/%d/fd", getpid());
    same(path, own);
    snprintf(path, sizeof path, "/proc/%d/fd", getpid());
    CHECK_EQ(chdir(path), 0);
    same(".", own);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(pipe(go), 0);
    same(path, own + 2);
    int d = OK(open(path, O_RDONLY | O_DIRECTORY)), p = OK(open(path, O_PATH));
    CHECK_EQ(fstat(d, &st), 0);
    CHECK_EQ(st.st_size, own + 4);
    CHECK_EQ(fstat(p, &st), 0);
    CHECK_EQ(st.st_size, own + 4);
    CHECK_EQ(fstatat(d, "../fd", &st, 0), 0);
    CHECK_EQ(st.st_size, own + 4);
    CHECK_EQ(close(d), 0);
    CHECK_EQ(close(p), 0);
    same("/proc/self/fdinfo", 0);

    // Another process; it waits for the end of the pipe.
    pid_t child = OK(fork());
    if (child == 0) {
        char c;
        close(go[1]);
        read(go[0], &c, 1);
        _exit(0);
    }
    snprintf(path, sizeof path, "/proc/%d/fd", child);
    for (int i = 0; i < 5000 && listed(path) != own + 1; i++)
        usleep(1000);
    same(path, own + 1);
    CHECK_EQ(close(go[1]), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    return done();
}
