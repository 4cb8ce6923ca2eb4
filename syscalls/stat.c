// SPDX-License-Identifier: MIT
// stat and its family, access, statfs.
#include <asm/statfs.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/mount.h>

#include "mounting.h"
#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"

#ifndef STATX_MNT_ID_UNIQUE // Linux 6.8
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

// The kernel's struct stat (asm/stat.h).
struct kstat {
    u64 dev, ino, nlink;
    u32 mode, uid, gid, pad;
    u64 rdev;
    s64 size, blksize, blocks;
    struct {
        s64 sec, nsec;
    } atime, mtime, ctime;
    s64 unused[3];
};
_Static_assert(sizeof(struct kstat) == 144, "kernel's struct stat");

static u64 encode_dev(u32 major, u32 minor)
{
    return (minor & 0xff) | (u64)major << 8 | (u64)(minor & ~0xffu) << 12;
}

static long put_stat(uptr to, const struct statx *st)
{
    struct kstat k;
    // Field by field: gcc would clear the whole of it first, which takes longer than all the rest.
    k.dev = encode_dev(st->stx_dev_major, st->stx_dev_minor);
    k.ino = st->stx_ino;
    k.nlink = st->stx_nlink;
    k.mode = st->stx_mode;
    k.uid = st->stx_uid;
    k.gid = st->stx_gid;
    k.pad = 0;
    k.rdev = encode_dev(st->stx_rdev_major, st->stx_rdev_minor);
    k.size = (s64)st->stx_size;
    k.blksize = st->stx_blksize;
    k.blocks = (s64)st->stx_blocks;
    k.atime.sec = st->stx_atime.tv_sec;
    k.atime.nsec = st->stx_atime.tv_nsec;
    k.mtime.sec = st->stx_mtime.tv_sec;
    k.mtime.nsec = st->stx_mtime.tv_nsec;
    k.ctime.sec = st->stx_ctime.tv_sec;
    k.ctime.nsec = st->stx_ctime.tv_nsec;
    k.unused[0] = k.unused[1] = k.unused[2] = 0;
    return copy_to_guest(to, &k, sizeof k);
}

// A magic link of /proc to something without a path: only the host can follow it. What it leads to
// is shown as by its descriptor.
static bool is_magic(struct task *t, const struct loc *loc, const struct statx *st)
{
    return mount_at(t, loc->mount)->type == FS_PROC && (st->stx_mode & S_IFMT) == S_IFLNK;
}

static __attribute__((noinline)) long stat_magic(struct task *t, struct loc *loc,
                                                 const struct parent *p, u32 mask, struct statx *st)
{
    struct loc there;
    long fd = procfs_open_object(t, p->fd, p->name, loc->rel);
    if (fd < 0)
        return fd;
    if (loc_of_fd(t, (int)fd, &there) >= 0)
        loc->mount = there.mount;
    long r = meta_fstat(t, (int)fd, mask, st);
    temp_close(t, (int)fd);
    return r;
}

// Of a directory of an overlay, whose path tells its links.
static __attribute__((noinline)) void links_of_fd(struct task *t, int fd, struct statx *st)
{
    struct loc loc;
    if (loc_of_fd(t, fd, &loc) >= 0)
        overlay_links(t, &loc, st);
}

static long stat_fd(struct task *t, int fd, u32 mask, struct statx *st)
{
    long r = meta_fstat(t, fd, mask, st);
    if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFDIR && is_overlay(t, fd_mount(t, fd)))
        links_of_fd(t, fd, st);
    return r;
}

static long stat_once(struct task *t, struct loc *loc, int walk, u32 mask, struct statx *st)
{
    struct parent p;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    if (!*p.name && loc->base != AT_FDCWD && !p.temporary && loc->base >= 0 &&
        !fd_is_reserved(t, loc->base)) {
        return stat_fd(t, loc->base, mask, st); // AT_EMPTY_PATH on a guest descriptor
    }
    r = meta_stat(t, loc->mount, &p, mask, st);
    if (r >= 0 && (walk & WALK_FOLLOW) && loc->walked && is_magic(t, loc, st))
        r = stat_magic(t, loc, &p, mask, st);
    else if (r >= 0 && mount_at(t, loc->mount)->type == FS_PROC)
        procfs_stat(t, loc->rel, st);
    else if (r >= 0 && loc->over)
        overlay_links(t, loc, st);
    parent_done(t, &p);
    return r;
}

// Guest attributes of what a path leads to; flags AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. *mount: -1
// where it is not known.
static long stat_in(struct task *t, int dirfd, uptr upath, int flags, u32 mask, struct statx *st,
                    int *mount)
{
    char path[LX_PATH_MAX];
    struct loc loc;
    int walk = pathop_walk_of(flags);
    long r = 0;
    // NULL is "" for AT_EMPTY_PATH since Linux 6.11.
    if (!upath && (flags & AT_EMPTY_PATH))
        path[0] = 0;
    else
        r = copy_str_from_guest(path, upath, sizeof path);
    if (r < 0)
        return r;
    if (!path[0] && (flags & AT_EMPTY_PATH) && dirfd != AT_FDCWD) {
        *mount = fd_mount(t, dirfd);
        return stat_fd(t, dirfd, mask, st);
    }
    temps_begin(t);
    for (int tries = 0, swaps = 0;;) {
        r = path_walk(t, dirfd, path, walk, &loc);
        if (r < 0)
            break;
        r = stat_once(t, &loc, walk, mask, st);
        bool link = r >= 0 && (st->stx_mode & S_IFMT) == S_IFLNK;
        if (link && !loc.walked && ((walk & WALK_FOLLOW) || loc.must_be_dir)) {
            walk |= WALK_FOLLOW;
            r = -ELOOP;
            if (path_put_link(t, &loc, &walk, path)) {
                loc_done(t, &loc);
                continue;
            }
        }
        if (link && loc.walked && !loc.object && (walk & WALK_FOLLOW) && swaps++ < SWAPS) {
            loc_done(t, &loc); // since the walk
            continue;
        }
        if (r >= 0 && loc.must_be_dir && (st->stx_mode & S_IFMT) != S_IFDIR)
            r = -ENOTDIR;
        loc_done(t, &loc);
        if (!walk_again(t, &loc, r, &walk, &tries))
            break;
    }
    temps_end(t);
    *mount = loc.mount;
    return r;
}

long sys_newfstatat(struct task *t, int dirfd, uptr path, uptr buf, int flags)
{
    struct statx st;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    int mount;
    long r = stat_in(t, dirfd, path, flags, STATX_BASIC_STATS, &st, &mount);
    return r < 0 ? r : put_stat(buf, &st);
}

long sys_stat(struct task *t, uptr path, uptr buf)
{
    return sys_newfstatat(t, AT_FDCWD, path, buf, 0);
}

long sys_lstat(struct task *t, uptr path, uptr buf)
{
    return sys_newfstatat(t, AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(struct task *t, int fd, uptr buf)
{
    struct statx st;
    if (fd < 0)
        return -EBADF;
    long r = stat_fd(t, fd, STATX_BASIC_STATS, &st);
    return r < 0 ? r : put_stat(buf, &st);
}

// Is the inode of *st the root directory of overlay m?
static __attribute__((noinline)) bool is_overlay_root(struct task *t, int m, const struct statx *st)
{
    struct loc loc = {.mount = m, .base = mount_root_fd(t, m)};
    struct parent p;
    struct statx root;
    loc.rel[0] = 0;
    if ((st->stx_mode & S_IFMT) != S_IFDIR || overlay_place(t, &loc) < 0)
        return false;
    temps_begin(t);
    long r = parent_open(t, &loc, &p);
    if (r >= 0) {
        r = meta_stat(t, m, &p, STATX_INO | STATX_TYPE, &root);
        parent_done(t, &p);
    }
    temps_end(t);
    return r >= 0 && root.stx_ino == st->stx_ino;
}

// Which mount it is in, and whether as its root, in the guest's terms (Linux: fs/stat.c,
// vfs_statx_path()).
static void put_mount(struct task *t, int mount, struct statx *st)
{
    st->stx_attributes_mask |= STATX_ATTR_MOUNT_ROOT;
    st->stx_attributes &= ~(u64)STATX_ATTR_MOUNT_ROOT;
    st->stx_mask &= ~STATX_MNT_ID_UNIQUE;
    if (mount < 0) {
        st->stx_mask &= ~STATX_MNT_ID;
        return;
    }
    st->stx_mask |= STATX_MNT_ID;
    st->stx_mnt_id = mount_at(t, mount)->id;
    if (is_overlay(t, mount) ? is_overlay_root(t, mount, st) : mount_is_root(t, mount, st))
        st->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
}

long sys_statx(struct task *t, int dirfd, uptr path, int flags, unsigned int mask, uptr buf)
{
    struct statx st;
    int mount = -1;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (mask & STATX__RESERVED))
        return -EINVAL;
    // More than stat(2) has: stx_attributes too.
    mask = (mask & ~STATX_MNT_ID_UNIQUE) | STATX_MNT_ID;
    long r = stat_in(t, dirfd, path, flags, mask, &st, &mount);
    if (r < 0)
        return r;
    put_mount(t, mount, &st);
    META_MORE(&st) = 0;
    return copy_to_guest(buf, &st, sizeof st);
}

// access(2) asks for the real ids, AT_EACCESS for the effective ones.
static struct cred access_cred(const struct task *t, int flags)
{
    struct cred c = t->cred;
    if (!(flags & AT_EACCESS)) {
        c.fsuid = c.ruid;
        c.fsgid = c.rgid;
        // Real root has its permitted capabilities, others none (Linux: fs/open.c,
        // access_override_creds()).
        c.cap_effective = c.ruid ? 0 : c.cap_permitted;
    }
    return c;
}

long sys_faccessat2(struct task *t, int dirfd, uptr path, int mode, int flags)
{
    struct statx st;
    int mount = -1;
    if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    struct cred saved = t->cred, c = access_cred(t, flags);
    t->cred = c; // the walk's search checks use the same identity
    long r = stat_in(t, dirfd, path, flags & ~AT_EACCESS, STATX_BASIC_STATS, &st, &mount);
    t->cred = saved;
    if (r < 0 || !mode)
        return r;
    r = may_access(&c, &st, mode);
    u32 type = st.stx_mode & S_IFMT;
    if (r < 0 || mount < 0)
        return r;
    u32 ms = mount_flags(t, mount);
    if ((mode & MAY_WRITE) && (type == S_IFREG || type == S_IFDIR) && (ms & MS_RDONLY))
        return -EROFS;
    return (mode & MAY_EXEC) && type == S_IFREG && (ms & MS_NOEXEC) ? -EACCES : 0;
}

long sys_faccessat(struct task *t, int dirfd, uptr path, int mode)
{
    return sys_faccessat2(t, dirfd, path, mode, 0);
}

long sys_access(struct task *t, uptr path, int mode)
{
    return sys_faccessat2(t, AT_FDCWD, path, mode, 0);
}

static long is_dir(int fd)
{
    struct statx st;
    long r = host_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
    return r < 0 ? r : (st.stx_mode & S_IFMT) == S_IFDIR ? 0 : -ENOTDIR;
}

#define ST_VALID 0x20 // of f_flags (Linux: include/linux/statfs.h)
#define ST_RELATIME 0x1000

// Flags of the mount are the guest's; what it does not keep (how times of access are written) is
// the host's, and what cannot be written there cannot be written here.
static long statfs_in(struct task *t, int fd, int mount, uptr buf)
{
    struct statfs fs;
    long r = HOST2(__NR_fstatfs, fd, &fs);
    if (r < 0)
        return r;
    if (mount >= 0) {
        u32 ms = mount_flags(t, mount) & MOUNT_FLAGS, atime = ms & MOUNT_ATIME;
        fs.f_flags &= ~(s64)(MOUNT_FLAGS & ~(MS_RDONLY | MOUNT_ATIME));
        if (atime) // else as the host does
            fs.f_flags &= ~(s64)(MOUNT_ATIME | ST_RELATIME);
        if (atime == MS_NODIRATIME)
            fs.f_flags |= ST_RELATIME;
        fs.f_flags |= (s64)(ms & ~(u32)MS_STRICTATIME) | ST_VALID;
    }
    // What is made to be read from /proc lies in a memory file.
    if (mount >= 0 && fs.f_type == TMPFS_MAGIC && mount_at(t, mount)->type == FS_PROC)
        fs.f_type = PROC_SUPER_MAGIC;
    // An overlay is the host's file system that it writes to, by another name.
    if (is_overlay(t, mount))
        fs.f_type = OVERLAYFS_SUPER_MAGIC;
    return copy_to_guest(buf, &fs, sizeof fs);
}

long sys_statfs(struct task *t, uptr path, uptr buf)
{
    struct pathop op;
    long r = pathop_begin(t, &op, AT_FDCWD, path, WALK_FOLLOW | WALK_OBJECT);
    if (r < 0)
        return r;
    long fd = pathop_pin(t, &op);
    r = fd;
    if (fd >= 0) {
        r = op.loc.must_be_dir ? is_dir((int)fd) : 0;
        if (r >= 0)
            r = statfs_in(t, (int)fd, op.loc.mount, buf);
        temp_close(t, (int)fd);
    }
    pathop_end(t, &op);
    return r;
}

long sys_fstatfs(struct task *t, int fd, uptr buf)
{
    return statfs_in(t, fd, fd_mount(t, fd), buf);
}
