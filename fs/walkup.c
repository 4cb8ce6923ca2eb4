// SPDX-License-Identifier: MIT
// The slow walk's way up: ".." in a path, out of the root of a mount, and from the anchor, the
// directory that a relative path begins in (fs/walk.c has the rest).
//
// ".." from the anchor is the only step that the host takes upwards, for what the directory's path
// says may be old the next moment. The directory that it leads to becomes the anchor, once its own
// path has shown that it lies in a mount. Where that path is too long to be told, the path of the
// nearest directory above that has one decides.
#include "drivename.h"
#include "host.h"
#include "overlay.h"
#include "slow.h"
#include "walk.h"

#define LEVELS_MAX 1024 // that are climbed by one call

// ---- Directories whose path is too long ----

// The directory so many levels above `from`, for lxcore's own look: a temporary descriptor or
// -errno.
static __attribute__((noinline)) long open_above(struct task *t, int from, u32 levels)
{
    char path[3 * LEVELS_MAX], *p = path;
    for (; levels; levels--, p += 3)
        memcpy(p, "../", 3);
    p[-1] = 0;
    long fd = temp_open(t, from, path, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0)
        fd_set_mount(t, (int)fd, from == AT_FDCWD ? t->fs->cwd_mount : fd_mount(t, from));
    return fd;
}

// dir or a directory above it whose path is too long, too, near the highest such: by steps that
// grow and then shrink. Who climbs by ".." asks at each level, and the last answer is a level
// nearer.
static __attribute__((noinline)) int top_of_deep(struct task *t, int dir)
{
    struct loc loc;
    int top = dir;
    u32 climbed = 0, step = t->deep_levels ? t->deep_levels : 1;
    for (bool grows = true; step;) {
        long up = open_above(t, top, step);
        if (up >= 0 && loc_of_fd(t, (int)up, &loc) == -ENAMETOOLONG) {
            if (top != dir)
                temp_close(t, top);
            top = (int)up;
            u32 next = !grows ? step / 2 : climbed ? MIN(2 * step, (u32)LEVELS_MAX) : 1;
            climbed += step;
            step = next;
        } else {
            if (up >= 0)
                temp_close(t, (int)up);
            grows = false;
            step /= 2;
        }
    }
    t->deep_levels = climbed ? MIN(climbed - 1, (u32)LEVELS_MAX) : 0;
    return top;
}

// The nearest place above a directory whose path is too long to be told. What the way up passes is
// inside because its end is.
static long place_above_deep(struct task *t, int dir, struct loc *loc)
{
    long r = -ENAMETOOLONG;
    for (int up = top_of_deep(t, dir); r == -ENAMETOOLONG;) {
        long next = open_above(t, up, 1);
        if (up != dir)
            temp_close(t, up);
        if (next < 0)
            return next;
        up = (int)next;
        r = loc_of_fd(t, up, loc);
        if (r != -ENAMETOOLONG)
            temp_close(t, up);
    }
    return r;
}

static long mount_of_directory(struct task *t, int dir)
{
    struct loc loc;
    long r = loc_of_fd(t, dir, &loc);
    if (r == -ENAMETOOLONG)
        r = place_above_deep(t, dir, &loc);
    return r < 0 ? r : loc.mount;
}

bool walk_in_upper(struct task *t, int dirfd)
{
    struct loc loc;
    long r = loc_of_fd(t, dirfd, &loc);
    if (r == -ENAMETOOLONG)
        r = place_above_deep(t, dirfd, &loc);
    return r >= 0 && overlay_is_own(t, &loc);
}

long walk_mount_of(struct task *t, int dirfd)
{
    int m = dirfd == AT_FDCWD ? t->fs->cwd_mount : fd_mount(t, dirfd);
    return m >= 0 ? m : mount_of_directory(t, dirfd);
}

// ---- Steps up ----

static bool at(const struct walk *w, s32 mount, const char *rel)
{
    return !w->anchored && w->loc->mount == mount && !strcmp(w->loc->rel, rel);
}

// The anchor that was given up for a mount below it, and reached again from there.
static __attribute__((noinline)) bool at_first_anchor(const struct walk *w)
{
    struct loc start;
    return loc_of_fd(w->t, w->start_base, &start) >= 0 && at(w, start.mount, start.rel);
}

static bool at_start(const struct walk *w)
{
    if (w->anchored)
        return w->loc->base == w->start_base && !w->loc->rel[0];
    return w->start_rel ? at(w, w->start_mount, w->start_rel) : at_first_anchor(w);
}

// The host's way for the guest's, in a drive whose names are mapped.
static long windows_way(const char *way, char *out, size_t size)
{
    size_t n = 0;
    for (const char *next; *way; way = next) {
        size_t len = walk_component(way, &next);
        n += drivename_to_host(way, len, out + n, size - n);
        if (n + 1 >= size)
            return -ENAMETOOLONG;
        if (*next)
            out[n++] = '/';
    }
    out[n] = 0;
    return 0;
}

// Out of the root of a mount: to what its mount point lies in.
static long leave_mount(struct walk *w)
{
    struct loc *loc = w->loc;
    char path[LX_PATH_MAX];
    const char *rest;
    if (loc->mount == 0)
        return 0;
    if (w->flags & WALK_NO_XDEV)
        return -EXDEV;
    str_copy(path, mount_at(w->t, loc->mount)->point, sizeof path);
    char *slash = strrchr(path, '/');
    slash[slash == path] = 0;
    s32 in = mount_at(w->t, loc->mount)->parent;
    loc->mount = mount_of_path(w->t, path, &rest);
    // Where something is mounted over what is above the task's root, it was not that.
    const char *below = in >= 0 && in != loc->mount && (w->root[0] || w->root_mount)
                            ? mount_rest(w->t, in, path)
                            : NULL;
    if (below) {
        loc->mount = in;
        rest = below;
    }
    if (mount_at(w->t, loc->mount)->drive.names)
        return windows_way(rest, loc->rel, sizeof loc->rel);
    str_copy(loc->rel, rest, sizeof loc->rel);
    return 0;
}

// Is the anchor where chroot has put the task's root? The directory stays it when it has got
// another name, and what is mounted there now is no way out either.
static __attribute__((noinline)) bool is_root_place(struct task *t, int dir, const struct loc *here)
{
    char root[LX_PATH_MAX], path[LX_PATH_MAX];
    const struct fsctx *fs = t->fs;
    struct statx st;
    if (!fs->root[0] && !fs->root_mount)
        return false;
    if (host_statx(dir, "", AT_EMPTY_PATH, STATX_INO, &st) >= 0 && st.stx_ino == fs->root_ino &&
        device_of(&st) == fs->root_dev)
        return true;
    return instance_path(t, fs->root_mount, fs->root, root, sizeof root) >= 0 &&
           instance_path(t, here->mount, here->rel, path, sizeof path) >= 0 && !strcmp(root, path);
}

// ".." from the anchor itself.
static long anchor_up(struct walk *w)
{
    struct task *t = w->t;
    struct loc *loc = w->loc, here;
    long r = loc_of_fd(t, loc->base, &here);
    if (r >= 0) {
        loc->mount = here.mount;
        if (here.mount == w->root_mount && !strcmp(here.rel, w->root))
            return 0;
        if (is_root_place(t, loc->base, &here))
            return 0;
        if (!here.rel[0]) {
            walk_leave_anchor(w);
            loc->rel[0] = 0;
            return leave_mount(w);
        }
        // Another thread has put it there: an overlay's directories are no anchors.
        if (is_overlay(t, here.mount)) {
            walk_leave_anchor(w);
            str_copy(loc->rel, here.rel, sizeof loc->rel);
            walk_step_back(loc);
            return 0;
        }
    } else if (r != -ENAMETOOLONG) {
        return r;
    }
    long up = temp_open(t, loc->base, "..", O_PATH | O_DIRECTORY, 0);
    if (up < 0)
        return up;
    fd_set_mount(t, (int)up, loc->mount);
    r = mount_of_directory(t, (int)up);
    if (r < 0) {
        temp_close(t, (int)up);
        return r;
    }
    loc_done(t, loc);
    loc->mount = (s32)r;
    loc->base = (s32)up;
    loc->pinned = true;
    return 0;
}

// Is the place the task's root? Below an anchor it can only be after chroot.
static bool at_root(const struct walk *w)
{
    struct loc here;
    if (!w->anchored)
        return at(w, w->root_mount, w->root);
    if (!w->root[0] && w->root_mount == 0)
        return false;
    return loc_of_fd(w->t, w->loc->base, &here) >= 0 && here.mount == w->root_mount &&
           path_join(here.rel, sizeof here.rel, here.rel, w->loc->rel) >= 0 &&
           !strcmp(here.rel, w->root);
}

long walk_step_up(struct walk *w)
{
    struct loc *loc = w->loc;
    w->placed = false;
    if ((w->flags & (WALK_BENEATH | WALK_IN_ROOT)) && at_start(w))
        return w->flags & WALK_BENEATH ? -EXDEV : 0;
    if (at_root(w))
        return 0;
    if (!loc->rel[0])
        return w->anchored ? anchor_up(w) : leave_mount(w);
    // "file/.." and "missing/.." are errors.
    long fd = temp_open(w->t, loc->base, loc->rel, O_PATH | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return fd;
    temp_close(w->t, (int)fd);
    walk_step_back(loc);
    return 0;
}
