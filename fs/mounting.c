// SPDX-License-Identifier: MIT
// Changes of the mount table for mount(2), umount2(2) and pivot_root(2). Each is a sequence of
// single additions and removals (fs/mount.c), ordered so that a process killed between two of them
// leaves a table that works.
#include "host.h"
#include "overlay.h"

static long join(char *out, const char *a, const char *b)
{
    const char *slash = *a && *b && a[strlen(a) - 1] != '/' ? "/" : "";
    return fmt(out, LX_PATH_MAX, "%s%s%s", a, slash, b) < LX_PATH_MAX ? 0 : -ENAMETOOLONG;
}

long place_find(struct task *t, const char *path, int walk, struct place *at)
{
    struct parent p;
    long r = path_walk(t, AT_FDCWD, path, walk | WALK_SLOW, &at->loc);
    if (r < 0)
        return r;
    r = loc_root(t, &at->loc);
    if (r >= 0)
        r = parent_open(t, &at->loc, &p);
    if (r < 0)
        return r;
    r = meta_stat(t, at->loc.mount, &p, STATX_BASIC_STATS, &at->st);
    parent_done(t, &p);
    if (r < 0)
        return r;
    if (at->loc.must_be_dir && !place_is_dir(at))
        return -ENOTDIR;
    at->is_mount = !strcmp(at->loc.rel, mount_at(t, at->loc.mount)->node);
    r = instance_path(t, at->loc.mount, at->loc.rel, at->path, sizeof at->path);
    return r < 0 ? r : 0;
}

// The part of path behind the directory top, with its slash; NULL: it is not below or the same.
static const char *behind(const char *path, const char *top)
{
    size_t n = top[1] ? strlen(top) : 0; // "/"
    if (strncmp(path, top, n) != 0 || (path[n] && path[n] != '/'))
        return NULL;
    return path[n] == '/' && !path[n + 1] ? path + n + 1 : path + n;
}

// Is mount m attached below mount top, through others or not?
static bool is_inside(struct task *t, int m, int top)
{
    for (int i = 0; i < MOUNTS_MAX && m > 0; i++) {
        m = mount_at(t, m)->parent;
        if (m == top)
            return true;
    }
    return false;
}

// The live mounts inside `top` and at or below `path`, oldest first, so that each comes after the
// one that it lies in.
static int collect(struct task *t, int top, const char *path, s32 *out)
{
    int n = 0;
    for (int m = 1; m < MOUNTS_MAX; m++) {
        if (!mount_is_live(t, m) || !is_inside(t, m, top) || !behind(mount_at(t, m)->point, path))
            continue;
        int i = n++;
        for (; i > 0 && mount_at(t, out[i - 1])->id > mount_at(t, m)->id; i--)
            out[i] = out[i - 1];
        out[i] = m;
    }
    return n;
}

// It names what lies beneath every bind, so that the mounts it came from may go.
long mount_view(struct task *t, struct mount_entry *e, int m, const char *rel)
{
    const struct mount_entry *from = mount_at(t, m);
    if (from->type == FS_OVERLAY)
        return overlay_view(t, e, m, rel);
    memcpy(e, from, sizeof *e);
    e->flags = mount_flags(t, m) & MOUNT_KEPT;
    e->apart = e->pivoted = 0;
    if (from->base == BASE_INHERITED) {
        e->base = m;
        return join(e->base_path, "", rel);
    }
    return join(e->base_path, from->base_path, rel);
}

static long add_at(struct task *t, struct mount_entry *e, const char *path)
{
    const char *rest;
    e->parent = mount_of_path(t, path, &rest);
    str_copy(e->point, path, sizeof e->point);
    long r = mount_add(t, e);
    if (r < 0 && e->type == FS_OVERLAY)
        overlay_discard(t, e);
    return r;
}

// Is there a mount, or a layer of one, in the tmpfs that `holder` holds?
static bool is_held(struct task *t, u32 holder)
{
    for (int m = 1; m < MOUNTS_MAX; m++) {
        const struct mount_entry *e = mount_at(t, m);
        if (e->state != MOUNT_FREE && e->base == BASE_HELD && e->holder == holder)
            return true;
    }
    return false;
}

void mount_end_entry(struct task *t, const struct mount_entry *e)
{
    if (e->type == FS_OVERLAY)
        overlay_discard(t, e);
    if (e->base == BASE_HELD && !is_held(t, e->holder))
        limited_discard(t, e);
}

bool mount_end(struct task *t, int m)
{
    struct mount_entry e = *mount_at(t, m);
    bool gone = mount_remove(t, m);
    if (gone)
        mount_end_entry(t, &e);
    return gone;
}

long mount_attach(struct task *t, struct mount_entry *e, const struct place *to)
{
    return add_at(t, e, to->path);
}

static void remove_all(struct task *t, const s32 *list, int n)
{
    while (n > 0)
        mount_end(t, list[--n]);
}

// Adds views of the mounts in list, from below `from` to below `to`.
static long copy_all(struct task *t, const s32 *list, int n, const char *from, const char *to,
                     s32 *made)
{
    struct mount_entry e;
    char path[LX_PATH_MAX];
    for (int i = 0; i < n; i++) {
        long r = mount_view(t, &e, list[i], "");
        const char *rest = behind(mount_at(t, list[i])->point, from);
        if (r >= 0)
            r = rest ? join(path, to, rest + (*rest == '/')) : -EINVAL;
        if (r >= 0)
            r = add_at(t, &e, path);
        if (r < 0) {
            remove_all(t, made, i);
            return r;
        }
        made[i] = (s32)r;
    }
    return 0;
}

bool place_is_below(const struct place *at, const struct place *top)
{
    return behind(at->path, top->path);
}

// e is what `from` is.
static long add_with_below(struct task *t, struct mount_entry *e, const struct place *from,
                           const struct place *to, const s32 *below, int n)
{
    s32 made[MOUNTS_MAX];
    long r = add_at(t, e, to->path);
    if (r < 0)
        return r;
    int top = (int)r;
    r = copy_all(t, below, n, from->path, to->path, made);
    if (r < 0)
        mount_end(t, top);
    return r;
}

// Makes e what lies at loc, a device node, FIFO or socket.
static long node_view(struct task *t, struct mount_entry *e, const struct loc *loc)
{
    char dir[LX_PATH_MAX] = "";
    const char *slash = strrchr(loc->rel, '/'), *name = slash ? slash + 1 : loc->rel;
    if (slash)
        str_copy(dir, loc->rel, (size_t)(slash - loc->rel) + 1);
    long r = mount_view(t, e, loc->mount, dir);
    if (r >= 0 && str_copy(e->node, name, sizeof e->node) >= sizeof e->node)
        return -ENAMETOOLONG;
    return r;
}

long mount_bind(struct task *t, const struct place *from, const struct place *to, bool rec)
{
    struct mount_entry e;
    s32 below[MOUNTS_MAX];
    u32 type = from->st.stx_mode & S_IFMT;
    if (place_is_dir(from) != place_is_dir(to))
        return -ENOTDIR;
    if (type == S_IFLNK)
        return -EINVAL;
    if (type != S_IFDIR && is_overlay(t, from->loc.mount))
        return -EINVAL; // which would be another once it is copied up
    int n = rec ? collect(t, from->loc.mount, from->path, below) : 0;
    bool node = type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
    long r = node && !place_is_mount(from)
                 ? node_view(t, &e, &from->loc)
                 : mount_view(t, &e, from->loc.mount, place_is_mount(from) ? "" : from->loc.rel);
    return r < 0 ? r : add_with_below(t, &e, from, to, below, n);
}

long mount_pivot(struct task *t, const struct place *from, const struct place *to, int but)
{
    struct mount_entry e;
    s32 below[MOUNTS_MAX];
    int n = 0, all = collect(t, from->loc.mount, from->path, below);
    for (int i = 0; i < all; i++)
        if (below[i] != but && !is_inside(t, below[i], but))
            below[n++] = below[i];
    long r = mount_view(t, &e, from->loc.mount, "");
    e.pivoted = mount_at(t, from->loc.mount)->id;
    return r < 0 ? r : add_with_below(t, &e, from, to, below, n);
}

int mount_pivoted(struct task *t, int m)
{
    u32 id = mount_at(t, m)->id;
    for (int i = mount_next(t, 1); i < MOUNTS_MAX; i = mount_next(t, i + 1))
        if (mount_at(t, i)->pivoted == id)
            return i;
    return m;
}

long mount_move(struct task *t, const struct place *from, const struct place *to)
{
    s32 list[MOUNTS_MAX + 1], made[MOUNTS_MAX + 1];
    if (!place_is_mount(from) || from->loc.mount == 0)
        return -EINVAL;
    if (place_is_dir(from) != place_is_dir(to))
        return -ENOTDIR;
    if (to->loc.mount == from->loc.mount || is_inside(t, to->loc.mount, from->loc.mount))
        return -ELOOP;
    list[0] = from->loc.mount;
    int n = 1 + collect(t, from->loc.mount, from->path, list + 1);
    long r = copy_all(t, list, n, from->path, to->path, made);
    if (r >= 0)
        remove_all(t, list, n);
    return r;
}

bool mount_has_child(struct task *t, int m)
{
    for (int i = 1; i < MOUNTS_MAX; i++)
        if (mount_is_live(t, i) && mount_at(t, i)->parent == m)
            return true;
    return false;
}

void mount_detach(struct task *t, int m)
{
    s32 list[MOUNTS_MAX];
    int n = collect(t, m, "/", list);
    remove_all(t, list, n);
    mount_end(t, m);
}

// Whose is it that the mount is read-only? Where lxrun made it so, the file system's as well.
u32 mount_rdonly(u32 flags)
{
    u32 is = flags & (MOUNT_FS_RDONLY | MOUNT_OWN_RDONLY);
    return is || !(flags & MS_RDONLY) ? is : MOUNT_FS_RDONLY | MOUNT_OWN_RDONLY;
}

// Of *at, flags of a mount of which some are locked, those of `which` become `flags`; others may be
// lxcore's own notes (fs/sidelink.c). What is locked stays.
static void replace_flags(u32 *at, u32 locked, u32 which, u32 flags)
{
    u32 was = __atomic_load_n(at, __ATOMIC_ACQUIRE), now;
    do {
        now = ((was | mount_rdonly(was)) & ~(which | MS_RDONLY)) | flags | locked;
        if (now & (MOUNT_FS_RDONLY | MOUNT_OWN_RDONLY))
            now |= MS_RDONLY;
    } while (
        !__atomic_compare_exchange_n(at, &was, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

// Do the two show one file system of the guest's tree, or one tmpfs?
static bool mount_is_same_fs(struct task *t, int a, int b)
{
    const struct mount_entry *x = mount_at(t, a), *y = mount_at(t, b);
    if (a == b)
        return true;
    if (x->type != y->type || (x->type != FS_TMPFS && x->type != FS_VOLFS))
        return false;
    if (x->base == BASE_STORE && y->base == BASE_STORE) {
        const char *end = strchr(x->base_path, '/');
        size_t n = end ? (size_t)(end - x->base_path) : strlen(x->base_path);
        return !strncmp(x->base_path, y->base_path, n) &&
               (!y->base_path[n] || y->base_path[n] == '/');
    }
    if (x->base == BASE_HELD && y->base == BASE_HELD)
        return x->holder == y->holder;
    s32 in = x->base == BASE_INHERITED ? a : x->base;
    return in >= 0 && in == (y->base == BASE_INHERITED ? b : y->base);
}

void mount_set_fs_rdonly(struct task *t, int m, bool rdonly)
{
    const u32 now = rdonly ? MOUNT_FS_RDONLY : 0;
    mount_writer_begin(t);
    for (int i = 0; i < MOUNTS_MAX; i++) {
        struct mount_entry *e = mount_at(t, i);
        if (e->state != MOUNT_LIVE || !mount_is_same_fs(t, m, i))
            continue;
        replace_flags(&e->flags, e->locked, MOUNT_FS_RDONLY, now);
        for (u32 apart = e->apart; apart; apart &= apart - 1)
            replace_flags(&e->own_flags[__builtin_ctz(apart)], e->locked, MOUNT_FS_RDONLY, now);
    }
    mount_writer_end(t);
}

// The caller's namespace gets flags of its own where others have the mount, too.
static u32 *flags_to_change(struct task *t, int m)
{
    struct mount_entry *e = mount_at(t, m);
    u32 ns = t->fs->mnt_ns, others = t->instance->mnt_ns_used & ~(1u << ns);
    bool shared = false;
    for (; others; others &= others - 1)
        shared |= mounts_of(t, (u32)__builtin_ctz(others)) >> m & 1;
    if (!(e->apart >> ns & 1) && !shared)
        return &e->flags;
    if (!(e->apart >> ns & 1)) {
        e->own_flags[ns] = e->flags & MOUNT_KEPT;
        __atomic_fetch_or(&e->apart, 1u << ns, __ATOMIC_RELEASE);
    }
    return &e->own_flags[ns];
}

void mount_set_flags(struct task *t, int m, u32 flags)
{
    if (flags & MS_RDONLY)
        flags |= MOUNT_OWN_RDONLY;
    mount_writer_begin(t);
    replace_flags(flags_to_change(t, m), mount_at(t, m)->locked,
                  MOUNT_FLAGS | MOUNT_OWN_RDONLY | MOUNT_EXPIRING, flags);
    mount_writer_end(t);
}

int mount_of_type(struct task *t, u32 type)
{
    for (int m = 0; m < MOUNTS_MAX; m++)
        if (mount_at(t, m)->id && mount_at(t, m)->type == type &&
            mount_at(t, m)->base == BASE_INHERITED)
            return m;
    return -1;
}
