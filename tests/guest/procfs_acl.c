// SPDX-License-Identifier: MIT
// /proc has no attributes, and the directories of processes and threads are immutable. With its own
// descriptors' directory a process may do as it likes, also when it is another's by then.
// covers: getxattr, setxattr, removexattr, lgetxattr, fgetxattr, fsetxattr, access, utimensat
#include "check.h"
#include <sys/stat.h>
#include <sys/xattr.h>

// Version 2; owner, group and others as in 0644.
static const unsigned acl[] = {2, 6 << 16 | 1, -1, 4 << 16 | 4, -1, 4 << 16 | 32, -1};
static const char *const names[] = {"system.posix_acl_access", "system.posix_acl_default"};

static void try_path(const char *path, int changed)
{
    char got[64];

    for (int i = 0; i < 2; i++) {
        CHECK_ERR(getxattr(path, names[i], got, sizeof(got)), EOPNOTSUPP);
        CHECK_ERR(lgetxattr(path, names[i], got, sizeof(got)), EOPNOTSUPP);
        CHECK_ERR(setxattr(path, names[i], acl, sizeof(acl), 0), changed);
        CHECK_ERR(removexattr(path, names[i]), changed);
        int fd = OK(open(path, O_RDONLY));
        CHECK_ERR(fgetxattr(fd, names[i], got, sizeof(got)), EOPNOTSUPP);
        CHECK_ERR(fsetxattr(fd, names[i], acl, sizeof(acl), 0), changed);
        CHECK_ERR(fremovexattr(fd, names[i]), changed);
        CHECK_ERR(fgetxattr(fd, "user.x", got, sizeof(got)), EOPNOTSUPP);
        if (geteuid() == 0 || changed == EPERM) {
            CHECK_ERR(fsetxattr(fd, "user.x", "1", 1, 0), changed);
            CHECK_ERR(fremovexattr(fd, "user.x"), changed);
            CHECK_ERR(fsetxattr(fd, "trusted.x", "1", 1, 0), changed);
        }
        close(fd);
    }
}

static void all(void)
{
    char task[64];

    snprintf(task, sizeof(task), "/proc/self/task/%d", (int)getpid());
    try_path("/proc/self/status", EOPNOTSUPP);
    try_path("/proc/version", EOPNOTSUPP);
    try_path("/proc/self/fd", EOPNOTSUPP);
    try_path("/proc", EOPNOTSUPP);
    try_path("/proc/self", EPERM);
    try_path(task, EPERM);
    CHECK_ERR(setxattr("/proc/self", "user.x", "1", 1, 0), EPERM);
    CHECK_ERR(access("/proc/self", W_OK), EPERM);
    CHECK_ERR(access(task, W_OK), EPERM);
    CHECK_EQ(access("/proc/self", R_OK | X_OK), 0);
    CHECK_EQ(access("/proc/self/task", W_OK) ? errno : 0, geteuid() ? EACCES : 0);

    int fd = OK(open("/proc/self/fd", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(access("/proc/self/fd", R_OK | W_OK | X_OK), 0);
    CHECK_EQ(access("/proc/thread-self/fd", R_OK | W_OK | X_OK), 0);
    CHECK_EQ(faccessat(fd, ".", R_OK | X_OK, 0), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "/proc/self/fd", NULL, 0), 0);
    CHECK_EQ(futimens(fd, NULL), 0);
    CHECK_ERR(setxattr("/proc/self/fd", "user.x", "1", 1, 0), EOPNOTSUPP);
    CHECK_EQ(close(fd), 0);
    fd = OK(open("/proc/self", O_RDONLY | O_DIRECTORY));
    CHECK_ERR(utimensat(AT_FDCWD, "/proc/self", NULL, 0), EPERM);
    CHECK_ERR(utimensat(fd, "", NULL, AT_EMPTY_PATH), EPERM);
    CHECK_ERR(futimens(fd, NULL), EPERM);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "/proc/self/status", NULL, 0) ? errno : 0, geteuid() ? EACCES : 0);
}

int main(void)
{
    all();
    if (geteuid() == 0) {
        become(1000, 1000);
        all();
    }
    return done();
}
