// SPDX-License-Identifier: MIT
// A file's size by its path (truncate(2); by a descriptor it is the host's call), and inode flags.
#include <linux/mount.h>

#include "pathop.h"
#include "reach.h"
#include "syscall_rows.h"

#define IS_LINK 1 // since the walk: it is to begin again

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
    if (r >= 0 && (pathop_mount_flags(t, op) & MS_RDONLY))
        r = -EROFS;
    if (r >= 0 && reach_runs_file(t, device_of(&st), st.stx_ino))
        r = -ETXTBSY;
    if (r >= 0)
        r = pathop_up(t, op);
    if (r)
        return r < 0 ? r : may_truncate(t, op);
    return meta_witness(t, op->loc.mount, &op->p, &st);
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
        long r = pathop_begin(t, &op, AT_FDCWD, path, WALK_FOLLOW | WALK_OBJECT);
        if (r < 0)
            return r;
        r = pathop_hold(t, &op, false);
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
    long r = pathop_begin(t, &op, dirfd, path, pathop_walk_of((int)flags));
    if (r < 0)
        return r;
    do {
        r = meta_stat(t, op.loc.mount, &op.p, STATX_BASIC_STATS, &st);
        if (r >= 0 && op.loc.must_be_dir && (st.stx_mode & S_IFMT) != S_IFDIR)
            r = -ENOTDIR;
        if (r >= 0 && set)
            r = pathop_mount_flags(t, &op) & MS_RDONLY  ? -EROFS
                : inode_owner_or_capable(&t->cred, &st) ? 0
                                                        : -EPERM;
        if (r >= 0 && set)
            r = pathop_up(t, &op);
    } while (r > 0);
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
