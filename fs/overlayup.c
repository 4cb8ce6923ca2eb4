// SPDX-License-Identifier: MIT
// Overlay mounts, changed. What a layer below has is copied up before it is changed; what is
// removed leaves a whiteout. New things are made ready in the directory for work and moved to their
// place in one step, so that a process killed on the way leaves all as it was.
#include <linux/fs.h>
#include <linux/mount.h>

#include "devlink.h"
#include "host.h"
#include "meta.h"
#include "overlay.h"
#include "walk.h"
#include "xattr.h"

#define INO_XATTR "user.lxrun.ino"
#define COPY_AT_ONCE 65536

static int upper_fd(struct task *t, int m)
{
    return mount_at(t, m)->has_upper ? mount_root_fd(t, mount_at(t, m)->top) : -EROFS;
}

int overlay_work(struct task *t, int m)
{
    return mount_root_fd(t, mount_at(t, m)->work);
}

static struct parent work_name(struct task *t, int m, char name[32])
{
    fmt(name, 32, "%u-%u", t->tid,
        __atomic_fetch_add(&t->instance->next_store_name, 1, __ATOMIC_RELAXED));
    return (struct parent){.fd = overlay_work(t, m), .name = name};
}

static long look(const struct parent *p, struct statx *st)
{
    return host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS, st);
}

static bool is_dir(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFDIR;
}

static bool is_link(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFLNK;
}

static long unlink_at(const struct parent *p, int flags)
{
    return HOST3(__NR_unlinkat, p->fd, p->name, flags);
}

static long rename_to(const struct parent *a, const struct parent *b, u32 flags)
{
    return HOST5(__NR_renameat2, a->fd, a->name, b->fd, b->name, flags);
}

// Pins p anew in the upper layer, where loc is now.
static long pin_upper(struct task *t, struct loc *loc, struct parent *p)
{
    u8 last = p->last;
    parent_done(t, p);
    loc->base = upper_fd(t, loc->mount);
    if (loc->base < 0)
        return loc->base;
    long r = parent_open(t, loc, p);
    p->last = last;
    return r;
}

// Whiteouts come and go by rename, which does not ask what it replaces: one at a time. Who waits
// for a stopped process goes on without.
static bool lock_names(struct task *t)
{
    u32 *lock = &t->instance->overlay_lock;
    return __atomic_load_n(lock, __ATOMIC_RELAXED) != t->tid && reserved_wait(t, lock);
}

static void unlock_names(struct task *t, bool locked)
{
    if (locked)
        reserved_release(&t->instance->overlay_lock);
}

// Is there a whiteout now?
static bool is_white(struct task *t, int m, const struct parent *p)
{
    struct statx st;
    return look(p, &st) >= 0 && overlay_is_white(t, m, p->fd, p->name, &st);
}

// ---- Copying ----

static bool is_copied(const char *name)
{
    static const char *const others[] = {
        "user.lxrun.o.",    // owners of entries, which stay where they are
        "user.lxrun.nodes", // about entries, too
        "user.lxrun.i.",    // and of inodes of a mount that begins there
        INO_XATTR,          // written anew
        "user.overlay.",    // what a layer says to the overlay
        "user.lxrun.x.trusted.overlay.",
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_starts(name, others[i]))
            return false;
    return str_starts(name, "user.");
}

static long copy_listed(const struct parent *from, const struct parent *to, const char *list,
                        size_t size, char *value)
{
    long r = 0;
    for (size_t at = 0; at < size && r >= 0; at += strlen(list + at) + 1) {
        if (!is_copied(list + at))
            continue;
        r = host_getxattr_at(from, list + at, value, XATTR_LIST_SIZE);
        if (r >= 0)
            r = host_setxattr_at(to, list + at, value, (size_t)r, 0);
        if (r == -ENODATA || r == -EOPNOTSUPP)
            r = 0;
    }
    return r;
}

static long copy_xattrs(const struct parent *from, const struct parent *to)
{
    char *list = arena_alloc(2 * XATTR_LIST_SIZE);
    if (!list)
        return -ENOMEM;
    long r = host_listxattr_at(from, list, XATTR_LIST_SIZE);
    if (r > 0)
        r = copy_listed(from, to, list, (size_t)r, list + XATTR_LIST_SIZE);
    arena_free(list, 2 * XATTR_LIST_SIZE);
    return r == -EOPNOTSUPP ? 0 : r;
}

// The set-id bits of a file that was put into the layer from outside are no attribute yet. As those
// the copy has them, since for the host it is a file that the guest can write.
static long copy_mode(struct task *t, int m, const struct parent *to, u32 mode)
{
    const u32 set_id = S_ISUID | S_ISGID;
    char value[ATTR_SIZE];
    const struct meta_change c = {.what = META_MODE, .mode = mode & MODE_BITS};
    bool outside = (mode & S_IFMT) == S_IFREG && (mode & set_id) &&
                   host_getxattr_at(to, META_XATTR, value, sizeof value) == -ENODATA;
    long r = HOST2(__NR_fchmod, to->fd, mode & MODE_BITS & ~(outside ? set_id : 0));
    return r >= 0 && outside ? meta_change(t, m, to, &c) : r;
}

// What a copy has of its source beside the content: attributes, number, mode, times. By its
// descriptor: others can put a link under a name in the directory for work.
static long copy_rest(struct task *t, int m, const struct parent *from, int copy,
                      const struct statx *st)
{
    struct parent to = {.fd = copy, .name = "", .guests = true};
    struct __kernel_timespec times[2] = {{st->stx_atime.tv_sec, st->stx_atime.tv_nsec},
                                         {st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec}};
    long r = copy_xattrs(from, &to);
    // Of several links the others keep the number: to cp and mv this would be one of them.
    if (r >= 0)
        r = overlay_remember(t, m, from, st, &to);
    if (r >= 0)
        r = copy_mode(t, m, &to, st->stx_mode);
    if (r >= 0)
        r = HOST4(__NR_utimensat, copy, NULL, times, 0);
    return r;
}

// Puts what is ready at `ready` to its place. Another process may have been first with the same.
static long put(const struct parent *ready, const struct parent *place, int unlink_flags)
{
    long r = rename_to(ready, place, RENAME_NOREPLACE);
    if (r < 0)
        unlink_at(ready, unlink_flags);
    return r == -EEXIST || r == -ENOTEMPTY ? 0 : r;
}

static long copy_dir(struct task *t, int m, const struct parent *from, const struct parent *to)
{
    char name[32];
    struct statx st;
    struct parent ready = work_name(t, m, name);
    long r = look(from, &st);
    if (r >= 0)
        r = HOST3(__NR_mkdirat, ready.fd, name, 0700);
    if (r < 0)
        return r;
    long copy = temp_open(t, ready.fd, name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    r = copy < 0 ? copy : copy_rest(t, m, from, (int)copy, &st);
    if (copy >= 0)
        temp_close(t, (int)copy);
    if (r < 0) {
        unlink_at(&ready, AT_REMOVEDIR);
        return r;
    }
    return put(&ready, to, AT_REMOVEDIR);
}

// By hand, where the host cannot copy from the one file system to the other.
static long copy_by_hand(int in, int out)
{
    char *buf = arena_alloc(COPY_AT_ONCE);
    long r = -ENOMEM;
    while (buf && (r = HOST3(__NR_read, in, buf, COPY_AT_ONCE)) > 0)
        for (long n = r, at = 0; at < n; at += r)
            if ((r = HOST3(__NR_write, out, buf + at, n - at)) < 0) {
                arena_free(buf, COPY_AT_ONCE);
                return r;
            }
    if (buf)
        arena_free(buf, COPY_AT_ONCE);
    return r;
}

static long copy_content(int in, int out)
{
    if (HOST3(__NR_ioctl, out, FICLONE, in) >= 0)
        return 0;
    long r, sum = 0;
    while ((r = HOST6(__NR_copy_file_range, in, NULL, out, NULL, 1L << 30, 0)) > 0)
        sum += r;
    if (!sum && (r == -EXDEV || r == -EOPNOTSUPP || r == -EINVAL || r == 0)) // 0: also of /proc
        return copy_by_hand(in, out);
    return r;
}

static long copy_file(struct task *t, int m, const struct parent *from, const struct parent *to,
                      const struct statx *st)
{
    char name[32];
    struct parent ready = work_name(t, m, name);
    long in = temp_open(t, from->fd, from->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, WALK_RESOLVE);
    if (in < 0)
        return in;
    long out = temp_open(t, ready.fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, WALK_RESOLVE);
    long r = out;
    if (out >= 0) {
        r = copy_content((int)in, (int)out);
        if (r >= 0)
            r = copy_rest(t, m, from, (int)out, st);
        // Or its name could be on the disk before its content is (ovl_copy_up_file()).
        if (r >= 0 && (r = HOST1(__NR_fsync, out)) == -EINVAL)
            r = 0; // a file system without
        temp_close(t, (int)out);
        if (r < 0)
            unlink_at(&ready, 0);
    }
    temp_close(t, (int)in);
    return r < 0 ? r : put(&ready, to, 0);
}

// Symlinks (device nodes among them), FIFOs, sockets: their owner goes by name.
static long copy_special(struct task *t, int m, const struct parent *from, const struct parent *to,
                         const struct statx *st)
{
    char name[32], target[LX_PATH_MAX];
    struct devlink node;
    struct meta_named named;
    struct parent ready = work_name(t, m, name);
    struct __kernel_timespec times[2] = {{st->stx_atime.tv_sec, st->stx_atime.tv_nsec},
                                         {st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec}};
    long r;
    if (!meta_by_name(st->stx_mode))
        return -EPERM; // a device node of the host's
    if ((st->stx_mode & S_IFMT) == S_IFLNK) {
        r = host_readlinkat(from->fd, from->name, target, sizeof target - 1);
        if (r < 0)
            return r;
        target[r] = 0;
        if (devlink_parse(target, (size_t)r, &node))
            device_mark(&ready);
        r = HOST3(__NR_symlinkat, target, ready.fd, name);
    } else {
        r = HOST4(__NR_mknodat, ready.fd, name, st->stx_mode, 0);
    }
    if (r < 0)
        return r;
    meta_name_read(t, m, from, st, &named);
    r = meta_name_write(t, m, &named, from, to);
    if (r >= 0)
        r = HOST4(__NR_utimensat, ready.fd, name, times, AT_SYMLINK_NOFOLLOW);
    if (r >= 0)
        return put(&ready, to, 0);
    unlink_at(&ready, 0);
    return r;
}

long overlay_up_dir(struct task *t, int m, const char *rel)
{
    struct loc loc = {.mount = m};
    struct parent from, to;
    int root = upper_fd(t, m);
    if (root < 0)
        return root;
    for (size_t n = 0; rel[n];) {
        for (n += rel[n] == '/'; rel[n] && rel[n] != '/';)
            n++;
        memcpy(loc.rel, rel, n);
        loc.rel[n] = 0;
        long r = overlay_place(t, &loc);
        if (r < 0 || loc.over == OVER_UPPER) {
            if (r < 0)
                return r;
            continue;
        }
        if (loc.over != OVER_LOWER)
            return -ENOENT;
        r = parent_open(t, &loc, &from);
        if (r < 0)
            return r;
        loc.base = root;
        r = parent_open(t, &loc, &to);
        if (r >= 0) {
            r = copy_dir(t, m, &from, &to);
            parent_done(t, &to);
        }
        parent_done(t, &from);
        if (r < 0)
            return r;
    }
    return 0;
}

// The directory that loc lies in.
static long up_parent(struct task *t, const struct loc *loc)
{
    char dir[LX_PATH_MAX];
    str_copy(dir, loc->rel, sizeof dir);
    char *slash = strrchr(dir, '/');
    *(slash ? slash : dir) = 0;
    return overlay_up_dir(t, loc->mount, dir);
}

// Brings that directory into the upper layer and pins p there. Where it was found there, p is
// pinned in it, whatever becomes of its name.
static long pin_in_upper(struct task *t, struct loc *loc, struct parent *p)
{
    if (loc->base == upper_fd(t, loc->mount))
        return 0;
    long r = up_parent(t, loc);
    return r < 0 ? r : pin_upper(t, loc, p);
}

// Is what loc leads to a copy of `of`, or that itself? Held by a descriptor, then; -EEXIST: no.
static long pin_copy(struct task *t, struct loc *loc, const struct parent *of)
{
    struct parent p;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? -EEXIST : r;
    long fd = *p.name ? temp_open(t, p.fd, p.name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH) : -EEXIST;
    parent_done(t, &p);
    struct parent copy = {.fd = (s32)fd, .name = ""};
    if (fd >= 0 && overlay_is_copy(t, loc->mount, &copy, of)) {
        fd_set_mount(t, (int)fd, loc->mount);
        return fd;
    }
    if (fd >= 0)
        temp_close(t, (int)fd);
    return fd < 0 && fd != -ENOENT && fd != -ELOOP ? fd : -EEXIST;
}

long overlay_hold(struct task *t, int fd, int m, struct loc *loc)
{
    struct loc at;
    struct parent self = {.fd = fd, .name = ""};
    long r = loc_of_fd(t, fd, &at);
    if (r < 0 || at.mount != m)
        return r < 0 ? r : -ENOENT;
    loc->base = fd;
    loc->over = OVER_UPPER;
    if (at.base == upper_fd(t, m))
        return 0;
    loc->over = OVER_LOWER;
    if (overlay_place(t, &at) < 0 || at.over != OVER_UPPER)
        return 0;
    r = pin_copy(t, &at, &self);
    if (r < 0)
        return r == -EEXIST ? 0 : r;
    loc->base = (s32)r;
    loc->pinned = true;
    loc->over = OVER_UPPER;
    return 0;
}

// Of what is held: the copy is to be of that, whatever has its name meanwhile. What lower layers
// have by another name, or none, cannot be copied.
static __attribute__((noinline)) long copy_up_held(struct task *t, struct loc *loc,
                                                   struct parent *p)
{
    struct loc at;
    struct parent name, self = {.fd = loc->base, .name = ""};
    struct statx mine, there;
    long r = loc_of_fd(t, loc->base, &at);
    if (r >= 0)
        r = overlay_place(t, &at);
    if (r < 0 || at.mount != loc->mount || at.over >= OVER_ABSENT)
        return r < 0 && r != -ENOENT ? r : -EEXIST;
    if (at.over == OVER_LOWER) {
        r = parent_open(t, &at, &name);
        if (r < 0)
            return r;
        bool same = look(&name, &there) >= 0 && look(&self, &mine) >= 0 &&
                    mine.stx_ino == there.stx_ino && device_of(&mine) == device_of(&there);
        r = same ? overlay_copy_up(t, &at, &name) : -EEXIST;
        parent_done(t, &name);
        if (r < 0)
            return r;
    }
    r = pin_copy(t, &at, &self);
    if (r < 0)
        return r;
    parent_done(t, p);
    *p = (struct parent){.fd = (s32)r, .temporary = true, .over = OVER_UPPER, .name = ""};
    loc->over = OVER_UPPER;
    return 0;
}

long overlay_copy_up(struct task *t, struct loc *loc, struct parent *p)
{
    struct parent to;
    struct statx st;
    if (loc->held)
        return copy_up_held(t, loc, p);
    long r = up_parent(t, loc);
    if (r >= 0)
        r = look(p, &st);
    if (r < 0)
        return r;
    if (is_dir(&st)) {
        r = overlay_up_dir(t, loc->mount, loc->rel);
    } else {
        int base = loc->base;
        loc->base = upper_fd(t, loc->mount);
        r = parent_open(t, loc, &to);
        loc->base = base;
        if (r < 0)
            return r;
        r = (st.stx_mode & S_IFMT) == S_IFREG ? copy_file(t, loc->mount, p, &to, &st)
                                              : copy_special(t, loc->mount, p, &to, &st);
        parent_done(t, &to);
    }
    if (r < 0)
        return r;
    loc->over = OVER_UPPER;
    r = pin_upper(t, loc, p);
    if (r >= 0 && *p->name && is_white(t, loc->mount, p)) {
        parent_done(t, p);
        r = -ENOENT; // removed meanwhile
    }
    return r;
}

// Is what has a path that is too long the upper layer's for sure?
static bool is_own_deep(struct task *t, int fd)
{
    struct statx st;
    struct parent self = {.fd = fd, .name = ""};
    if ((host_fcntl(fd, F_GETFL, 0) & O_ACCMODE) != O_RDONLY)
        return true; // opened for writing, it has been copied up
    return look(&self, &st) >= 0 && is_dir(&st) && walk_in_upper(t, fd);
}

long overlay_fd_up(struct task *t, int fd, struct loc *loc, struct parent *p)
{
    struct statx mine, there;
    if (!is_overlay(t, fd_mount(t, fd)))
        return 0;
    if (host_fcntl(fd, F_GETFL, 0) & O_PATH)
        return -EBADF;
    if (mount_flags(t, fd_mount(t, fd)) & MS_RDONLY)
        return -EROFS;
    long r = loc_of_fd(t, fd, loc);
    if (r == -ENOENT || (r == -ENAMETOOLONG && is_own_deep(t, fd)))
        return 0; // a device of the host's lies in no mount
    if (r < 0 || !is_overlay(t, loc->mount))
        return r < 0 ? r : 0;
    // What is not by its name any more: the upper layer's serves itself; a lower one's cannot be
    // copied up, nor changed (Linux: EEXIST).
    const long gone = loc->base == upper_fd(t, loc->mount) ? 0 : -EEXIST;
    r = overlay_place(t, loc);
    if (r == -ENOENT || (r >= 0 && loc->over >= OVER_ABSENT))
        return gone;
    if (r >= 0)
        r = parent_open(t, loc, p);
    if (r < 0)
        return r;
    struct parent self = {.fd = fd, .name = ""};
    bool same = loc->over == OVER_UPPER && look(p, &there) >= 0 && look(&self, &mine) >= 0 &&
                mine.stx_ino == there.stx_ino && device_of(&mine) == device_of(&there);
    if (same || !gone || !overlay_is_copy(t, loc->mount, p, &self)) {
        parent_done(t, p);
        return same ? 0 : gone;
    }
    r = overlay_up(t, loc, p);
    if (r >= 0)
        return 1;
    parent_done(t, p);
    return r;
}

// ---- Names ----

// Anybody may make one since Linux 5.8.
static long make_whiteout(struct task *t, const struct parent *p)
{
    long r = HOST4(__NR_mknodat, p->fd, p->name, S_IFCHR, 0);
    return r == -EPERM || r == -EINVAL ? meta_mknod(t, p, S_IFCHR, 0, 0, 0) : r;
}

static long set_opaque(struct task *t, int m, const struct parent *p)
{
    char name[64];
    return host_setxattr_at(p, overlay_xattr(t, m, "opaque", name), "y", 1, 0);
}

// Removes a directory that shows no names: there may be whiteouts in it.
static long remove_dir(struct task *t, int m, const struct parent *p)
{
    char buf[2048] __attribute__((aligned(8)));
    struct statx st;
    long r = unlink_at(p, AT_REMOVEDIR);
    if (r != -ENOTEMPTY)
        return r;
    long n, fd = temp_open(t, p->fd, p->name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return fd;
    bool gone = true;
    while (gone && (n = HOST3(__NR_getdents64, fd, buf, sizeof buf)) > 0) {
        gone = false;
        for (long at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(buf + at);
            struct parent e = {.fd = (s32)fd, .name = d->name};
            at += d->reclen;
            if (strcmp(d->name, ".") && strcmp(d->name, "..") && look(&e, &st) >= 0 &&
                overlay_is_white(t, m, (int)fd, d->name, &st))
                gone |= unlink_at(&e, 0) >= 0;
        }
        HOST3(__NR_lseek, fd, 0, 0);
    }
    temp_close(t, (int)fd);
    return unlink_at(p, AT_REMOVEDIR);
}

long overlay_make_begin(struct task *t, struct loc *loc, struct parent *p, struct overlay_make *mk)
{
    mk->white = 0;
    if (!p->over)
        return 0;
    if (p->over < OVER_ABSENT)
        return -EEXIST;
    mk->white = p->over == OVER_WHITE;
    long r = pin_in_upper(t, loc, p);
    if (r < 0 || !mk->white)
        return r;
    mk->final = *p;
    *p = work_name(t, loc->mount, mk->name);
    return 0;
}

// Where there was a whiteout.
static long move_to_place(struct task *t, int m, const struct parent *ready,
                          const struct parent *place)
{
    struct statx st;
    struct meta_named named;
    long r = look(ready, &st);
    if (r < 0)
        return r;
    if (is_dir(&st)) {
        r = set_opaque(t, m, ready);
        if (r >= 0)
            r = rename_to(ready, place, RENAME_EXCHANGE);
        if (r >= 0)
            unlink_at(ready, 0); // the whiteout
        return r;
    }
    bool by_name = meta_by_name(st.stx_mode);
    if (by_name) {
        meta_name_read(t, m, ready, &st, &named);
        r = meta_name_write(t, m, &named, ready, place);
    }
    if (r >= 0)
        r = rename_to(ready, place, 0);
    if (r >= 0 && by_name)
        meta_name_drop(ready);
    return r;
}

long overlay_make_end(struct task *t, struct loc *loc, struct parent *p, struct overlay_make *mk,
                      bool dir, long r)
{
    if (!mk->white)
        return r;
    struct parent ready = {.fd = p->fd, .name = mk->name};
    *p = mk->final;
    if (r < 0)
        return r; // who could not make it has taken it away
    bool locked = lock_names(t);
    long moved = is_white(t, loc->mount, p) ? move_to_place(t, loc->mount, &ready, p) : -EEXIST;
    unlock_names(t, locked);
    if (moved < 0)
        unlink_at(&ready, dir ? AT_REMOVEDIR : 0);
    return moved < 0 ? moved : r;
}

// ---- Removing ----

// Puts a whiteout in the place of what is in the upper layer.
static long replace_by_whiteout(struct task *t, int m, const struct parent *p, bool dir)
{
    char name[32];
    struct parent ready = work_name(t, m, name);
    long r = make_whiteout(t, &ready);
    if (r < 0)
        return r;
    if (!dir) {
        r = rename_to(&ready, p, 0);
        if (r < 0)
            unlink_at(&ready, 0);
        return r;
    }
    dirs_change_begin(t);
    r = rename_to(&ready, p, RENAME_EXCHANGE);
    if (r >= 0 && remove_dir(t, m, &ready) == -ENOTEMPTY) { // somebody has just made a name there
        rename_to(&ready, p, RENAME_EXCHANGE);
        r = -ENOTEMPTY;
    }
    dirs_change_end(t, r >= 0 ? p->name : NULL);
    if (r < 0)
        unlink_at(&ready, 0);
    return r;
}

static long remove_now(struct task *t, struct loc *loc, struct parent *p, bool dir)
{
    int m = loc->mount;
    struct statx st;
    if (is_white(t, m, p))
        return -ENOENT; // somebody was faster
    const bool below = overlay_below(t, m, loc->rel);
    if (dir && below && !overlay_is_empty(t, m, loc->rel))
        return -ENOTEMPTY;
    if (look(p, &st) == -ENOENT) {
        if (!below)
            return -ENOENT;           // somebody was faster
        long r = make_whiteout(t, p); // it is in a lower layer only
        if (r != -EEXIST)
            return r; // else somebody has copied it up meanwhile
    }
    if (below)
        return replace_by_whiteout(t, m, p, dir);
    if (!dir)
        return unlink_at(p, 0);
    dirs_change_begin(t);
    long r =
        unlink_at(p, AT_REMOVEDIR); // the upper layer's alone, it is not read, as inotify tells
    if (r == -ENOTEMPTY && overlay_is_empty(t, m, loc->rel))
        r = remove_dir(t, m, p);
    dirs_change_end(t, r >= 0 ? p->name : NULL);
    return r;
}

long overlay_remove(struct task *t, struct loc *loc, struct parent *p, const struct statx *st,
                    bool rmdir)
{
    bool dir = is_dir(st);
    if (dir != rmdir)
        return dir ? -EISDIR : -ENOTDIR;
    if (dir && loc->over != OVER_UPPER && !overlay_is_empty(t, loc->mount, loc->rel))
        return -ENOTEMPTY; // before the directory above is copied up
    long r = pin_in_upper(t, loc, p);
    if (r < 0)
        return r;
    bool locked = lock_names(t);
    r = remove_now(t, loc, p, dir);
    unlock_names(t, locked);
    return r;
}

// ---- Renaming ----

// Is a directory the upper layer's alone?
static bool is_own_dir(struct task *t, const struct loc *loc)
{
    s32 parts[MOUNTS_MAX];
    return loc->over == OVER_UPPER && overlay_parts(t, loc->mount, loc->rel, parts) == 1;
}

static long may_move(struct task *t, const struct loc *a, const struct statx *src,
                     const struct loc *b, const struct statx *dst, u32 flags)
{
    bool exchange = flags & RENAME_EXCHANGE;
    if (dst && !exchange && is_dir(src) != is_dir(dst))
        return is_dir(src) ? -ENOTDIR : -EISDIR;
    // What a lower layer shows cannot be taken along (Linux without redirect_dir).
    if ((is_dir(src) && !is_own_dir(t, a)) || (exchange && dst && is_dir(dst) && !is_own_dir(t, b)))
        return -EXDEV;
    return dst && !exchange && is_dir(dst) && !overlay_is_empty(t, b->mount, b->rel) ? -ENOTEMPTY
                                                                                     : 0;
}

// RENAME_WHITEOUT to a name that shows nothing, by a host that does not make one by itself: the
// whiteout that is there, or is made there, changes places with what is moved.
static long move_for_whiteout(struct task *t, const struct parent *pa, const struct parent *pb)
{
    long made = make_whiteout(t, pb);
    if (made < 0 && made != -EEXIST)
        return made;
    long r = rename_to(pa, pb, RENAME_EXCHANGE);
    if (r < 0 && made >= 0)
        unlink_at(pb, 0);
    return r;
}

static long move_file(struct task *t, const struct loc *a, const struct parent *pa,
                      const struct parent *pb, bool there, u32 flags)
{
    if ((flags & RENAME_EXCHANGE) || !overlay_below(t, a->mount, a->rel))
        return rename_to(pa, pb, flags);
    long r = rename_to(pa, pb, flags | RENAME_WHITEOUT);
    if (r != -EINVAL && r != -EPERM)
        return r;
    r = there ? -EINVAL : move_for_whiteout(t, pa, pb);
    if (r != -EINVAL)
        return r;
    // Two steps, between which both names are there.
    r = rename_to(pa, pb, flags);
    return r < 0 ? r : make_whiteout(t, pa);
}

// A directory that shows no names gets none, for the host to replace it: an empty one, opaque,
// takes its place. Linux: fs/overlayfs/dir.c, ovl_clear_empty().
static long clear_dir(struct task *t, int m, const struct parent *p)
{
    char name[32];
    struct statx st;
    struct parent ready = work_name(t, m, name);
    long r = look(p, &st);
    if (r >= 0)
        r = HOST3(__NR_mkdirat, ready.fd, name, 0700);
    if (r < 0)
        return r;
    long copy = temp_open(t, ready.fd, name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    r = copy < 0 ? copy : copy_rest(t, m, p, (int)copy, &st);
    if (copy >= 0)
        temp_close(t, (int)copy);
    if (r >= 0)
        r = set_opaque(t, m, &ready);
    if (r >= 0)
        r = rename_to(&ready, p, RENAME_EXCHANGE);
    if (r >= 0)
        r = remove_dir(t, m, &ready);
    if (r == -ENOTEMPTY) // somebody has just made a name there
        rename_to(&ready, p, RENAME_EXCHANGE);
    if (r < 0)
        unlink_at(&ready, AT_REMOVEDIR);
    return r;
}

static long rename_over(struct task *t, int m, const struct parent *pa, const struct parent *pb,
                        u32 flags)
{
    long r = rename_to(pa, pb, flags);
    if ((r != -ENOTEMPTY && r != -EEXIST) || (flags & RENAME_EXCHANGE))
        return r;
    r = clear_dir(t, m, pb);
    return r < 0 ? r : rename_to(pa, pb, flags);
}

// A directory that only the upper layer has. What a lower one has at the new name stays hidden, and
// at the old name it becomes so.
static long move_dir(struct task *t, const struct loc *a, const struct loc *b,
                     const struct parent *pa, const struct parent *pb, bool there, u32 flags)
{
    struct statx st;
    int m = b->mount;
    bool exchange = flags & RENAME_EXCHANGE, white = !there && look(pb, &st) >= 0;
    bool leaves = !exchange && overlay_below(t, m, a->rel);
    bool hides = exchange || b->over == OVER_WHITE || overlay_below(t, m, b->rel);
    long r = look(pa, &st) >= 0 && is_dir(&st) && hides ? set_opaque(t, m, pa) : 0;
    if (r >= 0 && exchange && look(pb, &st) >= 0 && is_dir(&st))
        r = set_opaque(t, m, pb);
    if (r < 0)
        return r;
    dirs_change_begin(t);
    r = rename_over(t, m, pa, pb,
                    exchange || white ? RENAME_EXCHANGE
                    : leaves          ? flags | RENAME_WHITEOUT
                                      : flags);
    bool by_hand = leaves && !white && (r == -EINVAL || r == -EPERM);
    if (by_hand && !there)
        r = move_for_whiteout(t, pa, pb);
    by_hand = by_hand && (there || r == -EINVAL);
    if (by_hand)
        r = rename_over(t, m, pa, pb, flags);
    if (r >= 0)
        __atomic_fetch_add(&t->instance->dir_moves, 1, __ATOMIC_ACQ_REL);
    dirs_change_end(t, NULL);
    if (r < 0 || exchange)
        return r;
    if (by_hand)
        return make_whiteout(t, pa);
    return white && !leaves ? unlink_at(pa, 0) : 0; // the whiteout that was there is here now
}

// Brings both names, or the directories that they are to be in, into the upper layer.
static long bring_up(struct task *t, struct loc *a, struct parent *pa, struct loc *b,
                     struct parent *pb, bool exchange)
{
    long r = overlay_up(t, a, pa);
    if (r >= 0 && exchange)
        r = overlay_up(t, b, pb);
    if (r < 0 || exchange)
        return r;
    return pin_in_upper(t, b, pb);
}

struct moving {
    struct loc *a, *b;
    const struct parent *pa, *pb;
    bool dir; // what is moved is one
    u32 flags;
};

// Nobody but us changes whiteouts now: what the names are is looked at anew.
static long move_now(struct task *t, const struct moving *m)
{
    struct statx src, dst;
    u32 flags = m->flags;
    long r = look(m->pa, &src);
    if (r < 0)
        return r;
    if (is_dir(&src) != m->dir || is_white(t, m->a->mount, m->pa))
        return -ENOENT; // removed meanwhile
    // What is replaced may be in a lower layer only.
    bool any = look(m->pb, &dst) >= 0;
    bool there = any && !overlay_is_white(t, m->b->mount, m->pb->fd, m->pb->name, &dst);
    if ((flags & RENAME_EXCHANGE) && !there)
        return -ENOENT;
    if ((flags & RENAME_NOREPLACE) && there)
        return -EEXIST;
    if (any)
        flags &= ~(u32)RENAME_NOREPLACE; // the whiteout
    if (m->dir || (there && is_dir(&dst)))
        return move_dir(t, m->a, m->b, m->pa, m->pb, there, flags);
    bool link = is_link(&src) || (there && is_link(&dst));
    if (link)
        dirs_change_begin(t);
    r = move_file(t, m->a, m->pa, m->pb, there, flags);
    if (link)
        dirs_change_end(t, NULL);
    return r;
}

static long move(struct task *t, void *arg)
{
    bool locked = lock_names(t);
    long r = move_now(t, arg);
    unlock_names(t, locked);
    return r;
}

long overlay_rename(struct task *t, struct loc *a, struct parent *pa, const struct statx *src,
                    struct loc *b, struct parent *pb, const struct statx *dst, u32 flags)
{
    struct statx from, to;
    struct moving m = {a, b, pa, pb, is_dir(src), flags};
    long r = may_move(t, a, src, b, dst, flags);
    if (r >= 0)
        r = bring_up(t, a, pa, b, pb, flags & RENAME_EXCHANGE);
    if (r >= 0)
        r = look(pa, &from);
    if (r < 0)
        return r;
    bool there = dst && look(pb, &to) >= 0 && !overlay_is_white(t, b->mount, pb->fd, pb->name, &to);
    struct meta_renaming names = {.from = pa,
                                  .to = pb,
                                  .src = &from,
                                  .dst = there ? &to : NULL,
                                  .exchange = flags & RENAME_EXCHANGE};
    if (!meta_by_name(from.stx_mode) && !(there && meta_by_name(to.stx_mode)))
        return move(t, &m);
    return meta_rename(t, a->mount, &names, move, &m);
}
