// SPDX-License-Identifier: MIT
// Setting a file's times: utimensat(2) and its like. Linux: fs/utimes.c, fs/attr.c.
#include <linux/capability.h>
#include <linux/mount.h>

#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"

#define NOW 0x3fffffffL  // UTIME_NOW
#define OMIT 0x3ffffffeL // UTIME_OMIT

static bool are_valid(const struct __kernel_timespec *ts)
{
    for (int i = 0; ts && i < 2; i++)
        if (ts[i].tv_nsec != NOW && ts[i].tv_nsec != OMIT &&
            (ts[i].tv_nsec < 0 || ts[i].tv_nsec > 999999999))
            return false;
    return true;
}

// May the task set these times (NULL: both now)? utimensat(2), "Permissions requirements".
static long may_utime(struct task *t, const struct statx *st, const struct __kernel_timespec *ts)
{
    bool now = !ts || (ts[0].tv_nsec == NOW && ts[1].tv_nsec == NOW);
    if (inode_owner_or_capable(&t->cred, st))
        return 0;
    if (!now)
        return -EPERM;
    return may_access(&t->cred, st, MAY_WRITE);
}

static bool is_device(struct task *t, int fd)
{
    struct statx st;
    if (fd_is_file(t, fd) || host_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
        return false;
    return (st.stx_mode & S_IFMT) == S_IFCHR || (st.stx_mode & S_IFMT) == S_IFBLK;
}

// A device that fd is open on is the host's, in whose /dev a guest changes nothing: the name that
// the guest has for it gets the times.
static __attribute__((noinline)) long set_device_times(struct task *t, int fd,
                                                       const struct __kernel_timespec *ts)
{
    struct loc loc;
    struct parent p;
    temps_begin(t);
    long r = fd_device_name(t, fd, &loc, &p);
    if (r >= 0) {
        r = *p.name ? HOST4(__NR_utimensat, p.fd, p.name, ts, AT_SYMLINK_NOFOLLOW) : -EPERM;
        parent_done(t, &p);
    }
    temps_end(t);
    return r < 0 ? -EPERM : 0;
}

// What a descriptor is open on, asked only where it may be the host's own.
static __attribute__((noinline)) bool is_hosts_fd(struct task *t, int fd)
{
    struct loc loc;
    int m = fd == AT_FDCWD ? t->fs->cwd_mount : fd_mount(t, fd);
    u32 type = m >= 0 ? mount_at(t, m)->type : FS_PROC;
    return (type == FS_PROC || type == FS_SYSFS) && loc_of_fd(t, fd, &loc) >= 0 &&
           procfs_is_hosts(t, &loc);
}

static long set_times_of(struct task *t, struct pathop *op, const struct __kernel_timespec *ts)
{
    struct statx st;
    char name[FD_PATH_SIZE];
    bool read_only = pathop_mount_flags(t, op) & MS_RDONLY, valid = are_valid(ts);
    // With CAP_FOWNER it does not matter whose it is, unless a link is to be followed.
    if (read_only || !valid || !cred_has_cap(&t->cred, CAP_FOWNER) || (op->walk & WALK_FOLLOW) ||
        op->loc.must_be_dir) {
        long r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
        if (r >= 0 && pathop_missed_link(op, &st))
            r = -ELOOP;
        if (r >= 0 && op->loc.must_be_dir && (st.stx_mode & S_IFMT) != S_IFDIR)
            r = -ENOTDIR;
        if (r >= 0 && !valid) // before whose it is (Linux: vfs_utimes())
            r = -EINVAL;
        if (r >= 0 && read_only)
            r = -EROFS;
        if (r >= 0 && op->path[0] && pathop_mount(t, op)->type == FS_PROC)
            procfs_stat(t, op->loc.rel, &st);
        else if (r >= 0 && !op->path[0])
            procfs_stat_fd(t, op->p.fd, &st);
        if (r >= 0)
            r = may_utime(t, &st, ts);
        if (r < 0)
            return r;
    }
    if (op->path[0] ? procfs_is_hosts(t, &op->loc) : is_hosts_fd(t, op->p.fd))
        return -EPERM;
    long up = pathop_up(t, op);
    if (up)
        return up < 0 ? up : set_times_of(t, op, ts);
    if (*op->p.name)
        return HOST4(__NR_utimensat, op->p.fd, op->p.name, ts, AT_SYMLINK_NOFOLLOW);
    if (op->p.fd != AT_FDCWD && is_device(t, op->p.fd))
        return set_device_times(t, op->p.fd, ts);
    fmt(name, sizeof name, FD_PATH, op->p.fd);
    return HOST4(__NR_utimensat, AT_FDCWD, op->p.fd == AT_FDCWD ? "." : name, ts, 0);
}

// In an overlay, of a descriptor: as change_upper() in attr.c.
#define NOT_OVER 1
static __attribute__((noinline)) long times_upper(struct task *t, int fd,
                                                  const struct __kernel_timespec *ts)
{
    struct loc loc;
    struct parent p;
    long r = overlay_fd_up(t, fd, &loc, &p);
    if (r <= 0)
        return r < 0 ? r : NOT_OVER;
    r = HOST4(__NR_utimensat, p.fd, p.name, ts, AT_SYMLINK_NOFOLLOW);
    parent_done(t, &p);
    return r;
}

// futimens(3).
static long set_times_fd(struct task *t, int fd, const struct __kernel_timespec *ts)
{
    struct statx st;
    // Whose it is does not matter to CAP_FOWNER, and the host tells of O_PATH.
    bool read_only = fd_is_read_only(t, fd); // finds the mount, too
    bool valid = are_valid(ts);
    bool any = cred_has_cap(&t->cred, CAP_FOWNER) && !read_only && valid;
    long r = any ? 0 : meta_fstat(t, fd, STATX_BASIC_STATS, &st);
    if (r >= 0 && !any)
        r = !valid ? -EINVAL : read_only ? -EROFS : may_utime(t, &st, ts);
    if (r < 0 && fd_is_path(t, fd))
        r = -EBADF;
    if (r >= 0 && is_overlay(t, fd_mount(t, fd))) {
        r = times_upper(t, fd, ts);
        if (r != NOT_OVER)
            return r;
    }
    if (r >= 0 && is_device(t, fd))
        return fd_is_path(t, fd) ? -EBADF : set_device_times(t, fd, ts);
    if (r >= 0 && is_hosts_fd(t, fd))
        r = -EPERM;
    if (r < 0)
        return r;
    r = HOST4(__NR_utimensat, fd, NULL, ts, 0);
    // Permission has been asked for, so the host's user is not whom it is about.
    if ((r == -EACCES || r == -EPERM) && host_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0) {
        long untyped = fd_may_change_untyped(fd, &st);
        r = untyped < 0 ? untyped : r;
    }
    return r;
}

static long set_times(struct task *t, int dirfd, uptr path, const struct __kernel_timespec *ts,
                      int flags)
{
    struct pathop op;
    long r;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!path && dirfd != AT_FDCWD)
        return flags ? -EINVAL : set_times_fd(t, dirfd, ts);
    int walk = pathop_walk_of(flags) | WALK_LATE;
    do {
        r = pathop_begin(t, &op, dirfd, path, walk);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op, false);
        if (r >= 0)
            r = set_times_of(t, &op, ts);
        pathop_end(t, &op);
    } while (pathop_again(r, &walk));
    return r;
}

long sys_utimensat(struct task *t, int dirfd, uptr path, uptr times, int flags)
{
    struct __kernel_timespec ts[2];
    if (times && copy_from_guest(ts, times, sizeof ts))
        return -EFAULT;
    if (times && ts[0].tv_nsec == OMIT && ts[1].tv_nsec == OMIT)
        return 0; // "we must not even check the path" (fs/utimes.c)
    return set_times(t, dirfd, path, times ? ts : NULL, flags);
}

static long set_timevals(struct task *t, int dirfd, uptr path, uptr times)
{
    struct {
        s64 sec, usec;
    } tv[2];
    struct __kernel_timespec ts[2];
    if (times && copy_from_guest(tv, times, sizeof tv))
        return -EFAULT;
    for (int i = 0; times && i < 2; i++) {
        if (tv[i].usec < 0 || tv[i].usec >= 1000000)
            return -EINVAL;
        ts[i] = (struct __kernel_timespec){tv[i].sec, tv[i].usec * 1000};
    }
    return set_times(t, dirfd, path, times ? ts : NULL, 0);
}

long sys_utimes(struct task *t, uptr path, uptr times)
{
    return set_timevals(t, AT_FDCWD, path, times);
}

long sys_futimesat(struct task *t, int dirfd, uptr path, uptr times)
{
    return set_timevals(t, dirfd, path, times);
}

long sys_utime(struct task *t, uptr path, uptr times)
{
    s64 sec[2];
    if (times && copy_from_guest(sec, times, sizeof sec))
        return -EFAULT;
    struct __kernel_timespec ts[2] = {{.tv_sec = times ? sec[0] : 0},
                                      {.tv_sec = times ? sec[1] : 0}};
    return set_times(t, AT_FDCWD, path, times ? ts : NULL, 0);
}
