// SPDX-License-Identifier: MIT
// The common part of path calls (include/pathop.h).
#include <linux/mount.h>

#include "meta.h"
#include "overlay.h"
#include "pathop.h"
#include "pin.h"
#include "procfs.h"

bool fd_is_path(struct task *t, int fd)
{
    if (fd_is_open(t, fd))
        return false;
    long flags = host_fcntl(fd, F_GETFL, 0);
    return flags < 0 || (flags & O_PATH);
}

bool fd_is_read_only(struct task *t, int fd)
{
    int m = mount_of_fd(t, fd);
    return m >= 0 && (mount_flags(t, m) & MS_RDONLY);
}

long fd_may_change_untyped(int fd, const struct statx *st)
{
    return st->stx_mode & S_IFMT ? 0 : HOST3(__NR_fchown, fd, -1, -1);
}

long fd_device_name(struct task *t, int fd, struct loc *loc, struct parent *p)
{
    char rel[48], path[LX_PATH_MAX];
    fmt(rel, sizeof rel, "%u/task/%u/fd/%d", t->proc->tgid, t->tid, fd);
    long n = procfs_readlink(t, rel, path, sizeof path);
    if (n <= 0 || n >= (long)sizeof path)
        return -EPERM;
    path[n] = 0;
    return path_parent(t, AT_FDCWD, path, 0, loc, p);
}

long pathop_begin(struct task *t, struct pathop *op, int dirfd, uptr path, int walk_flags)
{
    long r = copy_str_from_guest(op->path, path, sizeof op->path);
    if (r < 0)
        return r;
    op->walk = walk_flags;
    temps_begin(t); // the root of a mount is not to change its number meanwhile
    r = path_parent(t, dirfd, op->path, walk_flags, &op->loc, &op->p);
    if (r < 0)
        temps_end(t);
    return r < 0 ? r : 0;
}

long pathop_begin_second(struct task *t, struct pathop *op, const struct pathop *first, int dirfd,
                         uptr path)
{
    const struct parent *p = &first->p;
    // A number that is closed for the guest may be that of a temporary by now.
    if ((p->temporary && p->fd == dirfd) || (p->pinned && p->base == dirfd))
        dirfd = -1;
    return pathop_begin(t, op, dirfd, path, WALK_NAME | (first->walk & WALK_LONG));
}

void pathop_end(struct task *t, struct pathop *op)
{
    parent_done(t, &op->p);
    temps_end(t);
}

bool pathop_missed_link(const struct pathop *op, const struct statx *st)
{
    return (op->walk & WALK_LATE) && !op->loc.walked && *op->p.name &&
           ((op->walk & WALK_FOLLOW) || op->loc.must_be_dir) && (st->stx_mode & S_IFMT) == S_IFLNK;
}

bool pathop_again(long result, int *walk)
{
    if (result != -ELOOP || !(*walk & WALK_LATE))
        return false;
    *walk = (*walk & ~WALK_LATE) | WALK_SLOW | WALK_FOLLOW;
    return true;
}

long pathop_may_change(struct task *t, struct pathop *op, struct statx *dir)
{
    if (pathop_mount_flags(t, op) & MS_RDONLY)
        return -EROFS;
    long r = meta_stat_dir(t, op->loc.mount, &op->p, dir);
    return r < 0 ? r : may_access(&t->cred, dir, MAY_WRITE | MAY_EXEC);
}

bool pathop_is_gone(const struct pathop *op)
{
    struct statx st;
    return host_statx(op->p.fd, "", AT_EMPTY_PATH, STATX_NLINK, &st) >= 0 && !st.stx_nlink;
}

// Linux: fs/namei.c, filename_create() and may_create().
long pathop_may_make(struct task *t, struct pathop *op, bool directory, struct statx *dir)
{
    struct statx st;
    if (pathop_is_root(t, op))
        return -EEXIST;
    if (pathop_mount(t, op)->type == FS_PROC) { // whose look-up fails for what is not there
        long r = host_statx(op->p.fd, op->p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
        return r < 0 ? r : -EEXIST;
    }
    long r = op->loc.must_be_dir && !directory ? -ENOENT : pathop_may_change(t, op, dir);
    if (r >= 0)
        return 0;
    if (op->p.over >= OVER_ABSENT)
        return r;
    long there = host_statx(op->p.fd, op->p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    if (there == -ENOENT && r == -EACCES && pathop_is_gone(op))
        return -ENOENT;
    return there >= 0 ? -EEXIST : there == -ENOENT ? r : there;
}

bool pathop_is_mount_point(struct task *t, struct pathop *op, bool below)
{
    char path[LX_PATH_MAX];
    if (!below && !mount_at(t, op->loc.mount)->drive.names &&
        !mount_name_is_point(t, op->p.name, strlen(op->p.name)))
        return false;
    long n = instance_path_of_loc(t, &op->loc, path, sizeof path);
    for (int m = 1; n > 0 && m < MOUNTS_MAX; m++) {
        const struct mount_entry *e = mount_at(t, m);
        if (mount_is_live(t, m) && !strncmp(e->point, path, (size_t)n) &&
            (!e->point[n] || (below && e->point[n] == '/')))
            return true;
    }
    return false;
}

long pathop_pin(struct task *t, struct pathop *op)
{
    char path[FD_PATH_SIZE];
    if (*op->p.name || op->p.fd == AT_FDCWD)
        return temp_open(t, op->p.fd, *op->p.name ? op->p.name : ".", O_PATH | O_NOFOLLOW,
                         RESOLVE_BENEATH);
    fmt(path, sizeof path, FD_PATH, op->p.fd);
    return temp_open(t, AT_FDCWD, path, O_PATH, 0);
}

long pathop_hold(struct task *t, struct pathop *op, bool always)
{
    struct statx st;
    bool upper = op->p.over == OVER_UPPER;
    if ((fs_may_all(&t->cred) && !always && !upper) || !*op->p.name || (op->p.over && !upper) ||
        !meta_is_kept(t, op->loc.mount))
        return 0;
    long fd = pathop_pin(t, op);
    if (fd < 0)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
    u32 type = st.stx_mode & S_IFMT;
    if (r >= 0 && upper && overlay_is_white(t, op->loc.mount, op->p.fd, op->p.name, &st))
        r = -ENOENT; // removed since the walk
    if (r < 0 || (type != S_IFREG && type != S_IFDIR)) {
        temp_close(t, (int)fd);
        return r;
    }
    parent_done(t, &op->p);
    op->p = (struct parent){.fd = (int)fd, .temporary = true, .name = ""};
    return 0;
}

long pathop_up(struct task *t, struct pathop *op)
{
    if (op->p.over != OVER_LOWER)
        return 0;
    long r = overlay_copy_up(t, &op->loc, &op->p);
    if (r >= 0)
        r = pathop_hold(t, op, true);
    return r < 0 ? r : 1;
}

int pathop_name_mount(struct task *t, const struct pathop *op)
{
    int m = op->loc.mount;
    if (op->p.last != LAST_NAME || !pathop_is_root(t, op))
        return m;
    const char *point = mount_at(t, m)->point;
    do // also what was mounted there before
        m = mount_at(t, m)->parent;
    while (m >= 0 && !strcmp(mount_at(t, m)->point, point));
    return MAX(m, 0);
}
