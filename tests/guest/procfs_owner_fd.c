// SPDX-License-Identifier: MIT
// What is open in the directory of a process belongs to that process's user, as by its path.
// covers: fstat, newfstatat, statx
// needs: root
#include "check.h"
#include <sys/prctl.h>

static void owned(int fd, const char *path, unsigned uid)
{
    struct stat st;
    struct statx x;

    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, uid);
    CHECK_EQ(fstatat(fd, "", &st, AT_EMPTY_PATH), 0);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x), 0);
    CHECK_EQ(x.stx_uid, uid);
}

int main(void)
{
    static const char *const names[] = {"", "/fd", "/task", "/status"};
    char path[64], text[8];
    int p[2], q[2];

    CHECK_EQ(pipe(p) | pipe(q), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setresgid(1234, 1234, 1234), 0);
        CHECK_EQ(setresuid(1234, 1234, 1234), 0);
        CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
        owned(OK(open("/proc/self", O_PATH)), "/proc/self", 1234);
        CHECK_EQ(write(q[1], "r", 1), 1);
        CHECK_EQ(close(p[1]), 0);
        CHECK_EQ(read(p[0], text, 1), 0);
        _exit(0);
    }
    CHECK_EQ(read(q[0], text, 1), 1);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "/proc/%d%s", pid, names[i]);
        owned(OK(open(path, O_RDONLY)), path, 1234);
    }
    owned(OK(open("/proc", O_RDONLY)), "/proc", 0);
    owned(OK(open("/proc/sys/kernel", O_RDONLY)), "/proc/sys/kernel", 0);
    CHECK_EQ(close(p[1]), 0);
    wait_ok(pid);
    return done();
}
