// SPDX-License-Identifier: MIT
// From where a path leads to its last name in a pinned directory (struct parent), which most calls
// work on; and the links that end a path, which are followed here as long as they are few
// (fs/path.c, fs/walk.c: those on the way to it).
#include "devlink.h"
#include "fs.h"
#include "host.h"
#include "overlay.h"
#include "procfs.h"
#include "walk.h"

#define FOLLOWED_HERE 4 // links at the end of a path; more are the slow walk's

long parent_open(struct task *t, struct loc *loc, struct parent *p)
{
    char *slash = loc_slash(loc);
    p->temporary = p->pinned = p->guests = false;
    p->lent = loc->kept;
    p->kept = loc->kept;
    p->over = loc->over;
    p->last = LAST_NAME;
    p->fd = loc->base;
    p->name = loc->rel;
    p->hash = loc->last ? loc->hash : 0;
    if (!slash)
        return 0;
    size_t n = (size_t)(slash - loc->rel);
    struct dir_key key;
    int kept = loc->kept ? loc->kept : dir_kept(t, loc, n, &key);
    if (!kept) {
        *slash = 0;
        long fd = temp_open(t, loc->base, loc->rel, O_PATH | O_DIRECTORY, WALK_RESOLVE);
        *slash = '/';
        // It was a directory when the overlay's layer was chosen, and a whiteout came since.
        if (loc->over && (fd == -ENOTDIR || fd == -ELOOP))
            return -ENOENT;
        if (fd < 0)
            return fd;
        // The number is a closed one: in /proc/self/fd it would be found now.
        if (mount_at(t, loc->mount)->type == FS_PROC &&
            (procfs_shows(t, loc->rel, (int)fd) ||
             (loc->pinned && procfs_shows(t, loc->rel, loc->base)))) {
            temp_close(t, (int)fd);
            return -ENOENT;
        }
        p->fd = (int)fd;
        kept = dir_wanted(t, &key) ? dir_keep(t, &key, p->fd) : 0;
        p->temporary = !kept;
        if (kept)
            temp_close(t, (int)fd);
    }
    if (kept) {
        p->fd = dir_fd(t, kept);
        p->kept = (u8)kept;
    }
    p->name = slash + 1;
    return 0;
}

void parent_close(struct task *t, struct parent *p)
{
    if (p->temporary)
        temp_close(t, p->fd);
    if (p->pinned)
        temp_close(t, p->base);
    p->temporary = p->pinned = false;
}

// A magic link of /proc that ends the path and is to be followed: what it leads to takes its place.
static __attribute__((noinline)) long pin_magic(struct task *t, struct loc *loc, struct parent *p)
{
    char link[LX_PATH_MAX];
    struct loc there;
    struct statx st;
    if (loc->object || loc->mount < 0 || mount_at(t, loc->mount)->type != FS_PROC || !*p->name ||
        procfs_readlink(t, loc->rel, link, sizeof link) != -EXDEV)
        return 0;
    long fd = procfs_open_object(t, p->fd, p->name, loc->rel);
    parent_done(t, p);
    if (fd < 0)
        return fd;
    long r = loc_of_fd(t, (int)fd, &there); // of what is removed, too: its mount says what may be
    // A directory that lies in no mount was handed in from outside: it is no place to go on from.
    if (r == -ENOENT && !host_statx((int)fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) &&
        (st.stx_mode & S_IFMT) == S_IFDIR) {
        temp_close(t, (int)fd);
        return -ENOENT;
    }
    loc_done(t, loc);
    *p = (struct parent){.fd = (int)fd, .temporary = true, .name = loc->rel};
    loc->rel[0] = 0;
    loc->last = 0;
    loc->base = (int)fd;
    loc->mount = r >= 0 ? there.mount : 0;
    return 0;
}

// "." and ".." at the end of a path to a name: nothing can be done with them, but what stands
// before them must be a directory.
static __attribute__((noinline)) long parent_of_dots(struct task *t, int dirfd, const char *path,
                                                     size_t start, int flags, struct loc *loc,
                                                     struct parent *p)
{
    char dir[LX_PATH_MAX];
    struct statx st;
    memcpy(dir, path, start);
    dir[start] = 0;
    long r = path_parent(t, dirfd, start ? dir : ".", (flags & ~WALK_NAME) | WALK_FOLLOW, loc, p);
    if (r < 0)
        return r;
    r = meta_stat(t, loc->mount, p, STATX_BASIC_STATS, &st);
    if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR;
    if (r >= 0)
        r = may_access(&t->cred, &st, MAY_EXEC);
    if (r < 0)
        parent_done(t, p);
    return r;
}

// Where the last component of path begins; *last: what it is.
static size_t last_component(const char *path, u8 *last)
{
    size_t end = strlen(path);
    while (end && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start && path[start - 1] != '/')
        start--;
    size_t n = end - start;
    if (!n)
        *last = LAST_ROOT;
    else if (path[start] == '.' && n == 1)
        *last = LAST_DOT;
    else if (path[start] == '.' && path[start + 1] == '.' && n == 2)
        *last = LAST_DOTDOT;
    else
        *last = LAST_NAME;
    return start;
}

// Is the last component to be followed, if it is a link?
static bool is_to_follow(const struct loc *loc, const struct parent *p, int flags)
{
    return *p->name && !loc->walked && !(flags & (WALK_NAME | WALK_LATE)) &&
           ((flags & WALK_FOLLOW) || loc->must_be_dir);
}

// If the last component is a link that has to be followed, the length of its text in `link`; else
// 0.
static size_t link_to_follow(const struct loc *loc, const struct parent *p, int flags,
                             char link[LX_PATH_MAX])
{
    struct devlink d;
    if (!is_to_follow(loc, p, flags))
        return 0;
    long n = host_readlinkat(p->fd, p->name, link, LX_PATH_MAX);
    return n <= 0 || devlink_parse(link, (size_t)n, &d) ? 0 : (size_t)n;
}

// Does it take the slow walk to say whether a link there may be followed (fs/walk.c)?
static bool may_be_protected(struct task *t, const struct loc *loc, const struct parent *p)
{
    struct statx dir;
    return t->instance->protected_symlinks && meta_stat_dir(t, loc->mount, p, &dir) >= 0 &&
           (dir.stx_mode & S_ISVTX);
}

// Puts a link's text, n bytes, in the place of the last component of path, whose slashes at the end
// stay. The result is in text; false: it is too long.
static bool put_link(const char *path, const char *link, size_t n, char text[LX_PATH_MAX])
{
    u8 last;
    size_t start = *link == '/' ? 0 : last_component(path, &last), len = strlen(path);
    const char *slash = len && path[len - 1] == '/' ? "/" : "";
    if (start + n + 2 > LX_PATH_MAX)
        return false;
    memmove(text, path, start);
    memcpy(text + start, link, n);
    str_copy(text + start + n, slash, 2);
    return true;
}

// In a frame of its own: most paths end with no link.
__attribute__((noinline)) bool path_put_link(struct task *t, struct loc *loc, int *flags,
                                             char *path)
{
    char link[LX_PATH_MAX];
    struct parent p;
    if (loc->walked || loc->dots || *flags / WALK_LINK >= FOLLOWED_HERE ||
        parent_open(t, loc, &p) < 0)
        return false;
    size_t n = link_to_follow(loc, &p, WALK_FOLLOW, link);
    bool may = n && !may_be_protected(t, loc, &p);
    if (may)
        way_link_followed(t, p.name);
    parent_done(t, &p);
    if (!may || !put_link(path, link, n, path))
        return false;
    *flags += WALK_LINK;
    return true;
}

// path_walk and parent_open have found where the text leads: as long as a link ends it, what that
// says is walked instead. -ELOOP: the slow walk is to follow them. In a frame of its own: most
// calls have no link there to be followed.
static __attribute__((noinline)) long follow_last(struct task *t, int dirfd, const char *path,
                                                  int *flags, struct loc *loc, struct parent *p)
{
    char link[LX_PATH_MAX], text[LX_PATH_MAX];
    const char *at = path; // the path, or what a link has made of it
    u8 last = p->last;
    for (int links = 0;;) {
        size_t n = link_to_follow(loc, p, *flags, link);
        if (!n)
            return 0;
        bool follow = !loc->dots && !may_be_protected(t, loc, p);
        way_link_followed(t, p->name);
        parent_done(t, p);
        loc_done(t, loc);
        *flags |= WALK_FOLLOW;
        // What stands behind the link, a "." too, is the slow walk's.
        if (++links > FOLLOWED_HERE || !follow || !put_link(at, link, n, text))
            return -ELOOP;
        at = text;
        long r = path_walk(t, dirfd, at, *flags, loc);
        if (r >= 0)
            r = parent_open(t, loc, p);
        if (r < 0)
            return r;
        p->last = last;
    }
}

long path_parent(struct task *t, int dirfd, const char *path, int flags, struct loc *loc,
                 struct parent *p)
{
    u8 last = LAST_NAME;
    if ((flags & WALK_NAME) && *path) {
        size_t start = last_component(path, &last);
        if (last == LAST_DOT || last == LAST_DOTDOT) {
            long r = parent_of_dots(t, dirfd, path, start, flags, loc, p);
            p->name = "";
            p->last = last;
            return r;
        }
    }
    for (int tries = 0;;) {
        long r = path_walk(t, dirfd, path, flags, loc);
        if (r < 0)
            return r;
        bool none = (flags & WALK_PROC_LOC) && *path && !loc->pinned && !loc->kept &&
                    mount_at(t, MAX(loc->mount, 0))->type == FS_PROC;
        r = none ? 0 : parent_open(t, loc, p);
        if (none)
            *p = (struct parent){.fd = AT_FDCWD, .name = ""};
        p->last = last;
        if (r >= 0 && is_to_follow(loc, p, flags))
            r = follow_last(t, dirfd, path, &flags, loc, p);
        if (r >= 0 && loc->walked && (flags & WALK_FOLLOW))
            r = pin_magic(t, loc, p);
        if (r >= 0 && loc->pinned) {
            p->pinned = true; // from now on parent_done()'s
            p->base = loc->base;
            loc->pinned = false;
        }
        if (r >= 0 && loc->kept) {
            p->lent = false; // as well
            loc->kept = 0;
        }
        if (r < 0)
            loc_done(t, loc);
        if (r >= 0 || !walk_again(t, loc, r, &flags, &tries))
            return r; // else the slow walk follows all links itself, and counts them
    }
}
