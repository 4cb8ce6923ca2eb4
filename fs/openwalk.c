// SPDX-License-Identifier: MIT
// Opening by a way that has no links: openat2(2), and what takes its place where the host has not
// got it (before Linux 5.6) or a container's filter refuses it.
//
// Then each directory of the way is opened by its name alone, as a place only and not followed, in
// the one before it, and in the last of them the name at the end, not followed either. A directory
// that somebody moves meanwhile is held and stays the one that was found in the tree, and no link
// is ever followed: what openat2 promises. ".." is refused, for no way in lxcore has one.
//
// Such a descriptor has O_NOFOLLOW among its flags, whether the guest has asked for it or not, and
// no guest is shown it (syscalls/fd.c, sys_fcntl).
#include "fs.h"
#include "host.h"
#include "open.h"
#include "procfs.h"

#define TRIES 100

// S_IFMT of what is there, or -errno.
static long type_of(int dir, const char *name)
{
    struct statx st;
    long r = host_statx(dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    return r < 0 ? r : st.stx_mode & S_IFMT;
}

static long open_not_followed(int dir, const char *name, u64 flags, u64 mode, bool may_block)
{
    return may_block ? HOST_INTR4(__NR_openat, dir, name, flags, mode)
                     : HOST4(__NR_openat, dir, name, flags, mode);
}

// One name, or ".". Where openat2 would have followed a link, that is ELOOP to it, also where a
// directory is asked for; where a directory has come in the link's place since, it is that.
static long open_name(int dir, const char *name, const struct open_how *how, bool may_block)
{
    u64 flags = how->flags;
    if (name[0] == '.' && name[1] == '.' && !name[2])
        return -EXDEV;
    if ((name[0] == '.' && !name[1]) || (flags & O_NOFOLLOW) ||
        (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return open_not_followed(dir, name, flags, how->mode, may_block);
    flags |= O_NOFOLLOW;
    for (u32 tries = 0;; tries++) {
        long r = open_not_followed(dir, name, flags, how->mode, may_block);
        if (r >= 0 && (flags & O_PATH) && type_of((int)r, "") == S_IFLNK) {
            host_close((int)r);
            return -ELOOP;
        }
        if (r != -ENOTDIR)
            return r;
        long type = type_of(dir, name);
        if (type < 0 || type == S_IFLNK)
            return type < 0 ? type : -ELOOP;
        if (type != S_IFDIR || tries == TRIES)
            return r;
    }
}

long open_in(int dir, const char *name, const struct open_how *how)
{
    if (!(host_lacks & LACKS_OPENAT2))
        return host_openat2(dir, name, how);
    return how->resolve ? open_name(dir, name, how, false)
                        : HOST4(__NR_openat, dir, name, how->flags, how->mode);
}

// The first directory is held until the others are done with, so that the last one has not got the
// lowest free number, if it is another.
long pin_way(struct task *t, int dirfd, const char *path, struct pinned_way *w)
{
    char name[LX_PATH_MAX];
    long first = -1, dir = -1, r = *path == '/' ? -EXDEV : 0;
    for (const char *slash; r >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        size_t n = (size_t)(slash - path);
        if (!n)
            continue;
        if (n >= sizeof name)
            r = -ENAMETOOLONG;
        memcpy(name, path, MIN(n, sizeof name - 1));
        name[MIN(n, sizeof name - 1)] = 0;
        if (r >= 0)
            r = temp_open(t, dir < 0 ? dirfd : (int)dir, name, O_PATH | O_DIRECTORY, WALK_RESOLVE);
        if (dir != first)
            temp_close(t, (int)dir);
        dir = r;
        first = first < 0 ? dir : first;
    }
    if (first >= 0 && first != dir)
        temp_close(t, (int)first);
    *w = (struct pinned_way){.dir = dir < 0 ? dirfd : (s32)dir,
                             .pinned = dir >= 0,
                             .low = dir >= 0 && dir == first,
                             .name = *path ? path : "."};
    return MIN(r, 0);
}

// Would the open wait for another thread, which may wait for us to hold no temporary?
static bool may_wait(const struct task *t, const struct pinned_way *w, const struct open_how *how)
{
    return t->files->refs != 1 && !(how->flags & (O_PATH | O_NONBLOCK)) &&
           type_of(w->dir, w->name) == S_IFIFO;
}

static __attribute__((noinline)) long open_by_steps(struct task *t, int dirfd, const char *path,
                                                    const struct open_how *how, bool proc)
{
    struct pinned_way w;
    long r = pin_way(t, dirfd, path, &w);
    if (r < 0)
        return r;
    int lent = 0;
    if (may_wait(t, &w, how)) {
        lent = dir_lend(t, w.dir);
        temp_close(t, w.dir);
        if (!lent)
            return -EMFILE;
        w.dir = dir_fd(t, lent);
    } else if (w.low) {
        r = temp_lift(t, w.dir);
        if (r < 0) {
            temp_close(t, w.dir);
            return r;
        }
        w.dir = (s32)r;
    }
    if (proc && procfs_shows(t, path, w.dir)) // a closed number
        r = -ENOENT;
    else if (w.name[0] == '.' && !w.name[1]) // there was a slash at the end
        r = host_reopen(w.dir, how->flags, how->mode, true);
    else
        r = open_name(w.dir, w.name, how, true);
    if (lent)
        dir_take_back(t, lent);
    else
        temp_close(t, w.dir);
    return r;
}

long open_way(struct task *t, int dirfd, const char *path, const struct open_how *how, bool proc)
{
    if (!(host_lacks & LACKS_OPENAT2))
        return HOST_INTR4(__NR_openat2, dirfd, path, how, sizeof *how);
    if (how->resolve & RESOLVE_CACHED)
        return -EAGAIN;
    return strchr(path, '/') ? open_by_steps(t, dirfd, path, how, proc)
                             : open_name(dirfd, path, how, true);
}
