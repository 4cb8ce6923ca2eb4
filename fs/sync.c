// SPDX-License-Identifier: MIT
// fsync(2): what the host's own call leaves out. In an overlay a descriptor may be of a lower
// layer's file, while the guest's has been copied up since (Linux syncs the copy: ovl_fsync()); and
// attributes may lie beside the tree (fs/attrstore.c). All else that lxcore keeps of a file is in
// the file, or in the directory that has its name: the host's call is enough.
#include "sync.h"

#include "attrstore.h"
#include "host.h"
#include "overlay.h"

long sync_directory(struct task *t, int at, const char *name, int call)
{
    long fd = temp_open(t, at, name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return fd;
    long r = HOST1(call, fd);
    temp_close(t, (int)fd);
    return r;
}

// The inode at p, if it is not the descriptor's. A file cannot be opened for that: closing it would
// drop the process's locks on it.
static long sync_copy(struct task *t, int fd, const struct loc *loc, const struct parent *p)
{
    struct statx mine, there;
    long r = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &mine);
    if (r >= 0)
        r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS,
                       &there);
    if (r < 0 || is_same_inode(&mine, &there))
        return r;
    if ((there.stx_mode & S_IFMT) == S_IFDIR)
        return sync_directory(t, p->fd, *p->name ? p->name : ".", __NR_fsync);
    return sync_directory(t, mount_root_fd(t, mount_at(t, loc->mount)->top), ".", __NR_syncfs);
}

static long sync_upper(struct task *t, int fd)
{
    struct loc loc;
    struct parent p;
    if (loc_of_fd(t, fd, &loc) < 0 || !is_overlay(t, loc.mount) || overlay_place(t, &loc) < 0 ||
        loc.over != OVER_UPPER)
        return 0; // removed, or not copied
    long r = parent_open(t, &loc, &p);
    if (r < 0)
        return r;
    r = sync_copy(t, fd, &loc, &p);
    parent_done(t, &p);
    return r;
}

long sync_beside(struct task *t, int fd)
{
    if (is_overlay(t, fd_mount(t, fd)))
        return sync_upper(t, fd);
    return attrstore_is_used() ? attrstore_sync(t, fd) : 0;
}
