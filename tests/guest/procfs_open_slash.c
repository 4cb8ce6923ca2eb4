// SPDX-License-Identifier: MIT
// open in /proc says what the name is before whether it may be opened: a file with a slash behind
// it, or that should be a directory, a directory to be written.
// covers: open, getxattr, stat
// needs: root
#include "check.h"
#include <grp.h>
#include <sys/xattr.h>

// n: of a process that nobody may look into, /proc/1 of a guest, root learns less.
static void common(int n)
{
    static const char *const files[] = {"/proc/self/status", "/proc/self/comm", "/proc/cmdline",
                                        "/proc/filesystems", "/proc/1/environ"};
    char path[64];

    for (int i = 0; i < n; i++) {
        CHECK_ERR(open(files[i], O_RDONLY | O_DIRECTORY), ENOTDIR);
        CHECK_ERR(open(files[i], O_WRONLY | O_DIRECTORY), ENOTDIR);
        snprintf(path, sizeof(path), "%s/", files[i]);
        CHECK_ERR(open(path, O_RDONLY), ENOTDIR);
        CHECK_ERR(open(path, O_RDWR), ENOTDIR);
        CHECK_ERR(open(path, O_PATH), ENOTDIR);
        CHECK_ERR(open(path, O_RDONLY | O_CREAT, 0600), EISDIR);
    }
    CHECK_ERR(open("/proc/self/", O_RDWR), EISDIR);
    CHECK_ERR(open("/proc/self/nosuch", O_WRONLY), ENOENT);
    CHECK_ERR(open("/proc/self/ns/mnt/", O_RDONLY), ENOTDIR);
    CHECK_ERR(getxattr("/proc/nosuch", "security.x", NULL, 0), ENOENT);
    CHECK_ERR(getxattr("/proc/nosuch", "system.posix_acl_access", NULL, 0), ENOENT);
    CHECK_ERR(getxattr("/proc/self/status", "system.posix_acl_access", NULL, 0), EOPNOTSUPP);
    CHECK_ERR(open("/proc/nosuch/", O_WRONLY | O_CREAT | O_EXCL, 0600), EISDIR);
    OK(open("/proc/self/", O_RDONLY));
    OK(open("/proc/self/task/", O_RDONLY | O_DIRECTORY));
    OK(open("/proc/self/cwd/", O_RDONLY));
    OK(open("/proc/self/status", O_RDONLY | O_NOATIME));
}

int main(int argc, char **argv)
{
    struct stat st;

    if (argc > 1) {
        (void)argv;
        common(5);
        CHECK_ERR(open("/proc/1", O_WRONLY), EISDIR);
        CHECK_ERR(open("/proc/cmdline", O_RDONLY | O_NOATIME), EPERM);
        CHECK_EQ(stat("/proc/self/net/dev", &st), 0);
        CHECK_EQ(st.st_uid, 0);
        CHECK_ERR(open("/proc/1", O_RDONLY | O_NOATIME), EPERM);
        _exit(0);
    }
    common(4);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgroups(0, NULL), 0);
        CHECK_EQ(setresgid(1234, 1234, 1234), 0);
        CHECK_EQ(setresuid(1234, 1234, 1234), 0);
        execl("/proc/self/exe", "again", "user", NULL);
        _exit(1);
    }
    wait_ok(pid);
    return done();
}
