// SPDX-License-Identifier: MIT
// Changing attributes: chmod, chown, times, size, inode flags. Rules: chmod(2), chown(2),
// utimensat(2); Linux: fs/attr.c, fs/open.c.
#include <linux/capability.h>
#include <linux/mount.h>

#include "meta.h"
#include "pathop.h"
#include "pin.h"
#include "reach.h"
#include "syscall_rows.h"

static int walk_of(int flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
           (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

static long may_chmod(const struct task *t, const struct statx *st, struct meta_change *c)
{
    if (!inode_owner_or_capable(&t->cred, st))
        return -EPERM;
    c->mode &= 07777;
    if (!cred_in_group(&t->cred, st->stx_gid) && !cred_has_cap(&t->cred, CAP_FSETID))
        c->mode &= ~(u32)S_ISGID;
    return 0;
}

static long may_chown(const struct task *t, const struct statx *st, struct meta_change *c)
{
    bool any = cred_has_cap(&t->cred, CAP_CHOWN), own = t->cred.fsuid == st->stx_uid;
    if ((c->what & META_UID) && !any && !(own && c->uid == st->stx_uid))
        return -EPERM;
    if ((c->what & META_GID) && !any &&
        !(own && (c->gid == st->stx_gid || cred_in_group(&t->cred, c->gid))))
        return -EPERM;
    u32 mode = st->stx_mode;
    if ((mode & S_IFMT) != S_IFDIR) {
        u32 drop = mode & S_ISUID;
        if ((mode & S_ISGID) && ((mode & S_IXGRP) || (!cred_in_group(&t->cred, st->stx_gid) &&
                                                      !cred_has_cap(&t->cred, CAP_FSETID))))
            drop |= S_ISGID;
        if (drop && !inode_owner_or_capable(&t->cred, st))
            return -EPERM; // as a change of mode would be
        if (META_MORE(st) & CAPS_HOLD)
            c->what |= META_NO_CAPS;
        if (drop) { // a change of mode, in which who is not of the new group loses its bit
            u32 gid = c->what & META_GID ? c->gid : st->stx_gid;
            if (!cred_in_group(&t->cred, gid) && !cred_has_cap(&t->cred, CAP_FSETID))
                drop |= S_ISGID;
            c->what |= META_MODE;
            c->mode = mode & 07777 & ~drop;
        }
    }
    return 0;
}

static long may_change(const struct task *t, const struct statx *st, struct meta_change *c)
{
    return c->what & META_MODE ? may_chmod(t, st, c) : may_chown(t, st, c);
}

static bool in_proc(struct task *t, int mount)
{
    return mount >= 0 && mount_at(t, mount)->type == FS_PROC;
}

// *st: the host's view of rel in /proc, or for NULL of what fd is open on there.
static __attribute__((noinline)) long change_in_proc(struct task *t, const char *rel, int fd,
                                                     struct statx *st, struct meta_change *c)
{
    struct loc loc;
    if (!rel)
        rel = procfs_name_of_fd(t, fd, &loc);
    if (!rel)
        return -EPERM;
    procfs_stat(t, rel, st);
    long r = may_change(t, st, c);
    return r < 0 || !c->what ? r : procfs_change(t, rel, st, c);
}

// What is changed is in a lower layer of an overlay: to be copied up, and looked at again.
#define COPY_UP 1
#define IS_LINK 2 // since the walk: it is to begin again

static long change_seen(struct task *t, struct pathop *op, struct meta_view *v,
                        struct meta_change *c)
{
    u32 type = v->guest.stx_mode & S_IFMT;
    if (op->loc.must_be_dir && type != S_IFDIR)
        return -ENOTDIR;
    if ((c->what & META_MODE) && type == S_IFLNK)
        return -EOPNOTSUPP;
    if (in_proc(t, op->loc.mount))
        return change_in_proc(t, op->path[0] ? op->loc.rel : NULL, op->p.fd, &v->guest, c);
    long r = may_change(t, &v->guest, c);
    if (r < 0 || !c->what)
        return r;
    return op->p.over == OVER_LOWER ? COPY_UP : meta_set(t, op->loc.mount, &op->p, v, c);
}

// The name that the guest has for the device that fd is open on, which is the host's. Temporaries
// are counted already.
static long device_name(struct task *t, int fd, struct loc *loc, struct parent *p)
{
    char rel[48], path[LX_PATH_MAX];
    fmt(rel, sizeof rel, "%u/task/%u/fd/%d", t->proc->tgid, t->tid, fd);
    long n = procfs_readlink(t, rel, path, sizeof path);
    if (n <= 0 || n >= (long)sizeof path)
        return -EPERM;
    path[n] = 0;
    return path_parent(t, AT_FDCWD, path, 0, loc, p);
}

static bool is_hosts_device(const struct statx *st)
{
    u32 type = st->stx_mode & S_IFMT;
    return (type == S_IFCHR || type == S_IFBLK) && !is_pts(st);
}

// Owner or mode of one that was opened in the guest's /dev. (Of a node elsewhere the descriptor
// does not tell which it was.)
static __attribute__((noinline)) long change_device(struct task *t, int fd, const struct statx *dev,
                                                    struct meta_change *c)
{
    struct loc loc;
    struct parent p;
    struct meta_view v;
    u32 type, major, minor;
    int m = fd_mount(t, fd);
    if (m < 0 || mount_at(t, m)->type != FS_DEVFS)
        return -EPERM;
    temps_begin(t);
    long r = device_name(t, fd, &loc, &p);
    if (r >= 0) {
        bool same = loc.mount == m && *p.name && meta_device(&p, &type, &major, &minor) &&
                    type == (dev->stx_mode & S_IFMT) && major == dev->stx_rdev_major &&
                    minor == dev->stx_rdev_minor;
        r = same ? meta_look(t, m, &p, &v) : -EPERM;
        if (r >= 0) {
            r = may_change(t, &v.guest, c);
            if (r >= 0 && c->what)
                r = meta_set(t, m, &p, &v, c);
            meta_done(t, &v);
        }
        parent_done(t, &p);
    }
    temps_end(t);
    return r;
}

// Could it not be changed because the name had become a link's, since the walk or since the look at
// it? The host changes no mode of one and gives it no attribute. An inode that is moved gets
// another ctime.
static bool was_link(const struct pathop *op, const struct meta_view *v, long result)
{
    const struct statx *st = &v->host;
    struct statx now;
    if ((result != -EPERM && result != -EOPNOTSUPP) || !*op->p.name || op->loc.object)
        return false;
    if ((v->guest.stx_mode & S_IFMT) == S_IFLNK)
        return op->walk & WALK_FOLLOW;
    return host_statx(op->p.fd, op->p.name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &now) >= 0 &&
           (now.stx_ino != st->stx_ino ||
            memcmp(&now.stx_ctime, &st->stx_ctime, sizeof now.stx_ctime));
}

static long change_place(struct task *t, struct pathop *op, struct meta_change *c)
{
    struct meta_view v;
    long r = meta_look(t, op->loc.mount, &op->p, &v);
    if (r < 0)
        return r;
    if (pathop_mount(t, op)->flags & MS_RDONLY) {
        bool dir = (v.host.stx_mode & S_IFMT) == S_IFDIR;
        meta_done(t, &v);
        return pathop_missed_link(op, &v.host) ? -ELOOP
               : op->loc.must_be_dir && !dir   ? -ENOTDIR
                                               : -EROFS;
    }
    if (!op->path[0] && op->p.fd >= 0 && c->what && is_hosts_device(&v.host)) {
        meta_done(t, &v);
        return change_device(t, op->p.fd, &v.host, c);
    }
    r = pathop_missed_link(op, &v.host) ? -ELOOP : change_seen(t, op, &v, c);
    if (r < 0 && was_link(op, &v, r))
        r = IS_LINK;
    meta_done(t, &v);
    if (r != COPY_UP)
        return r;
    r = pathop_up(t, op);
    return r < 0 ? r : change_place(t, op, c);
}

static long change_at(struct task *t, int dirfd, uptr path, int flags, struct meta_change c)
{
    struct pathop op;
    int walk = walk_of(flags) | WALK_LATE, tries = 0;
    long r;
    do {
        r = pathop_begin(t, &op, dirfd, path, walk);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op);
        if (r >= 0)
            r = change_place(t, &op, &c);
        pathop_end(t, &op);
    } while (pathop_again(r, &walk) || (r == IS_LINK && tries++ < SWAPS));
    return r == IS_LINK ? -EPERM : r;
}

// Has it no type: an eventfd, epoll, timerfd... whose inode all such descriptors of the host share?
// The kernel says what may be changed of that; it changes nothing here.
static long may_change_untyped(int fd, const struct statx *st)
{
    return st->stx_mode & S_IFMT ? 0 : HOST3(__NR_fchown, fd, -1, -1);
}

static bool fd_is_read_only(struct task *t, int fd)
{
    int m = mount_of_fd(t, fd);
    return m >= 0 && (mount_at(t, m)->flags & MS_RDONLY);
}

// In an overlay, a descriptor may be of what is not (any more) its file of that name. NOT_OVER:
// this one is not. In a frame of their own, as they are rarely needed.
#define NOT_OVER 1
static __attribute__((noinline)) long change_upper(struct task *t, int fd, struct meta_change *c)
{
    struct loc loc;
    struct parent p;
    struct meta_view v;
    long r = overlay_fd_up(t, fd, &loc, &p);
    if (r <= 0)
        return r < 0 ? r : NOT_OVER;
    r = meta_look(t, loc.mount, &p, &v);
    if (r >= 0) {
        r = may_change(t, &v.guest, c);
        if (r >= 0 && c->what)
            r = meta_set(t, loc.mount, &p, &v, c);
        meta_done(t, &v);
    }
    parent_done(t, &p);
    return r;
}

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

static long change_fd(struct task *t, int fd, struct meta_change c)
{
    struct parent p = {.fd = fd, .name = "", .guests = true};
    struct meta_view v;
    if (fd < 0) // AT_FDCWD, too
        return -EBADF;
    bool read_only = fd_is_read_only(t, fd); // finds the mount, too
    if (is_overlay(t, fd_mount(t, fd))) {
        long up = change_upper(t, fd, &c);
        if (up != NOT_OVER)
            return up;
    }
    long r = meta_look(t, fd_mount(t, fd), &p, &v);
    if (r < 0)
        return r;
    u32 type = v.host.stx_mode & S_IFMT;
    if (is_hosts_device(&v.host) && c.what && !read_only && !fd_is_path(t, fd)) {
        meta_done(t, &v);
        return change_device(t, fd, &v.host, &c);
    }
    if (in_proc(t, fd_mount(t, fd))) {
        meta_done(t, &v);
        r = fd_is_path(t, fd) ? -EBADF : read_only ? -EROFS : 0;
        return r < 0 ? r : change_in_proc(t, NULL, fd, &v.guest, &c);
    }
    r = read_only ? -EROFS : may_change_untyped(fd, &v.host);
    if (r >= 0)
        r = may_change(t, &v.guest, &c);
    // The change of a file or directory says itself that it cannot be made by this descriptor.
    bool told = r >= 0 && c.what && (type == S_IFREG || type == S_IFDIR);
    if (!told && fd_is_path(t, fd))
        r = -EBADF;
    if (r >= 0 && c.what)
        r = meta_set(t, fd_mount(t, fd), &p, &v, &c);
    meta_done(t, &v);
    return r < 0 && told && fd_is_path(t, fd) ? -EBADF : r;
}

long sys_chmod(struct task *t, uptr path, unsigned int mode)
{
    return change_at(t, AT_FDCWD, path, 0, (struct meta_change){META_MODE, 0, 0, mode});
}

long sys_fchmodat(struct task *t, int dirfd, uptr path, unsigned int mode)
{
    return change_at(t, dirfd, path, 0, (struct meta_change){META_MODE, 0, 0, mode});
}

long sys_fchmodat2(struct task *t, int dirfd, uptr path, unsigned int mode, unsigned int flags)
{
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(t, dirfd, path, (int)flags, (struct meta_change){META_MODE, 0, 0, mode});
}

long sys_fchmod(struct task *t, int fd, unsigned int mode)
{
    return change_fd(t, fd, (struct meta_change){META_MODE, 0, 0, mode});
}

static struct meta_change owner_change(unsigned int uid, unsigned int gid)
{
    struct meta_change c = {.uid = uid, .gid = gid};
    c.what = (uid != ~0u ? META_UID : 0) | (gid != ~0u ? META_GID : 0);
    return c;
}

long sys_chown(struct task *t, uptr path, unsigned int uid, unsigned int gid)
{
    return change_at(t, AT_FDCWD, path, 0, owner_change(uid, gid));
}

long sys_lchown(struct task *t, uptr path, unsigned int uid, unsigned int gid)
{
    return change_at(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, owner_change(uid, gid));
}

long sys_fchownat(struct task *t, int dirfd, uptr path, unsigned int uid, unsigned int gid,
                  int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(t, dirfd, path, flags, owner_change(uid, gid));
}

long sys_fchown(struct task *t, int fd, unsigned int uid, unsigned int gid)
{
    return change_fd(t, fd, owner_change(uid, gid));
}

// ---- Times ----

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
    long r = device_name(t, fd, &loc, &p);
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
    bool read_only = pathop_mount(t, op)->flags & MS_RDONLY, valid = are_valid(ts);
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
    if (up < 0)
        return up;
    if (*op->p.name)
        return HOST4(__NR_utimensat, op->p.fd, op->p.name, ts, AT_SYMLINK_NOFOLLOW);
    if (op->p.fd != AT_FDCWD && is_device(t, op->p.fd))
        return set_device_times(t, op->p.fd, ts);
    fmt(name, sizeof name, FD_PATH, op->p.fd);
    return HOST4(__NR_utimensat, AT_FDCWD, op->p.fd == AT_FDCWD ? "." : name, ts, 0);
}

static long set_times(struct task *t, int dirfd, uptr path, const struct __kernel_timespec *ts,
                      int flags)
{
    struct statx st;
    struct pathop op;
    long r;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!path && dirfd != AT_FDCWD) { // futimens
        if (flags)
            return -EINVAL;
        // Whose it is does not matter to CAP_FOWNER, and the host tells of O_PATH.
        bool read_only = fd_is_read_only(t, dirfd); // finds the mount, too
        bool valid = are_valid(ts);
        bool any = cred_has_cap(&t->cred, CAP_FOWNER) && !read_only && valid;
        r = any ? 0 : meta_fstat(t, dirfd, STATX_BASIC_STATS, &st);
        if (r >= 0 && !any)
            r = !valid ? -EINVAL : read_only ? -EROFS : may_utime(t, &st, ts);
        if (r < 0 && fd_is_path(t, dirfd))
            r = -EBADF;
        if (r >= 0 && is_overlay(t, fd_mount(t, dirfd))) {
            r = times_upper(t, dirfd, ts);
            if (r != NOT_OVER)
                return r;
        }
        if (r >= 0 && is_device(t, dirfd))
            return fd_is_path(t, dirfd) ? -EBADF : set_device_times(t, dirfd, ts);
        if (r >= 0 && is_hosts_fd(t, dirfd))
            r = -EPERM;
        if (r < 0)
            return r;
        r = HOST4(__NR_utimensat, dirfd, NULL, ts, 0);
        // Permission has been asked for, so the host's user is not whom it is about.
        if ((r == -EACCES || r == -EPERM) &&
            host_statx(dirfd, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0) {
            long untyped = may_change_untyped(dirfd, &st);
            r = untyped < 0 ? untyped : r;
        }
        return r;
    }
    int walk = walk_of(flags) | WALK_LATE;
    do {
        r = pathop_begin(t, &op, dirfd, path, walk);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op);
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

// ---- Size ----

static long may_truncate(struct task *t, struct pathop *op)
{
    struct statx st;
    long r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
    if (r < 0)
        return r;
    u32 type = st.stx_mode & S_IFMT;
    if (type == S_IFLNK && *op->p.name && !op->loc.object)
        return IS_LINK;
    if (op->loc.must_be_dir && type != S_IFDIR)
        return -ENOTDIR;
    if (type != S_IFREG)
        return type == S_IFDIR ? -EISDIR : -EINVAL;
    r = may_access(&t->cred, &st, MAY_WRITE);
    if (r >= 0 && (pathop_mount(t, op)->flags & MS_RDONLY))
        r = -EROFS;
    if (r >= 0 && reach_runs_file(t, (u64)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino))
        r = -ETXTBSY;
    if (r >= 0)
        r = pathop_up(t, op);
    return r < 0 ? r : meta_witness(t, op->loc.mount, &op->p, &st);
}

static bool is_link(int fd)
{
    struct statx st;
    return host_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0 &&
           (st.stx_mode & S_IFMT) == S_IFLNK;
}

long sys_truncate(struct task *t, uptr path, long size)
{
    struct pathop op;
    char name[FD_PATH_SIZE];
    if (size < 0)
        return -EINVAL;
    for (int tries = 0;; tries++) {
        long r = pathop_begin(t, &op, AT_FDCWD, path, WALK_FOLLOW);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op);
        if (r >= 0)
            r = may_truncate(t, &op);
        if (r >= 0)
            r = pathop_pin(t, &op);
        if (r >= 0) {
            int fd = (int)r;
            fmt(name, sizeof name, FD_PATH, fd);
            r = HOST_INTR2(__NR_truncate, name, size);
            if (r == -EINVAL && is_link(fd))
                r = IS_LINK;
            temp_close(t, fd);
        }
        pathop_end(t, &op);
        if (r != IS_LINK || tries == SWAPS)
            return r == IS_LINK ? -EINVAL : r;
    }
}

// ---- Inode flags ----

#ifndef __NR_file_getattr // Linux 6.17
#define __NR_file_getattr 468
#define __NR_file_setattr 469
#endif
#define FILE_ATTR_SIZE 24 // FILE_ATTR_SIZE_VER0

// Neither takes an O_PATH descriptor: by name in the pinned directory, or through /proc.
static long file_attr(struct task *t, long nr, int dirfd, uptr path, uptr attr, size_t size,
                      unsigned int flags)
{
    struct pathop op;
    struct statx st;
    char name[FD_PATH_SIZE];
    bool set = nr == __NR_file_setattr;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (size > LX_PAGE)
        return -E2BIG;
    if (size < FILE_ATTR_SIZE)
        return -EINVAL;
    if (!guest_range_ok(attr, size))
        return -EFAULT;
    long r = pathop_begin(t, &op, dirfd, path, walk_of((int)flags));
    if (r < 0)
        return r;
    r = meta_stat(t, op.loc.mount, &op.p, STATX_BASIC_STATS, &st);
    if (r >= 0 && op.loc.must_be_dir && (st.stx_mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR;
    if (r >= 0 && set)
        r = pathop_mount(t, &op)->flags & MS_RDONLY ? -EROFS
            : inode_owner_or_capable(&t->cred, &st) ? 0
                                                    : -EPERM;
    if (r >= 0 && set)
        r = pathop_up(t, &op);
    if (r >= 0 && (*op.p.name || op.p.fd == AT_FDCWD)) {
        r = HOST5(nr, op.p.fd, *op.p.name ? op.p.name : ".", attr, size, AT_SYMLINK_NOFOLLOW);
    } else if (r >= 0) {
        fmt(name, sizeof name, FD_PATH, op.p.fd);
        r = HOST5(nr, AT_FDCWD, name, attr, size, 0);
    }
    pathop_end(t, &op);
    return r;
}

long sys_file_getattr(struct task *t, int dirfd, uptr path, uptr attr, size_t size,
                      unsigned int flags)
{
    return file_attr(t, __NR_file_getattr, dirfd, path, attr, size, flags);
}

long sys_file_setattr(struct task *t, int dirfd, uptr path, uptr attr, size_t size,
                      unsigned int flags)
{
    return file_attr(t, __NR_file_setattr, dirfd, path, attr, size, flags);
}
