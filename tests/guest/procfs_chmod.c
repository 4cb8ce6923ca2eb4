// SPDX-License-Identifier: MIT
// Owner and mode of what is in /proc: a process's entries have their mode for good, also the one
// that they have, and an owner for the moment; /proc/sys has neither to give. A malformed ACL is
// told before that there are none.
// covers: chmod, fchmod, fchmodat2, chown, lchown, fchown, setxattr, fsetxattr
// needs: root
#include "check.h"
#include "mountns.h"
#include <sys/prctl.h>
#include <sys/xattr.h>

#define FCHMODAT2 452

static const char access_acl[] = "system.posix_acl_access";

static const char *in(const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "proc/%s", name);
    return path;
}

// All that sets what is there already: the errors of a mode and of an owner.
static void same(const char *name, int mode, int owner)
{
    const char *path = in(name);
    struct stat st = stat_of(path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);

    CHECK_EQ(lchown(path, -1, -1), 0);
    CHECK_EQ(lchown(path, st.st_uid, -1) ? errno : 0, owner);
    CHECK_EQ(lchown(path, st.st_uid, st.st_gid) ? errno : 0, owner);
    if (S_ISLNK(st.st_mode)) {
        CHECK_ERR(syscall(FCHMODAT2, AT_FDCWD, path, 0777, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
        return;
    }
    CHECK_EQ(chmod(path, st.st_mode & 07777) ? errno : 0, mode);
    CHECK_EQ(syscall(FCHMODAT2, AT_FDCWD, path, st.st_mode & 07777, 0) ? errno : 0, mode);
    if (fd >= 0) {
        CHECK_EQ(fchmod(fd, st.st_mode & 07777) ? errno : 0, mode);
        CHECK_EQ(syscall(FCHMODAT2, fd, "", st.st_mode & 07777, AT_EMPTY_PATH) ? errno : 0, mode);
        CHECK_EQ(fchown(fd, -1, -1), 0);
        CHECK_EQ(fchown(fd, st.st_uid, st.st_gid) ? errno : 0, owner);
        CHECK_EQ(fchownat(fd, "", -1, st.st_gid, AT_EMPTY_PATH) ? errno : 0, owner);
        CHECK_EQ(close(fd), 0);
    }
}

static void acl(const char *name, int good)
{
    static const struct {
        unsigned acl[7];
        int size, error;
    } tries[] = {
        {{2, 6 << 16 | 1}, 8, EINVAL},      // cut
        {{2}, 3, EINVAL},                   // shorter than its head
        {{9, 1}, 12, EOPNOTSUPP},           // version
        {{2, 6 << 16 | 3, -1}, 12, EINVAL}, // a tag that there is not
        {{2, 6 << 16 | 2, -1}, 12, EINVAL}, // a user that there is not
        {{2, 6 << 16 | 1, -1}, 12, 0},      // not whole: as a good one
        {{2, 6 << 16 | 1, -1, 4 << 16 | 4, -1, 4 << 16 | 32, -1}, 28, 0},
        {{2}, 4, 0},
        {{0}, 0, 0},
    };
    const char *path = in(name);
    int fd = OK(open(path, O_RDONLY));

    for (unsigned i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
        int error = tries[i].error ? tries[i].error : good;
        CHECK_ERR(setxattr(path, access_acl, tries[i].acl, tries[i].size, 0), error);
        CHECK_ERR(fsetxattr(fd, access_acl, tries[i].acl, tries[i].size, 0), error);
    }
    CHECK_ERR(setxattr(path, access_acl, bad_ptr, 12, 0), EFAULT);
    CHECK_EQ(close(fd), 0);
}

static void user(uid_t id)
{
    char mine[64], kept[64];
    int fd = OK(open(in("self/status"), O_RDONLY)), real = OK(open(in("self/wchan"), O_RDONLY));
    struct stat st;

    become(id, id);
    snprintf(mine, sizeof(mine), "%d/limits", (int)getpid());
    snprintf(kept, sizeof(kept), "%d/status", (int)getppid());
    close(fd), close(real);                 // of what was root's
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0); // or /proc/PID would stay root's
    same(mine, EPERM, 0);
    fd = OK(open(in(mine), O_RDONLY)), real = OK(open(in("self/wchan"), O_RDONLY));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, id);
    CHECK_EQ(fstat(real, &st), 0);
    CHECK_EQ(st.st_uid, id);
    CHECK_EQ(st.st_gid, id);
    CHECK_ERR(lchown(in(mine), 0, -1), EPERM);
    CHECK_ERR(fchown(real, -1, 0), EPERM);
    same(kept, EPERM, EPERM);
    same("version", EPERM, EPERM);
    acl("version", EOPNOTSUPP);
    acl(mine, EOPNOTSUPP);
}

int main(void)
{
    static const char *const entries[] = {"self/status", "self/wchan",  "self/fd",   "self/fdinfo",
                                          "self/task",   "self/limits", "self/maps", "self/net",
                                          "self/ns",     "self/comm"};
    char task[64];

    own_mounts();
    CHECK_EQ(mkdir("proc", 0755), 0);
    CHECK_EQ(mount("proc", "proc", "proc", 0, NULL), 0);
    snprintf(task, sizeof(task), "self/task/%d", (int)getpid());
    for (unsigned i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
        same(entries[i], EPERM, 0);
        CHECK_EQ(lchown(in(entries[i]), 5, 6), 0);
        CHECK_EQ(stat_of(in(entries[i])).st_uid, 0);
    }
    same("self/cwd", EPERM, 0);
    same("self", EPERM, 0);
    same("self/", EPERM, EPERM);
    same(task, EPERM, EPERM);
    same("version", 0, 0);
    same("cpuinfo", 0, 0);
    same("self/net/unix", 0, 0);
    same("sys", EPERM, EPERM);
    same("sys/kernel/ostype", EPERM, EPERM);
    acl("version", EOPNOTSUPP);
    acl("self/status", EOPNOTSUPP);
    acl("self/", EPERM);
    pid_t pid = OK(fork());
    if (!pid) {
        user(1000);
        return 0;
    }
    wait_ok(pid);
    CHECK_EQ(umount2("proc", MNT_DETACH), 0);
    return done();
}
