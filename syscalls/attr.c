// SPDX-License-Identifier: MIT
// Changing mode and owner (chmod(2), chown(2); Linux: fs/attr.c, fs/open.c). Times: utimes.c; size
// and inode flags: truncate.c.
#include <linux/capability.h>
#include <linux/mount.h>

#include "meta.h"
#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"

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
    long r = fd_device_name(t, fd, &loc, &p);
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
    if (pathop_mount_flags(t, op) & MS_RDONLY) {
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
    int walk = pathop_walk_of(flags) | WALK_LATE, tries = 0;
    long r;
    do {
        r = pathop_begin(t, &op, dirfd, path, walk);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op, tries);
        if (r >= 0)
            r = change_place(t, &op, &c);
        pathop_end(t, &op);
    } while (pathop_again(r, &walk) || ((r == IS_LINK || r == META_ANOTHER) && tries++ < SWAPS));
    return r == IS_LINK || r == META_ANOTHER ? -EPERM : r;
}

static long change_copy(struct task *t, int mount, const struct parent *p, struct meta_change *c)
{
    struct meta_view v;
    long r = meta_look(t, mount, p, &v);
    if (r < 0)
        return r;
    r = may_change(t, &v.guest, c);
    if (r >= 0 && c->what)
        r = meta_set(t, mount, p, &v, c);
    meta_done(t, &v);
    return r;
}

// In an overlay, a descriptor may be of what is not (any more) its file of that name. NOT_OVER:
// this one is not. In a frame of its own, as it is rarely needed.
#define NOT_OVER 1
static __attribute__((noinline)) long change_upper(struct task *t, int fd, struct meta_change *c)
{
    struct loc loc;
    struct parent p, held;
    long r = overlay_fd_up(t, fd, &loc, &p);
    if (r <= 0)
        return r < 0 ? r : NOT_OVER;
    r = change_copy(t, loc.mount, &p, c);
    if (r == META_ANOTHER) {
        r = meta_hold(t, &p, &held);
        if (r >= 0) {
            r = change_copy(t, loc.mount, &held, c);
            temp_close(t, held.fd);
        }
    }
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
    r = read_only ? -EROFS : fd_may_change_untyped(fd, &v.host);
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
