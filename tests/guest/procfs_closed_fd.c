// SPDX-License-Identifier: MIT
// A descriptor that is closed is not in /proc/self/fd, whatever lxcore opens to look; what is not
// in /proc cannot be opened for writing, either: ENOENT.
// covers: lstat, stat, access, readlink, open, newfstatat
#include "check.h"

static void gone(const char *directory, int fd)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "%s/%d", directory, fd);
    CHECK_ERR(lstat(path, &st), ENOENT);
    CHECK_ERR(stat(path, &st), ENOENT);
    CHECK_ERR(access(path, F_OK), ENOENT);
    CHECK_ERR(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), ENOENT);
    CHECK_ERR(readlink(path, path, 1), ENOENT);
    CHECK_ERR(open(path, O_PATH | O_NOFOLLOW), ENOENT);
}

int main(void)
{
    char path[64];
    struct stat st;
    int fd, dir;

    closefrom(3);
    for (int n = 3; n < 6; n++) {
        gone("/proc/self/fd", n);
        gone("/proc/thread-self/fd", n);
        gone("/proc/self/fdinfo", n);
        snprintf(path, sizeof path, "/proc/%d/fd", getpid());
        gone(path, n);
        CHECK_EQ(chdir(path), 0);
        gone(".", n);
        CHECK_EQ(chdir("/"), 0);
    }
    dir = OK(open("/proc/self/fd", O_RDONLY | O_DIRECTORY)); // 3
    fd = OK(dup(dir));
    CHECK_EQ(fstatat(dir, "4", &st, AT_SYMLINK_NOFOLLOW), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_EQ(close(fd), 0);
    for (int n = 4; n < 7; n++) {
        snprintf(path, sizeof path, "%d", n);
        CHECK_ERR(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), ENOENT);
        CHECK_ERR(fstatat(dir, path, &st, 0), ENOENT);
    }
    CHECK_EQ(fstatat(dir, "3", &st, AT_SYMLINK_NOFOLLOW), 0);

    CHECK_ERR(open("/proc/missing", O_WRONLY), ENOENT);
    CHECK_ERR(open("/proc/sys/missing", O_RDWR), ENOENT);
    CHECK_ERR(open("/proc/0", O_WRONLY | O_TRUNC), ENOENT);
    CHECK_ERR(open("/proc/version/x", O_WRONLY), ENOTDIR);
    return done();
}
