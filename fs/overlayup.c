// SPDX-License-Identifier: MIT
// Overlay mounts, changed: what a layer below has is copied up before it is changed. A copy is made
// ready in the directory for work and moved to its place in one step, so that a process killed on
// the way leaves all as it was. Names made, removed and moved: fs/overlaynames.c.
#include <linux/fs.h>
#include <linux/mount.h>

#include "overlayup.h"

#include "devlink.h"
#include "host.h"
#include "meta.h"
#include "walk.h"
#include "xattr.h"

#define COPY_AT_ONCE 65536

static int upper_fd(struct task *t, int m)
{
    return mount_at(t, m)->has_upper ? mount_root_fd(t, mount_at(t, m)->top) : -EROFS;
}

int overlay_work(struct task *t, int m)
{
    return mount_root_fd(t, mount_at(t, m)->work);
}

struct parent overlay_work_name(struct task *t, int m, char name[32])
{
    fmt(name, 32, "%u-%u", t->tid,
        __atomic_fetch_add(&t->instance->next_store_name, 1, __ATOMIC_RELAXED));
    return (struct parent){.fd = overlay_work(t, m), .name = name};
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

bool overlay_white_now(struct task *t, int m, const struct parent *p)
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
        OVERLAY_INO,        // written anew
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

long overlay_copy_dir(struct task *t, int m, const struct parent *from, char name[32],
                      struct parent *ready)
{
    struct statx st;
    *ready = overlay_work_name(t, m, name);
    long r = look(from, &st);
    if (r >= 0)
        r = HOST3(__NR_mkdirat, ready->fd, name, 0700);
    if (r < 0)
        return r;
    long copy = temp_open(t, ready->fd, name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    r = copy < 0 ? copy : copy_rest(t, m, from, (int)copy, &st);
    if (copy >= 0)
        temp_close(t, (int)copy);
    if (r < 0)
        unlink_at(ready, AT_REMOVEDIR);
    return r;
}

static long copy_dir(struct task *t, int m, const struct parent *from, const struct parent *to)
{
    char name[32];
    struct parent ready;
    long r = overlay_copy_dir(t, m, from, name, &ready);
    return r < 0 ? r : put(&ready, to, AT_REMOVEDIR);
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
    struct parent ready = overlay_work_name(t, m, name);
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
    struct parent ready = overlay_work_name(t, m, name);
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

long overlay_pin_in_upper(struct task *t, struct loc *loc, struct parent *p)
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

// Is it one inode, by two ways?
static bool is_same(const struct parent *a, const struct parent *b)
{
    struct statx is, other;
    return look(a, &is) >= 0 && look(b, &other) >= 0 && is_same_inode(&is, &other);
}

// Of what is held: the copy is to be of that, whatever has its name meanwhile. What lower layers
// have by another name, or none, cannot be copied.
static __attribute__((noinline)) long copy_up_held(struct task *t, struct loc *loc,
                                                   struct parent *p)
{
    struct loc at;
    struct parent name, self = {.fd = loc->base, .name = ""};
    long r = loc_of_fd(t, loc->base, &at);
    if (r >= 0)
        r = overlay_place(t, &at);
    if (r < 0 || at.mount != loc->mount || at.over >= OVER_ABSENT)
        return r < 0 && r != -ENOENT ? r : -EEXIST;
    if (at.over == OVER_LOWER) {
        r = parent_open(t, &at, &name);
        if (r < 0)
            return r;
        r = is_same(&name, &self) ? overlay_copy_up(t, &at, &name) : -EEXIST;
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
    if (r >= 0 && *p->name && overlay_white_now(t, loc->mount, p)) {
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
    bool same = loc->over == OVER_UPPER && is_same(p, &self);
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
