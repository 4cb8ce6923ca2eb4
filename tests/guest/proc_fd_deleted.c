// SPDX-License-Identifier: MIT
// A file or directory that was removed and is still open, by its name in /proc/self/fd: owner, mode
// and permission are its own, for its owner and for others. And what of a descriptor is only its
// owner's to do.
// covers: stat, statx, access, open, fcntl, chown, chmod, fchown, fchmod, fchmodat2, truncate
// needs: root
#include "check.h"
#include <sys/xattr.h>

#define OWNER 11
#define OTHER 77

static char at[40];

#define IN_CHILD(uid, ...)                                                                         \
    do {                                                                                           \
        pid_t pid_ = fork();                                                                       \
        if (!pid_) {                                                                               \
            become(uid, uid);                                                                      \
            __VA_ARGS__;                                                                           \
            _exit(0);                                                                              \
        }                                                                                          \
        wait_ok(pid_);                                                                             \
    } while (0)

static int removed(const char *name, int flags)
{
    int fd = OK(open(name, flags));

    CHECK_EQ(flags & O_DIRECTORY ? rmdir(name) : unlink(name), 0);
    snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
    return fd;
}

static void shows(int fd, unsigned mode, unsigned uid, unsigned gid)
{
    struct stat st;
    struct statx x;

    CHECK_EQ(stat(at, &st), 0);
    CHECK_EQ(st.st_mode, mode);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(statx(AT_FDCWD, at, 0, STATX_BASIC_STATS, &x), 0);
    CHECK_EQ(x.stx_mode, mode);
    CHECK_EQ(x.stx_uid, uid);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode, mode);
    CHECK_EQ(st.st_uid, uid);
}

static void may(int read, int write)
{
    int fd = open(at, O_RDONLY);

    CHECK_EQ(fd >= 0 ? 0 : errno, read);
    CHECK_EQ(access(at, R_OK) ? errno : 0, read);
    CHECK_EQ(access(at, W_OK) ? errno : 0, write);
    close(fd);
    fd = open(at, O_WRONLY);
    CHECK_EQ(fd >= 0 ? 0 : errno, write);
    close(fd);
    // Who may not write truncates nothing.
    fd = open(at, O_WRONLY | O_TRUNC);
    CHECK_EQ(fd >= 0 ? 0 : errno, write);
    close(fd);
}

static void file(int flags)
{
    struct stat st;
    int fd;

    put_file("f", "data");
    CHECK_EQ(chown("f", OWNER, 12) | chmod("f", 0604), 0);
    fd = removed("f", flags);
    shows(fd, S_IFREG | 0604, OWNER, 12);
    IN_CHILD(OTHER, may(0, EACCES); CHECK_ERR(chmod(at, 0666), EPERM));
    CHECK_EQ(stat(at, &st), 0);
    CHECK_EQ(st.st_size, 4);
    IN_CHILD(12, may(EACCES, EACCES); CHECK_ERR(truncate(at, 0), EACCES));
    CHECK_EQ(stat(at, &st), 0);
    CHECK_EQ(st.st_size, 4);
    IN_CHILD(OWNER, may(0, 0); CHECK_EQ(chmod(at, 0600), 0));
    shows(fd, S_IFREG | 0600, OWNER, 12);
    CHECK_EQ(stat(at, &st), 0);
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(chown(at, 5, 6), 0);
    shows(fd, S_IFREG | 0600, 5, 6);
    may(0, 0);
    int again = OK(open(at, O_RDWR));
    CHECK_EQ(fchown(again, 7, 8) | fchmod(again, 0640), 0);
    shows(fd, S_IFREG | 0640, 7, 8);
    CHECK_EQ(fchown(again, 5, 6) | fchmod(again, 0600), 0);
    CHECK_EQ(close(again), 0);
    if (flags & O_PATH) {
        CHECK_ERR(syscall(SYS_fchown, fd, 1, 2), EBADF);
        CHECK_ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
    } else {
        // The next write takes a set-id bit away from who may not keep it.
        CHECK_EQ(chmod(at, 04666), 0);
        IN_CHILD(OTHER, int w = OK(open(at, O_WRONLY)); CHECK_EQ(write(w, "x", 1), 1));
        shows(fd, S_IFREG | 0666, 5, 6);
    }
    close(fd);
}

static void directory(int flags, int owned)
{
    int fd, uid = owned ? OWNER : 0;

    CHECK_EQ(mkdir("d", 0750), 0);
    if (owned)
        CHECK_EQ(chown("d", OWNER, OWNER) | chmod("d", 01750), 0);
    fd = removed("d", flags | O_DIRECTORY);
    shows(fd, S_IFDIR | (owned ? 01750 : 0750), uid, uid);
    IN_CHILD(OTHER, CHECK_ERR(open(at, O_RDONLY), EACCES));
    CHECK_ERR(open(at, O_WRONLY), EISDIR);
    if (flags & O_PATH) {
        CHECK_ERR(syscall(SYS_fchown, fd, 1, 2), EBADF);
        CHECK_ERR(syscall(SYS_fchown, fd, -1, -1), EBADF);
        CHECK_ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
        CHECK_ERR(futimens(fd, NULL), EBADF);
        CHECK_ERR(fgetxattr(fd, "user.x", NULL, 0), EBADF);
    } else {
        CHECK_EQ(fchown(fd, 1, 2) | fchmod(fd, 0711), 0);
        shows(fd, S_IFDIR | 0711, 1, 2);
    }
    CHECK_EQ(fchownat(fd, "", 3, 4, AT_EMPTY_PATH), 0);
    CHECK_EQ(chmod(at, 0700), 0);
    shows(fd, S_IFDIR | 0700, 3, 4);
    close(fd);
}

// A lease is for the owner, and whoever has CAP_LEASE.
static void lease(void)
{
    int fd;

    put_file("l", "");
    CHECK_EQ(chown("l", OWNER, OWNER) | chmod("l", 0644), 0);
    fd = OK(open("l", O_RDONLY));
    IN_CHILD(OTHER, CHECK_ERR(fcntl(fd, F_SETLEASE, F_RDLCK), EACCES);
             CHECK_ERR(fcntl(fd, F_SETLEASE, F_UNLCK), EACCES));
    IN_CHILD(OWNER, CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0));
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    close(fd);
    fd = OK(open("l", O_PATH));
    CHECK_ERR(fcntl(fd, F_SETLEASE, F_RDLCK), EBADF);
}

int main(void)
{
    umask(0);
    file(O_RDWR);
    file(O_PATH);
    directory(O_RDONLY, 0);
    directory(O_PATH, 0);
    directory(O_RDONLY, 1);
    directory(O_PATH, 1);
    lease();
    return done();
}
