// SPDX-License-Identifier: MIT
// /proc has no ACLs, and the directories of processes and threads are immutable.
// covers: getxattr, setxattr, removexattr, lgetxattr, fgetxattr, fsetxattr, access
#include "check.h"
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
        if (changed == EPERM)
            continue;
        int fd = OK(open(path, O_RDONLY));
        CHECK_ERR(fgetxattr(fd, names[i], got, sizeof(got)), EOPNOTSUPP);
        CHECK_ERR(fsetxattr(fd, names[i], acl, sizeof(acl), 0), EOPNOTSUPP);
        CHECK_ERR(fremovexattr(fd, names[i]), EOPNOTSUPP);
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
