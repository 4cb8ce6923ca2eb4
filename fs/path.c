// SPDX-License-Identifier: MIT
// Path lookup. docs/files.md is the chapter; the containment rule stands at the top of fs.h.
//
// The common path has no symlink in it. Then its text alone says the mount and the way inside it,
// and the one host call that does the work (openat2 with RESOLVE_NO_SYMLINKS) is also the one that
// finds out whether that was true. Only on ELOOP, for "..", in /proc, and for guest users whose
// search permission must be checked, the slow walk looks at each component (fs/walk.c). What most
// calls make of the place next, a name in a pinned directory, is fs/parent.c.
#include "fs.h"
#include "host.h"
#include "overlay.h"
#include "procfs.h"
#include "walk.h"

#define SWAPS_MAX 100 // of directories for links, that have come since a walk found none there
#define MOVES_MAX 100 // of directories, that a walk in an overlay begins anew for

// The slashes of a text, and its end, one after the other.
struct stops {
    const word_in_text *word;
    u64 left; // of them in that word
};

static inline u64 stops_in(u64 word)
{
    return zero_bytes(word) | zero_bytes(word ^ '/' * EACH_BYTE);
}

static inline const char *next_stop(struct stops *s)
{
    while (!s->left)
        s->left = stops_in(*++s->word);
    const char *stop = byte_in(s->word, s->left);
    s->left &= s->left - 1;
    return stop;
}

static inline struct stops stops_of(const char *text)
{
    u64 bits;
    const word_in_text *w = first_word(text, &bits);
    return (struct stops){w, stops_in(*w) & bits};
}

long path_normalise(struct task *t, const char *in, char *out, size_t size, struct path_end *end)
{
    const u64 *points = t->instance->mount_names;
    const char *begin = in;
    bool dots = false, dotdot = false;
    while (*in == '/')
        in++;
    // The first `done` of n bytes are copied; the others stand in the path as they are to be.
    const char *stop, *text = in; // byte i of them is text[i]
    size_t n = 0, done = 0, last = 0;
    u64 found = 0;
    u32 hash = 0;
    struct stops stops = stops_of(in);
    for (;; in = stop + 1) {
        stop = next_stop(&stops);
        size_t len = (size_t)(stop - in);
        if (len == 1 && *in == '.') {
            dots = true;
        } else if (len) {
            dots = false;
            if (*in == '.')
                dotdot |= len == 2 && in[1] == '.';
            hash = name_hash(in, len);
            found |= names_with(points, hash);
            last = n ? n + 1 : 0;
            if (in != text + last) {
                if (last >= size)
                    return -ENAMETOOLONG;
                memcpy(out + done, text + done, n - done);
                out[n] = '/'; // if this is not the first
                text = in - last;
                done = last;
            }
            n = last + len;
        }
        if (!*stop)
            break;
    }
    if (n >= size)
        return -ENAMETOOLONG;
    memcpy(out + done, text + done, n - done);
    out[n] = 0;
    end->dir = dots || (stop > begin && stop[-1] == '/');
    end->dots = dots;
    end->dotdot = dotdot;
    end->point = found;
    end->name = (u16)last;
    end->hash = hash;
    return (long)n;
}

static void at_root(struct task *t, struct loc *loc)
{
    loc->mount = t->fs->root_mount;
    loc->last = 0;
    str_copy(loc->rel, t->fs->root, sizeof loc->rel);
}

// Puts what stands above the task's root before the text. 1: something else is mounted there. In a
// frame of its own, as fs/walk.c has it (enter_mount).
static __attribute__((noinline)) long from_instance_root(struct task *t, struct loc *loc)
{
    char full[LX_PATH_MAX], root[LX_PATH_MAX];
    const char *rest;
    long r = instance_path(t, t->fs->root_mount, t->fs->root, root, sizeof root);
    if (r >= 0 && mount_of_path(t, root, &rest) != t->fs->root_mount)
        return 1;
    if (r >= 0)
        r = path_join(full, sizeof full, root, loc->rel);
    if (r >= 0)
        str_copy(loc->rel, full, sizeof loc->rel);
    return MIN(r, 0);
}

static long place_in_mounts(struct task *t, struct loc *loc)
{
    const char *rest;
    loc->last = 0;
    long r = t->fs->root_mount || t->fs->root[0] ? from_instance_root(t, loc) : 0;
    if (r)
        return r;
    loc->mount = mount_of_path(t, loc->rel, &rest);
    memmove(loc->rel, rest, strlen(rest) + 1);
    const char *node = mount_at(t, loc->mount)->node;
    if (*node && loc->rel[0])
        return -ENOTDIR;
    if (*node)
        str_copy(loc->rel, node, sizeof loc->rel);
    loc->base = mount_root_fd(t, loc->mount);
    return loc->base < 0 ? loc->base : 0;
}

// The place of an absolute path by its text. 1: that does not tell.
static long place_of_text(struct task *t, bool point, struct loc *loc)
{
    if (t->fs->root_mount == 0 && !t->fs->root[0] && !root_is_covered(t) &&
        path_text_serves(t, 0, point, loc->rel)) {
        loc->mount = 0; // as nearly always: no name in it is that of a mount point
        loc->base = mount_root_fd(t, 0);
        return loc->base < 0 ? loc->base : 0;
    }
    return place_in_mounts(t, loc);
}

bool path_text_enters(struct task *t, const char *rel)
{
    for (const char *p = rel; *p;) {
        const char *end = strchr(p, '/');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (mount_name_is_point(t, p, n))
            return true;
        p += n + (end ? 1 : 0);
    }
    return false;
}

// Was the first name of the way a link when it was last looked at, with something behind it?
static bool begins_with_link(struct task *t, const struct loc *loc)
{
    u64 links = __atomic_load_n(&mount_at(t, loc->mount)->links, __ATOMIC_RELAXED);
    const char *end = links ? strchr(loc->rel, '/') : NULL;
    return end && (links & name_bit(name_hash(loc->rel, (size_t)(end - loc->rel))));
}

// May the task search the directories that the text names? 0: the slow walk asks each of them;
// -ENOENT: one is missing.
static long text_is_permitted(struct task *t, struct loc *loc)
{
    if (fs_unchecked(&t->cred))
        return 1;
    if (!loc_slash(loc))
        return dirs_may_search_base(t, loc);
    long r = dirs_may_search(t, loc);
    loc->kept = (u8)MAX(r, 0);
    return r;
}

// From a directory of an overlay's upper layer that was removed while it is open. Linux still knows
// it as ".", and what was above it, and nothing in it (fs/namei.c).
static __attribute__((noinline)) long walk_removed(struct task *t, int dirfd, const char *path,
                                                   int flags, struct loc *loc)
{
    struct statx st;
    long r = fs_unchecked(&t->cred) ? 0 : meta_fstat(t, dirfd, STATX_BASIC_STATS, &st);
    if (r >= 0 && !fs_unchecked(&t->cred))
        r = may_access(&t->cred, &st, MAY_EXEC);
    while (*path == '/' || (*path == '.' && (path[1] == '/' || !path[1])))
        path++;
    if (r < 0 || !*path) {
        loc->rel[0] = 0;
        loc->last = 0;
        loc->walked = true;
        return r;
    }
    if (strncmp(path, "..", 2) || (path[2] && path[2] != '/'))
        return -ENOENT;
    r = loc_of_fd(t, dirfd, loc);
    if (r < 0)
        return r;
    char *slash = strrchr(loc->rel, '/');
    *(slash ? slash : loc->rel) = 0;
    return walk_slow(t, path[2] ? path + 3 : ".", flags, loc);
}

// A path in a layer that is too long, itself or with what comes. In what the upper layer has alone
// there is nothing to find in others, and nothing to hide: there a directory is one of the host as
// in any other mount.
static __attribute__((noinline)) long walk_deep(struct task *t, int dirfd, int m, const char *path,
                                                int flags, struct loc *loc)
{
    if (!walk_in_upper(t, dirfd))
        return -ENAMETOOLONG;
    loc->mount = m;
    loc->over = OVER_NOT;
    return walk_from(t, dirfd, path, flags, loc);
}

// From a directory in an overlay, by the path that it has: again, if a directory was renamed
// meanwhile, where it matters. Below another root it always does, for a ".." must see that root.
// seen: dirs_changes() before.
static __attribute__((noinline)) long walk_overlay(struct task *t, int dirfd, const char *path,
                                                   int flags, u32 seen, struct loc *loc)
{
    const int m = loc->mount;
    for (int tries = 0;; tries++) {
        root_look(t);
        long r = loc_of_fd(t, dirfd, loc);
        bool found = r >= 0;
        if (found)
            r = walk_slow(t, path, flags, loc);
        if (r == -ENAMETOOLONG)
            return walk_deep(t, dirfd, m, path, flags, loc);
        if (!found)
            return r;
        loc->dirs_seen = seen;
        bool matters = r == -ENOENT || (r >= 0 && loc->over >= OVER_ABSENT) || t->fs->root_mount ||
                       t->fs->root[0];
        if (!matters || tries == MOVES_MAX || !dirs_changed(t, &seen))
            return r;
        if (r >= 0)
            loc_done(t, loc);
    }
}

// A relative path; slow: its text is not to be used.
static long walk_relative(struct task *t, int dirfd, const char *path, int flags, bool slow,
                          bool point, struct loc *loc)
{
    long m = walk_mount_of(t, dirfd);
    if (m < 0)
        return m;
    loc->base = dirfd;
    loc->mount = (s32)m;
    if (!slow && path_text_serves(t, loc->mount, point, loc->rel)) {
        long permitted = text_is_permitted(t, loc);
        if (permitted)
            return MIN(permitted, 0);
    }
    u32 type = mount_at(t, loc->mount)->type;
    if (type != FS_PROC && type != FS_OVERLAY)
        return walk_from(t, dirfd, path, flags, loc);
    u32 seen = dirs_changes(t);
    // The way that the descriptor's own path begins must be one of directories: a symlink's
    // descriptor is none, and a link of /proc on the way leads anywhere.
    struct statx st;
    long r = host_statx(dirfd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_NLINK, &st);
    if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    if (r >= 0 && !st.stx_nlink && type == FS_OVERLAY)
        return walk_removed(t, dirfd, path, flags, loc);
    if (r >= 0 && type == FS_OVERLAY)
        return walk_overlay(t, dirfd, path, flags, seen, loc);
    if (r >= 0)
        r = loc_of_fd(t, dirfd, loc);
    return r < 0 ? r : walk_slow(t, path, flags, loc);
}

static long walk_absolute(struct task *t, const char *path, int flags, bool slow, bool point,
                          struct loc *loc)
{
    root_look(t);
    if (!slow) {
        long r = place_of_text(t, point, loc);
        if (r < 0)
            return r;
        bool plain = !r && mount_is_plain(t, loc->mount);
        if (plain && begins_with_link(t, loc))
            flags |= WALK_TEXT;
        else if (plain)
            r = text_is_permitted(t, loc);
        if (r && plain)
            return MIN(r, 0);
    }
    at_root(t, loc);
    return walk_slow(t, path, flags, loc);
}

long path_walk(struct task *t, int dirfd, const char *path, int flags, struct loc *loc)
{
    struct path_end end;
    loc->walked = loc->pinned = loc->object = loc->held = loc->by_proc = false;
    loc->kept = 0;
    loc->over = OVER_NOT;
    if (!*path && !(flags & WALK_EMPTY))
        return -ENOENT;
    long n = path_normalise(t, path, loc->rel, sizeof loc->rel, &end);
    if (n < 0)
        return n;
    loc->must_be_dir = end.dir;
    loc->dots = end.dots;
    loc->last = end.name + 1;
    loc->hash = end.hash;
    if (!*path) {
        loc->must_be_dir = false;
        loc->base = dirfd;
        loc->mount = dirfd == AT_FDCWD ? t->fs->cwd_mount : fd_mount(t, dirfd);
        loc->walked = true;
        return 0;
    }
    bool unchecked = fs_unchecked(&t->cred);
    bool slow = end.dotdot || (flags & (WALK_SLOW | WALK_LIMITS)) || (end.dots && !unchecked);
    if (*path == '/' && (flags & WALK_BENEATH))
        return -EXDEV;
    long r;
    int tries = 0;
    do {
        r = *path != '/' || (flags & WALK_IN_ROOT)
                ? walk_relative(t, dirfd, path, flags, slow, end.point, loc)
                : walk_absolute(t, path, flags, slow, end.point, loc);
        slow = true;
    } while (r == WALK_ANEW && tries++ < SWAPS_MAX);
    return r == WALK_ANEW ? -ELOOP : r;
}

bool walk_may_be_slow(const struct loc *loc, int *flags, int *tries)
{
    if ((*flags & WALK_NO_SYMLINKS) || *tries >= (loc->walked ? SWAPS_MAX : 1))
        return false;
    ++*tries;
    *flags |= WALK_SLOW;
    return true;
}

bool walk_was_moved(struct task *t, const struct loc *loc, int *tries)
{
    u32 seen = loc->dirs_seen;
    return loc->walked && ++*tries < MOVES_MAX && dirs_changed(t, &seen);
}

void loc_close(struct task *t, struct loc *loc)
{
    if (loc->pinned)
        temp_close(t, loc->base);
    if (loc->kept)
        dir_release(t, loc->kept);
    loc->pinned = false;
    loc->kept = 0;
}

long loc_root(struct task *t, struct loc *loc)
{
    struct loc at;
    if (base_is_root(t, loc->base))
        return 0;
    long r = loc_of_fd(t, loc->base, &at);
    if (r >= 0)
        r = path_join(at.rel, sizeof at.rel, at.rel, loc->rel);
    loc_done(t, loc);
    if (r < 0)
        return r;
    loc->held = false;
    loc->mount = at.mount;
    loc->base = at.base;
    loc->last = 0;
    str_copy(loc->rel, at.rel, sizeof loc->rel);
    return is_overlay(t, loc->mount) ? overlay_place(t, loc) : 0;
}
