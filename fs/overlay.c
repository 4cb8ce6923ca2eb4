// SPDX-License-Identifier: MIT
// Overlay mounts, looked at. The rules are Linux's (Documentation/filesystems/overlayfs.rst): the
// first layer that has a name shows it; a whiteout, a file, or an opaque directory ends the look;
// directories of several layers are one.
#include "overlay.h"
#include "devlink.h"
#include "host.h"
#include "meta.h"

#define INO_OF_LINK '~' // begins the value of one of several links, which does not show that number

const char *overlay_xattr(struct task *t, int m, const char *what, char out[64])
{
    // fs/xattr.c: the form in which a trusted attribute is kept.
    const char *prefix =
        mount_at(t, m)->userxattr ? "user.overlay." : "user.lxrun.x.trusted.overlay.";
    fmt(out, 64, "%s%s", prefix, what);
    return out;
}

bool overlay_hides(struct task *t, int m, const char *guest_name)
{
    return is_overlay(t, m) &&
           str_starts(guest_name, mount_at(t, m)->userxattr ? "user.overlay." : "trusted.overlay.");
}

// What the attribute `opaque` of a directory says: 'y', 'x' (whiteouts in it may be files with an
// attribute), 0.
static char opaque(struct task *t, int m, int fd)
{
    struct parent dir = {.fd = fd, .name = "."};
    char name[64], value = 0;
    return host_getxattr_at(&dir, overlay_xattr(t, m, "opaque", name), &value, 1) == 1 ? value : 0;
}

bool overlay_is_white(struct task *t, int m, int fd, const char *name, const struct statx *st)
{
    struct parent p = {.fd = fd, .name = name};
    u32 type = st->stx_mode & S_IFMT, node, major, minor;
    char xattr[64];
    if (type == S_IFCHR)
        return !st->stx_rdev_major && !st->stx_rdev_minor;
    if (type == S_IFLNK)
        return st->stx_size == DEVLINK_SIZE && meta_device(&p, &node, &major, &minor) &&
               node == S_IFCHR && !major && !minor;
    return type == S_IFREG && !st->stx_size &&
           host_getxattr_at(&p, overlay_xattr(t, m, "whiteout", xattr), NULL, 0) >= 0 &&
           opaque(t, m, fd) == 'x';
}

// The word of one layer. PASSES_OPEN: if none of the directories on the way is opaque, which is
// asked when a layer below has the name (hides_any), for far down it takes long.
enum { HAS, PASSES, PASSES_OPEN, ENDS, ENDS_WHITE };

static long host_look(int fd, const char *name, struct statx *st)
{
    return host_statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, st);
}

static bool same_look(const struct statx *a, const struct statx *b)
{
    return a->stx_ino == b->stx_ino && a->stx_mode == b->stx_mode;
}

#define LOOKS 100

long overlay_look(struct task *t, int m, int fd, const char *name, struct statx *st, bool *white)
{
    struct statx now;
    for (int tries = 0;; tries++) {
        long r = host_look(fd, name, st);
        *white = r >= 0 && overlay_is_white(t, m, fd, name, st);
        // A whiteout may be one of lxcore's nodes, a link that is read by its name: which may be
        // another's by then.
        if (r < 0 || *white || tries == LOOKS || (st->stx_mode & S_IFMT) != S_IFLNK ||
            st->stx_size != DEVLINK_SIZE || (host_look(fd, name, &now) >= 0 && same_look(&now, st)))
            return r;
    }
}

// Opens the directory that the first n bytes of rel name in a layer. Temporary, unless it is the
// root.
static long open_dir(struct task *t, int root, const char *rel, size_t n)
{
    char path[LX_PATH_MAX];
    if (!n)
        return root;
    memcpy(path, rel, n);
    path[n] = 0;
    return temp_open(t, root, path, O_PATH | O_DIRECTORY, WALK_RESOLVE);
}

static void close_dir(struct task *t, int root, long fd)
{
    if (fd >= 0 && fd != root)
        temp_close(t, (int)fd);
}

// rel goes on behind its first n bytes, which are a directory of the layer that may be opaque.
static size_t next_end(const char *rel, size_t n)
{
    n += rel[n] == '/';
    while (rel[n] && rel[n] != '/')
        n++;
    return n;
}

// Is one of the directories on the way to the last name of rel opaque? last: that too.
static bool is_shut(struct task *t, int m, int root, const char *rel, bool last)
{
    for (size_t n = next_end(rel, 0); rel[n] || last; n = next_end(rel, n)) {
        long fd = open_dir(t, root, rel, n);
        if (fd < 0)
            return false; // no more of it here
        bool shut = opaque(t, m, (int)fd) == 'y';
        close_dir(t, root, fd);
        if (shut || !rel[n])
            return shut;
    }
    return false;
}

// The directory of rel is not in this layer. Does something else stand in the way?
static int ask_way(struct task *t, int m, int root, const char *rel)
{
    char name[256];
    struct statx st;
    for (size_t n = 0; rel[n];) {
        long fd = open_dir(t, root, rel, n);
        if (fd < 0)
            return fd == -ENOENT ? PASSES : ENDS;
        size_t start = n + (rel[n] == '/'), end = next_end(rel, n);
        bool white = false;
        long r = -ENAMETOOLONG;
        if (end - start < sizeof name) {
            memcpy(name, rel + start, end - start);
            name[end - start] = 0;
            r = overlay_look(t, m, (int)fd, name, &st, &white);
        }
        bool shut = n && opaque(t, m, (int)fd) == 'y';
        close_dir(t, root, fd);
        if (r == -ENOENT)
            return shut ? ENDS : PASSES;
        if (r < 0 || white || (st.stx_mode & S_IFMT) != S_IFDIR)
            return ENDS;
        n = end;
    }
    return PASSES;
}

static int ask(struct task *t, int m, int layer, const char *rel, struct statx *st)
{
    int root = mount_root_fd(t, layer);
    if (root < 0)
        return ENDS;
    if (!*rel)
        return host_statx(root, "", AT_EMPTY_PATH, STATX_BASIC_STATS, st) < 0 ? ENDS : HAS;
    const char *slash = strrchr(rel, '/'), *name = slash ? slash + 1 : rel;
    long fd = open_dir(t, root, rel, slash ? (size_t)(slash - rel) : 0);
    if (fd < 0)
        return ask_way(t, m, root, rel);
    bool white;
    long r = overlay_look(t, m, (int)fd, name, st, &white);
    close_dir(t, root, fd);
    if (r >= 0)
        return white ? ENDS_WHITE : HAS;
    return r == -ENOENT ? PASSES_OPEN : ENDS;
}

static int next_layer(struct task *t, int layer)
{
    return mount_at(t, layer)->below;
}

// Notes a layer that passes; false: its word is the last.
static bool passes(int word, int layer, u64 *asked)
{
    if (word == PASSES_OPEN)
        *asked |= 1UL << layer;
    return word == PASSES || word == PASSES_OPEN;
}

// Does one of the layers that passed hide what is below it after all?
static bool hides_any(struct task *t, int m, const char *rel, u64 asked)
{
    bool shut = false;
    for (int layer = 0; asked && !shut; layer++, asked >>= 1)
        shut = (asked & 1) && is_shut(t, m, mount_root_fd(t, layer), rel, false);
    return shut;
}

// The layer that has rel, with base and over in loc; for an absent name, base is not known yet.
static void find(struct task *t, struct loc *loc, struct statx *st)
{
    const struct mount_entry *e = mount_at(t, loc->mount);
    u64 asked = 0;
    loc->over = OVER_ABSENT;
    for (int layer = e->top; layer; layer = next_layer(t, layer)) {
        bool upper = e->has_upper && layer == e->top;
        int word = ask(t, loc->mount, layer, loc->rel, st);
        if (passes(word, layer, &asked))
            continue;
        if (word == HAS && hides_any(t, loc->mount, loc->rel, asked))
            word = ENDS;
        loc->base = mount_root_fd(t, layer);
        loc->over_mode = st->stx_mode;
        if (word == HAS)
            loc->over = upper ? OVER_UPPER : OVER_LOWER;
        else if (word == ENDS_WHITE && upper)
            loc->over = OVER_WHITE;
        return;
    }
}

// The directory of a name that is not there.
static long place_parent(struct task *t, struct loc *loc)
{
    struct statx st;
    char *slash = strrchr(loc->rel, '/');
    if (!slash) {
        loc->base = mount_root_fd(t, loc->mount);
        return 0;
    }
    *slash = 0;
    find(t, loc, &st);
    *slash = '/';
    bool there = loc->over < OVER_ABSENT;
    loc->over = OVER_ABSENT;
    if (!there || (st.stx_mode & S_IFMT) == S_IFLNK) // come since the walk, which follows those
        return -ENOENT;
    return (st.stx_mode & S_IFMT) == S_IFDIR ? 0 : -ENOTDIR;
}

long overlay_place(struct task *t, struct loc *loc)
{
    struct statx st;
    find(t, loc, &st);
    if (loc->over == OVER_ABSENT)
        return place_parent(t, loc);
    return loc->base < 0 ? loc->base : 0;
}

bool overlay_is_dir(struct task *t, struct loc *loc)
{
    struct statx st;
    find(t, loc, &st);
    return loc->over < OVER_ABSENT && loc->base >= 0 && (st.stx_mode & S_IFMT) == S_IFDIR;
}

bool overlay_below(struct task *t, int m, const char *rel)
{
    const struct mount_entry *e = mount_at(t, m);
    struct statx st;
    int layer = e->top;
    u64 asked = 1UL << layer;
    if (!e->has_upper)
        return true;
    while ((layer = next_layer(t, layer))) {
        int word = ask(t, m, layer, rel, &st);
        if (!passes(word, layer, &asked))
            return word == HAS && !hides_any(t, m, rel, asked);
    }
    return false;
}

int overlay_parts(struct task *t, int m, const char *rel, s32 out[MOUNTS_MAX])
{
    struct statx st;
    u64 asked = 0;
    int n = 0;
    for (int layer = mount_at(t, m)->top; layer; layer = next_layer(t, layer)) {
        int word = ask(t, m, layer, rel, &st);
        if (passes(word, layer, &asked))
            continue;
        if (word != HAS || (st.stx_mode & S_IFMT) != S_IFDIR || hides_any(t, m, rel, asked))
            break;
        if (n && is_shut(t, m, mount_root_fd(t, out[n - 1]), rel, true))
            break;
        out[n++] = layer;
    }
    return n;
}

bool overlay_is_own(struct task *t, const struct loc *loc)
{
    const struct mount_entry *e = mount_at(t, loc->mount);
    s32 parts[MOUNTS_MAX];
    return e->type == FS_OVERLAY && e->has_upper && loc->base == mount_root_fd(t, e->top) &&
           overlay_parts(t, loc->mount, loc->rel, parts) == 1 && parts[0] == e->top;
}

void overlay_links(struct task *t, const struct loc *loc, struct statx *st)
{
    s32 parts[MOUNTS_MAX];
    if (is_overlay(t, loc->mount) && (st->stx_mode & S_IFMT) == S_IFDIR && st->stx_nlink > 1 &&
        overlay_parts(t, loc->mount, loc->rel, parts) > 1)
        st->stx_nlink = 1;
}

// ---- Numbers ----

static bool number_before(const struct parent *p, const struct statx *st, u64 *ino, bool *link)
{
    char value[24];
    long n = carries_attr(st->stx_mode) ? host_getxattr_at(p, OVERLAY_INO, value, sizeof value) : 0;
    *ino = 0;
    *link = n > 0 && value[0] == INO_OF_LINK;
    for (long i = 0; i < n; i++)
        *ino = value[i] >= '0' && value[i] <= '9' ? *ino * 10 + (u64)(value[i] - '0') : *ino;
    return n > 0;
}

void overlay_numbers(struct task *t, int m, const struct parent *p, struct statx *st)
{
    u64 dev = device_of(st), ino;
    bool link;
    if (number_before(p, st, &ino, &link) && !link)
        st->stx_ino = ino;
    // Two file systems may have the same number for different files.
    else if (dev != mount_at(t, m)->top_dev)
        st->stx_ino ^= (u64)(st->stx_dev_minor + 1) << 48;
    // A device of its own, as of every file system that has none below.
    st->stx_dev_major = 0;
    st->stx_dev_minor = 0x10000 + (mount_at(t, m)->viewed ?: mount_at(t, m)->id);
}

long overlay_remember(struct task *t, int m, const struct parent *from, const struct statx *st,
                      const struct parent *copy)
{
    struct statx shown = *st;
    bool link = (st->stx_mode & S_IFMT) != S_IFDIR && st->stx_nlink > 1;
    char ino[24] = {INO_OF_LINK};
    overlay_numbers(t, m, from, &shown);
    fmt(ino + link, sizeof ino - link, "%lu", (u64)shown.stx_ino);
    return host_setxattr_at(copy, OVERLAY_INO, ino, strlen(ino), 0);
}

bool overlay_is_copy(struct task *t, int m, const struct parent *copy, const struct parent *of)
{
    const int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    struct statx a, b;
    u64 ino;
    bool link;
    if (host_statx(copy->fd, copy->name, flags, STATX_BASIC_STATS, &a) < 0 ||
        host_statx(of->fd, of->name, flags, STATX_BASIC_STATS, &b) < 0 ||
        (a.stx_mode & S_IFMT) != (b.stx_mode & S_IFMT))
        return false;
    if (!carries_attr(a.stx_mode))
        return true; // nothing tells
    overlay_numbers(t, m, of, &b);
    if (number_before(copy, &a, &ino, &link))
        return ino == b.stx_ino;
    overlay_numbers(t, m, copy, &a);
    return a.stx_ino == b.stx_ino;
}
