// SPDX-License-Identifier: MIT
// The slow walk: looks at each component of a path, as fs/namei.c of Linux does. The place reached
// is a way without links, rel, from a base: the root of a mount, or for a relative path its anchor,
// the directory that it begins in. What is looked up there is looked up by the whole way, so that a
// directory moved meanwhile leads to an error and never elsewhere.
//
// "..", and the way out of a mount: fs/walkup.c.
//
// Where nothing but links is to be found on the way, the walk strides: one host call passes as many
// directories as have none before them.
#include <linux/mman.h>

#include "devlink.h"
#include "drivename.h"
#include "host.h"
#include "nocase.h"
#include "overlay.h"
#include "procfs.h"
#include "slow.h"
#include "walk.h"

#define LINKS_MAX 40
#define NO_LINK (-EINVAL) // what readlink(2) says
// Links within links may hold a whole text each.
#define TODO_MAX ((LINKS_MAX + 1) * LX_PATH_MAX)

static bool in_proc(const struct walk *w)
{
    return mount_at(w->t, w->loc->mount)->type == FS_PROC;
}

// The mount that the text of loc's path leads to, or its own where that cannot be told. In a frame
// of its own: what the others reach over is a page more of the stack, which a new process has to be
// given.
static __attribute__((noinline)) int mount_of_place(struct task *t, const struct loc *loc,
                                                    const char **rest)
{
    char path[LX_PATH_MAX];
    long r = instance_path_of_loc(t, loc, path, sizeof path);
    int m = r < 0 ? loc->mount : mount_of_path(t, path, rest);
    if (m != loc->mount && **rest) { // it covers what is above the place, too
        *rest = "";
        return mount_on(t, loc->mount, path);
    }
    *rest = m == loc->mount || !**rest ? "" : "/";
    return m;
}

// The name that loc has got is that of some mount point: is one there?
static long enter_mount(struct walk *w)
{
    struct task *t = w->t;
    struct loc *loc = w->loc;
    const char *rest;
    int m = base_is_root(t, loc->base) && !loc->mount ? mount_of_path(t, loc->rel, &rest)
                                                      : mount_of_place(t, loc, &rest);
    if (m && !loc->mount && *rest) { // the same of a way from the tree's root
        m = mount_on(t, 0, loc->rel);
        rest = "";
    }
    if (m == loc->mount || *rest)
        return 0;
    if (w->flags & WALK_NO_XDEV)
        return -EXDEV;
    walk_leave_anchor(w);
    loc->mount = m;
    str_copy(loc->rel, mount_at(t, m)->node, sizeof loc->rel);
    return 0;
}

// Is there something by the way that loc has got?
static bool is_there(struct walk *w)
{
    struct statx st;
    struct parent p;
    if (parent_open(w->t, w->loc, &p) < 0)
        return false;
    bool there = host_statx(p.fd, p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0;
    parent_done(w->t, &p);
    return there;
}

// step_into() in a drive whose file system may refuse the name. One that it does hold as it is
// written is found: NTFS can, and Linux writes them so. (FAT finds "a" by "a.": not at the end,
// therefore.)
static __attribute__((noinline)) long step_into_windows(struct walk *w, const char *name, size_t n)
{
    struct loc *loc = w->loc;
    size_t len = strlen(loc->rel);
    if (len && len + 1 < sizeof loc->rel)
        loc->rel[len++] = '/';
    char *to = loc->rel + len;
    size_t room = sizeof loc->rel - len, k = drivename_to_host(name, n, to, room);
    if (k >= room)
        return -ENAMETOOLONG;
    if (k != n && !drivename_refused((u8)name[n - 1], true) && !is_there(w)) {
        memcpy(to, name, n);
        to[n] = 0;
        if (!is_there(w))
            drivename_to_host(name, n, to, room);
    }
    return mount_name_is_point(w->t, name, n) ? enter_mount(w) : 0;
}

// Appends one name to loc, entering a mount that lies there.
static long step_into(struct walk *w, const char *name, size_t n)
{
    struct loc *loc = w->loc;
    size_t len = strlen(loc->rel);
    char host[12];
    w->placed = false;
    if (mount_at(w->t, loc->mount)->drive.names)
        return step_into_windows(w, name, n);
    size_t renamed = in_proc(w) ? procfs_host_name(w->t, loc->rel, len, name, n, host) : 0;
    if (renamed) {
        name = host;
        n = renamed;
    }
    if (len + n + 2 > sizeof loc->rel)
        return -ENAMETOOLONG;
    if (len)
        loc->rel[len++] = '/';
    memcpy(loc->rel + len, name, n);
    loc->rel[len + n] = 0;
    return mount_name_is_point(w->t, name, n) ? enter_mount(w) : 0;
}

// Reads the link at loc. Its length, NO_LINK, or an error of the lookup; -ENOTBLK: a device node.
static long read_link(struct walk *w)
{
    struct devlink d;
    if (in_proc(w)) {
        long r = procfs_lookup(w->t, w->loc->rel);
        return r < 0 ? r : procfs_readlink(w->t, w->loc->rel, w->link, LX_PATH_MAX);
    }
    const char *slash = strrchr(w->loc->rel, '/');
    long n;
    if (w->dir >= 0 || !slash) {
        n = host_readlinkat(w->dir >= 0 ? w->dir : w->loc->base, slash ? slash + 1 : w->loc->rel,
                            w->link, LX_PATH_MAX);
    } else {
        long fd = temp_open(w->t, w->loc->base, w->loc->rel, O_PATH | O_NOFOLLOW, WALK_RESOLVE);
        if (fd < 0)
            return fd == -ELOOP ? WALK_ANEW : fd;
        n = host_readlinkat((int)fd, "", w->link, LX_PATH_MAX);
        if (n < 0)
            n = NO_LINK;
        temp_close(w->t, (int)fd);
    }
    if (n < 0)
        return n;
    return devlink_parse(w->link, (size_t)n, &d) ? -ENOTBLK : n;
}

// May the task search the directory reached?
static long may_search(struct walk *w)
{
    struct statx st;
    struct parent p;
    if (fs_unchecked(&w->t->cred))
        return 0;
    if (!w->anchored && !w->loc->mount && !w->loc->rel[0] && dirs_may_search_base(w->t, w->loc))
        return 0; // the tree's root, which most walks begin at
    long r = parent_open(w->t, w->loc, &p);
    if (r < 0)
        return r == -ELOOP && !in_proc(w) ? WALK_ANEW : r;
    r = meta_stat(w->t, w->loc->mount, &p, STATX_BASIC_STATS, &st);
    parent_done(w->t, &p);
    if (r < 0)
        return r;
    if (w->loc->mount >= 0 && in_proc(w))
        return procfs_may_search(w->t, w->loc->rel, &st);
    // (A link's descriptor may be what the path begins at.)
    if ((st.stx_mode & S_IFMT) != S_IFDIR)
        return (st.stx_mode & S_IFMT) == S_IFLNK && w->loc->rel[0] ? WALK_ANEW : -ENOTDIR;
    return may_access(&w->t->cred, &st, MAY_EXEC);
}

// A magic link on the way leads to no directory that has a guest path: a removed one, or none.
static long not_passed(const struct loc *loc)
{
    struct statx st;
    bool dir =
        !host_statx(loc->base, loc->rel, 0, STATX_TYPE, &st) && (st.stx_mode & S_IFMT) == S_IFDIR;
    return dir ? -ENOENT : -ENOTDIR;
}

// May the link just appended, the last one of the path, be followed? Not another's in a directory
// where anybody can put one. Linux: fs/namei.c, may_follow_link().
static long may_follow(struct walk *w)
{
    struct task *t = w->t;
    struct statx dir, st;
    struct parent p;
    if (!t->instance->protected_symlinks || in_proc(w) || parent_open(t, w->loc, &p) < 0)
        return 0;
    bool risky = *p.name && meta_stat_dir(t, w->loc->mount, &p, &dir) >= 0 &&
                 (dir.stx_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) &&
                 meta_stat(t, w->loc->mount, &p, STATX_BASIC_STATS, &st) >= 0 &&
                 st.stx_uid != t->cred.fsuid && st.stx_uid != dir.stx_uid;
    parent_done(t, &p);
    return risky ? -EACCES : 0;
}

// What is to be done with the name just appended: the length of a link to follow, NO_LINK to go on,
// or the error that ends the walk. followed: should a link be followed here?
static long look(struct walk *w, bool last, bool followed)
{
    bool proc = in_proc(w);
    w->descriptor = false;
    if (w->loc->over >= OVER_ABSENT)
        return last ? NO_LINK : overlay_absent(w->loc);
    if (w->loc->over && (w->loc->over_mode & S_IFMT) != S_IFLNK)
        return NO_LINK;
    if (w->loc->object && !last && !proc)
        return read_link(w) >= 0 ? -ENOTDIR : NO_LINK;
    if (!w->loc->rel[0] || !(followed || proc))
        return NO_LINK;
    if (!followed && last) { // in /proc: whether it is there the host says
        long seen = procfs_is_seen(w->t, w->loc->rel, w->link);
        return seen < 0 ? seen : NO_LINK;
    }
    long r = read_link(w);
    if (r == -ENOTBLK)
        return last ? NO_LINK : -ENOTDIR;
    if (!followed && r >= 0)
        return NO_LINK; // in /proc: only whether it is there
    // All links in a process's directory are magic ones, that lead to an object and not by a path.
    bool magic = r == -EXDEV || (r >= 0 && proc && strchr(w->loc->rel, '/'));
    w->descriptor = magic && strstr(w->loc->rel, "/fd/");
    if (magic && followed && (w->flags & WALK_NO_MAGIC))
        return -ELOOP;
    if (r == -EXDEV)
        return last ? NO_LINK : not_passed(w->loc);
    // Whether the last one must be there is the caller's business.
    return last && r == -ENOENT && !proc ? NO_LINK : r;
}

// w->todo becomes the link's text, of length n, and what stood behind its name. A text that only
// links within links make so long gets a mapping, once in a walk.
static long put_in(struct walk *w, size_t n, const char *rest)
{
    size_t len = strlen(rest);
    char *to = w->mapped, *link = w->link;
    if (!to && n + len < LX_PATH_MAX) {
        to = link; // where it is
        w->link = w->room[link == w->room[0]];
    } else if (!to) {
        long r = host_mmap(0, TODO_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (r < 0)
            return r;
        to = w->mapped = (char *)r;
    }
    memmove(to + n, rest, len + 1);
    if (to != link)
        memcpy(to, link, n);
    w->todo = to;
    return 0;
}

// Puts the link's text before `rest`, the part of w->todo behind its name.
static long follow(struct walk *w, size_t n, const char *rest)
{
    struct loc *loc = w->loc;
    s32 from = loc->mount;
    w->placed = false;
    if (++w->links > LINKS_MAX || (w->flags & WALK_NO_SYMLINKS))
        return -ELOOP;
    if (!n)
        return -ENOENT;
    char *slash = strrchr(loc->rel, '/');
    way_link_followed(w->t, slash ? slash + 1 : loc->rel);
    long r = put_in(w, n, rest);
    if (r < 0)
        return r;
    if (w->todo[0] != '/') {
        walk_step_back(loc);
        return 0;
    }
    if (w->flags & WALK_BENEATH)
        return -EXDEV;
    if (w->flags & WALK_IN_ROOT && !w->start_rel) {
        w->anchored = true; // again, if it has entered a mount
        loc->mount = w->start_mount;
        loc->base = w->start_base;
        loc->rel[0] = 0;
        return 0;
    }
    walk_leave_anchor(w);
    if (w->flags & WALK_IN_ROOT) {
        loc->mount = w->start_mount;
        str_copy(loc->rel, w->start_rel, sizeof loc->rel);
        return 0;
    }
    loc->mount = w->root_mount;
    str_copy(loc->rel, w->root, sizeof loc->rel);
    return from != loc->mount && (w->flags & WALK_NO_XDEV) ? -EXDEV : 0;
}

// A link at the beginning of an absolute path, as /bin is one: the next such path begins with a
// look at it (path_walk).
static void note_link(struct walk *w)
{
    u64 *links = &mount_at(w->t, w->loc->mount)->links;
    const char *name = w->loc->rel;
    if (w->anchored || strchr(name, '/'))
        return;
    u64 bit = name_bit(name_hash(name, strlen(name)));
    if (!(__atomic_load_n(links, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(links, bit, __ATOMIC_RELAXED);
}

static long set_base(struct walk *w)
{
    if (w->anchored)
        return 0;
    if (is_overlay(w->t, w->loc->mount)) {
        long r = w->placed ? 0 : overlay_place(w->t, w->loc);
        w->placed = r >= 0;
        return r;
    }
    w->loc->over = OVER_NOT;
    int fd = mount_root_fd(w->t, w->loc->mount);
    w->loc->base = fd;
    return fd < 0 ? fd : 0;
}

// Can what is left of the path be left to the host, so far as there are no links? Then it is put
// behind the place reached. -ENOENT: a directory of it is missing.
static long leave_to_text(struct walk *w)
{
    struct loc *loc = w->loc;
    struct path_end end;
    size_t n = strlen(loc->rel), at = n ? n + 1 : 0;
    char *rest = loc->rel + at;
    if (at == sizeof loc->rel ||
        path_normalise(w->t, w->todo, rest, sizeof loc->rel - at, &end) < 0 || end.dotdot ||
        !path_text_serves(w->t, loc->mount, end.point, rest)) {
        loc->rel[n] = 0;
        return false;
    }
    if (n && *rest)
        loc->rel[n] = '/';
    if (!fs_unchecked(&w->t->cred)) {
        long kept = end.dots || set_base(w) < 0 ? 0 : dirs_may_search(w->t, loc);
        if (kept <= 0) {
            loc->rel[n] = 0;
            return kept;
        }
        loc->kept = (u8)kept;
    }
    loc->must_be_dir = end.dir;
    loc->dots = end.dots;
    w->text = true;
    return true;
}

static void close_dir(struct walk *w)
{
    if (w->dir >= 0)
        temp_close(w->t, w->dir);
    w->dir = -1;
}

static bool is_dots(const char *name, size_t n)
{
    return n <= 2 && name[0] == '.' && (n == 1 || name[1] == '.');
}

// Appends to the place reached those components of path that are surely directories and no links,
// by one host call for all of them. *rest: the first that is none, or the last one; the directory
// that it lies in is open then (w->dir).
static long stride(struct walk *w, const char *path, const char **rest)
{
    struct loc *loc = w->loc;
    size_t start = strlen(loc->rel), n = start;
    const char *next, *p = path;
    *rest = path;
    for (size_t len; len = walk_component(p, &next), *next; p = next) {
        if (is_dots(p, len) || n + len + 2 > sizeof loc->rel || mount_name_is_point(w->t, p, len))
            break;
        if (n)
            loc->rel[n++] = '/';
        memcpy(loc->rel + n, p, len);
        n += len;
    }
    loc->rel[n] = 0;
    if (is_overlay(w->t, loc->mount)) {
        // All of it, or nothing: which of them is a link is not known.
        w->placed = n > start && overlay_is_dir(w->t, loc);
        if (w->placed)
            *rest = p;
        else
            loc->rel[start] = 0;
        return set_base(w);
    }
    while (n > start) {
        long fd = temp_open(w->t, loc->base, loc->rel, O_PATH | O_DIRECTORY, WALK_RESOLVE);
        if (fd >= 0) {
            w->dir = (s32)fd;
            *rest = p;
            return 0;
        }
        if (fd != -ELOOP) {
            loc->rel[start] = 0;
            return fd;
        }
        // One of them is a link: the last one, unless that shows to be a directory next time.
        while (p > path && p[-1] == '/')
            p--;
        while (p > path && p[-1] != '/')
            p--;
        char *slash = strrchr(loc->rel, '/');
        n = slash && (size_t)(slash - loc->rel) > start ? (size_t)(slash - loc->rel) : start;
        loc->rel[n] = 0;
    }
    return 0;
}

// Is the walk only after links? Not while it must ask for permission in each directory.
static bool may_stride(const struct walk *w)
{
    return fs_unchecked(&w->t->cred) && !(w->flags & WALK_LIMITS) && !in_proc(w) &&
           mount_is_plain(w->t, w->loc->mount);
}

// The name just appended, in a drive that does not tell names apart by case.
static long as_it_is_there(struct walk *w)
{
    struct loc *loc = w->loc;
    if (!loc->rel[0])
        return 0;
    long r = nocase_find(w->t, loc);
    if (r <= 0)
        return r == -ENOTDIR || r == -ENOENT || r == -EACCES ? 0 : r; // told when it is used
    const char *slash = strrchr(loc->rel, '/'), *name = slash ? slash + 1 : loc->rel;
    if (!mount_name_is_point(w->t, name, strlen(name)))
        return 0;
    r = enter_mount(w);
    return r < 0 ? r : set_base(w);
}

// The descriptor of the caller's own whose link in /proc was just appended, if what it is open on
// can be told by that as by a path: another thread or process may give its path to something else.
// Of a directory in an overlay its path it is. -1: none. *mode: the host's, of what it is open on.
static __attribute__((noinline)) int held_by(struct walk *w, bool last, int *m, u32 *mode)
{
    struct statx st;
    bool link = strstr(w->loc->rel, "/fd/"); // and no /fdinfo/
    int fd = link ? (int)procfs_own_fd(w->t, w->loc->rel) : -1;
    *m = fd < 0 || fd_is_reserved(w->t, fd) ? -1 : fd_mount(w->t, fd);
    u32 kind = *m < 0 ? FS_NONE : mount_at(w->t, *m)->type;
    bool plain =
        (kind == FS_VOLFS || kind == FS_DRVFS || kind == FS_TMPFS) && mount_is_plain(w->t, *m);
    if ((!plain && (kind != FS_OVERLAY || !last)) ||
        host_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
        return -1;
    *mode = st.stx_mode;
    bool is_last = (st.stx_mode & S_IFMT) == S_IFREG || meta_by_name(st.stx_mode);
    return (plain && (st.stx_mode & S_IFMT) == S_IFDIR) || (is_last && last) ? fd : -1;
}

// The walk goes on from the descriptor, or ends there.
static long hold(struct walk *w, int fd, int m, u32 mode, bool last)
{
    struct loc *loc = w->loc;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    walk_leave_anchor(w);
    w->anchored = true;
    w->placed = false;
    loc->mount = m;
    loc->base = fd;
    loc->rel[0] = 0;
    loc->over = OVER_NOT;
    loc->over_mode = (u16)mode;
    loc->held = last;
    loc->object = (mode & S_IFMT) == S_IFLNK;
    return is_overlay(w->t, m) ? overlay_hold(w->t, fd, m, loc) : 0;
}

static long walk(struct walk *w)
{
    struct loc *loc = w->loc;
    const char *p = w->todo;
    // The first name in a root is looked at by itself: that costs one call, and /bin is a link.
    bool strides = false;
    for (;;) {
        while (*p == '/')
            p++;
        if (!*p)
            return 0;
        long r = set_base(w);
        if (r >= 0)
            r = may_search(w);
        if (r >= 0 && strides && may_stride(w))
            r = stride(w, p, &p);
        if (r < 0)
            return r;
        const char *next;
        size_t n = walk_component(p, &next);
        bool slash = p[n] == '/', last = !*next;
        bool up = n == 2 && is_dots(p, n);
        loc->dots = is_dots(p, n);
        loc->must_be_dir = last && (slash || loc->dots);
        if (loc->dots) {
            close_dir(w);
            r = up ? walk_step_up(w) : 0;
            if (r < 0)
                return r == -ELOOP && !in_proc(w) ? WALK_ANEW : r;
            p = next;
            continue;
        }
        r = step_into(w, p, n);
        if (r >= 0)
            r = set_base(w);
        if (r >= 0 && mount_at(w->t, loc->mount)->drive.nocase)
            r = as_it_is_there(w);
        if (r < 0)
            return r;
        bool followed = !last || (slash && !(w->flags & WALK_NAME)) || (w->flags & WALK_FOLLOW);
        loc->object = w->object && strlen(p + n) == w->behind_object;
        followed = followed && !loc->object;
        bool held = followed && in_proc(w) && !(w->flags & WALK_LIMITS) &&
                    (!last || (w->flags & WALK_OBJECT));
        u32 mode;
        int m = 0, fd = held ? held_by(w, last, &m, &mode) : -1;
        if (fd < 0)
            r = look(w, last, followed);
        // One that came from elsewhere is known by its number when its link has been read.
        if (m < 0 && r >= 0)
            fd = held_by(w, last, &m, &mode);
        if (fd >= 0) {
            close_dir(w);
            r = hold(w, fd, m, mode, last);
            if (r < 0)
                return r;
            strides = true;
            p = next;
            continue;
        }
        close_dir(w);
        strides = true;
        if (r == NO_LINK) {
            p = next;
            continue;
        }
        if (r >= 0 && last && may_follow(w) < 0)
            return -EACCES;
        if (r >= 0 && !last)
            note_link(w);
        if (w->descriptor) {
            w->object = true;
            w->behind_object = strlen(p + n);
        }
        loc->by_proc |= in_proc(w);
        if (r >= 0)
            r = follow(w, (size_t)r, p + n);
        if (r < 0)
            return r;
        p = w->todo;
        r = (w->flags & WALK_TEXT) && !w->object ? leave_to_text(w) : 0;
        if (r)
            return MIN(r, 0);
        strides = *p != '/';
    }
}

static long run(struct walk *w, struct task *t, const char *path, int flags, struct loc *loc)
{
    w->t = t;
    w->loc = loc;
    w->flags = flags;
    w->links = flags / WALK_LINK;
    w->text = w->placed = w->object = false;
    w->dir = -1;
    w->todo = path;
    w->link = w->room[0];
    w->mapped = NULL;
    if (w->anchored)
        root_look(t);
    w->root_mount = t->fs->root_mount;
    w->root = t->fs->root;
    if (strlen(path) >= LX_PATH_MAX)
        return -ENAMETOOLONG;
    loc->must_be_dir = loc->dots = loc->object = loc->held = loc->by_proc = false;
    loc->last = 0;
    loc->dirs_seen = dirs_changes(t);
    long r = walk(w);
    close_dir(w);
    if (w->mapped)
        host_munmap((uptr)w->mapped, TODO_MAX);
    if (r >= 0)
        r = set_base(w);
    if (r >= 0 && loc->over >= OVER_ABSENT) {
        r = overlay_absent(loc);
        if (flags & (r == -ENOENT ? WALK_NAME | WALK_ABSENT : WALK_LONG))
            r = 0;
    }
    if (r < 0)
        loc_done(t, loc);
    loc->walked = !w->text;
    return r;
}

static __attribute__((noinline)) long walk_limited(struct task *t, const char *path, int flags,
                                                   struct loc *loc)
{
    struct walk w;
    char start[LX_PATH_MAX];
    w.anchored = false;
    w.start_mount = loc->mount;
    w.start_rel = start;
    str_copy(start, loc->rel, sizeof start);
    return run(&w, t, path, flags, loc);
}

// Without limits the frame is smaller.
static __attribute__((noinline)) long walk_unlimited(struct task *t, const char *path, int flags,
                                                     struct loc *loc)
{
    struct walk w;
    w.anchored = false;
    return run(&w, t, path, flags, loc);
}

long walk_slow(struct task *t, const char *path, int flags, struct loc *loc)
{
    return flags & WALK_LIMITS ? walk_limited(t, path, flags, loc)
                               : walk_unlimited(t, path, flags, loc);
}

long walk_from(struct task *t, int dirfd, const char *path, int flags, struct loc *loc)
{
    struct walk w;
    w.anchored = true;
    w.start_base = dirfd;
    w.start_mount = loc->mount;
    w.start_rel = NULL;
    loc->base = dirfd;
    loc->rel[0] = 0;
    return run(&w, t, path, flags, loc);
}
