// SPDX-License-Identifier: MIT
// The host call of an open, in which the way is resolved at once where it has no links, so that the
// descriptor that comes of it is the lowest free one, as Linux promises.
#include "fs.h"
#include "host.h"
#include "open.h"
#include "overlay.h"

long host_reopen(int base, u64 flags, u64 mode, bool dir)
{
    char path[FD_PATH_SIZE + 1];
    if (base == AT_FDCWD)
        return HOST_INTR4(__NR_openat, base, ".", flags, mode);
    if (dir || (flags & (O_NOFOLLOW | O_CREAT)) == O_NOFOLLOW) {
        fmt(path, sizeof path, FD_PATH "/", base);
        long r = HOST_INTR4(__NR_openat, AT_FDCWD, path, flags, mode);
        if (dir || r != -ENOTDIR)
            return r;
    }
    fmt(path, sizeof path, FD_PATH, base);
    return HOST_INTR4(__NR_openat, AT_FDCWD, path, flags & ~(u64)O_NOFOLLOW, mode);
}

// The directory of loc, if it is kept open, or is to be from now on; 0: it is not. An error of the
// way to it is one of the open's too. In its place nobody puts another while it is in use. (The
// whole block may move while the open waits, for a FIFO: as with the number of a mount's root,
// fs_open() looks at that.)
static int kept_dir_of(struct task *t, struct loc *loc, const char **name)
{
    struct dir_key key;
    char *slash = loc_slash(loc);
    if (!slash)
        return 0;
    *name = slash + 1;
    if (loc->kept)
        return loc->kept;
    int kept = dir_kept(t, loc, (size_t)(slash - loc->rel), &key);
    if (kept || !dir_wanted(t, &key))
        return kept;
    *slash = 0;
    long fd = temp_open(t, loc->base, loc->rel, O_PATH | O_DIRECTORY, WALK_RESOLVE);
    *slash = '/';
    if (loc->over && (fd == -ENOTDIR || fd == -ELOOP)) // see whiteout_came()
        return -ENOENT;
    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? (int)fd : 0;
    kept = dir_keep(t, &key, (int)fd);
    temp_close(t, (int)fd);
    return kept;
}

// In an overlay, what leads to the name was a directory when the layer was chosen, and so was what
// had the name then: a whiteout has come in its place since. Or the host has just seen it moved to
// the directory for work, which is not beneath the layer.
static bool whiteout_came(const struct loc *loc, u64 flags, long r)
{
    bool dir = loc->must_be_dir || (flags & O_DIRECTORY);
    return loc->over &&
           (r == -EXDEV || (r == -ENOTDIR && (!dir || (loc->over_mode & S_IFMT) == S_IFDIR)));
}

// Or it was opened: where no device may be. (Elsewhere the host has no such device.)
static __attribute__((noinline)) bool is_white_now(struct task *t, struct loc *loc)
{
    struct statx st;
    struct parent p;
    bool white = false;
    if (parent_open(t, loc, &p) < 0)
        return false;
    if (*p.name && overlay_look(t, loc->mount, p.fd, p.name, &st, &white) < 0)
        white = false;
    parent_done(t, &p);
    return white;
}

static long open_loc(struct task *t, struct loc *loc, u64 flags, u64 mode, u64 resolve)
{
    const char *name;
    if (!loc->rel[0]) // the guest's descriptor need not be a directory
        return host_reopen(loc->base, flags, mode, loc->must_be_dir && !(flags & O_CREAT));
    // By its name alone: a link is ELOOP as below, but not together with these flags.
    bool alone = !(flags & (O_PATH | O_DIRECTORY)) && !resolve && !loc->must_be_dir;
    int kept = alone ? kept_dir_of(t, loc, &name) : 0;
    if (kept < 0)
        return kept;
    if (kept) {
        // Not by O_NOFOLLOW, which F_GETFL would show.
        struct open_how by_name = {.flags = flags, .mode = mode, .resolve = RESOLVE_NO_SYMLINKS};
        long r = open_way(t, dir_fd(t, kept), name, &by_name, false);
        if (kept != loc->kept)
            dir_release(t, kept);
        return r;
    }
    bool proc = loc->mount >= 0 && mount_at(t, loc->mount)->type == FS_PROC;
    struct open_how how = {.flags = flags, .mode = mode, .resolve = WALK_RESOLVE | resolve};
    if (loc->must_be_dir && !(flags & O_CREAT)) {
        // A trailing slash follows a link whatever O_NOFOLLOW says: ELOOP asks for a slow walk.
        size_t n = strlen(loc->rel);
        if (n + 1 < sizeof loc->rel) {
            memcpy(loc->rel + n, "/", 2);
            long r = open_way(t, loc->base, loc->rel, &how, proc);
            loc->rel[n] = 0;
            return whiteout_came(loc, flags, r) ? -ENOENT : r;
        }
        how.flags |= O_DIRECTORY;
        how.flags &= ~(u64)O_NOFOLLOW;
    }
    long r = open_way(t, loc->base, loc->rel, &how, proc);
    // A link that a descriptor is open on is itself meant. (F_GETFL shows the flag.)
    if (r == -ELOOP && loc->walked && loc->object && (flags & O_PATH)) {
        how.flags |= O_NOFOLLOW;
        r = open_way(t, loc->base, loc->rel, &how, proc);
    }
    // The same where whiteouts are lxcore's nodes, which are links (before Linux 5.8), or a true
    // link: it is looked at again.
    if (r == -ELOOP && loc->over && loc->over < OVER_ABSENT && (loc->over_mode & S_IFMT) != S_IFLNK)
        return -ESTALE;
    return whiteout_came(loc, flags, r) ? -ENOENT : r;
}

// r: what came of an open in an overlay. In a frame of its own.
static __attribute__((noinline)) long in_overlay(struct task *t, struct loc *loc, u64 flags, long r)
{
    struct statx st;
    // With O_PATH a whiteout can be opened, as it is.
    if (r >= 0 && (flags & O_PATH) && loc->over < OVER_ABSENT &&
        host_statx((int)r, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0 &&
        ((st.stx_mode ^ loc->over_mode) & S_IFMT)) {
        host_close((int)r);
        return -ESTALE;
    }
    if (r == -ENXIO && (loc->over_mode & S_IFMT) == S_IFREG)
        return -ESTALE;
    return r == -EACCES && is_white_now(t, loc) ? -ESTALE : r;
}

long host_open_loc(struct task *t, struct loc *loc, u64 flags, u64 mode, u64 resolve)
{
    long r = open_loc(t, loc, flags, mode, resolve);
    return loc->over ? in_overlay(t, loc, flags, r) : r;
}
