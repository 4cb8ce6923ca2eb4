// SPDX-License-Identifier: MIT
// Names in overlay mounts, made, removed and moved, once what they stand for is in the upper layer
// (fs/overlayup.c). What is removed there and is in a lower layer too leaves a whiteout. What is
// made over a whiteout is made ready in the directory for work and moved to its place in one step.
#include <linux/fs.h>

#include "overlayup.h"

#include "host.h"
#include "meta.h"
#include "xattr.h"

static bool is_link(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFLNK;
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

// ---- Whiteouts, and names over them ----

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
    long r = overlay_pin_in_upper(t, loc, p);
    if (r < 0 || !mk->white)
        return r;
    mk->final = *p;
    *p = overlay_work_name(t, loc->mount, mk->name);
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
    long moved =
        overlay_white_now(t, loc->mount, p) ? move_to_place(t, loc->mount, &ready, p) : -EEXIST;
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
    struct parent ready = overlay_work_name(t, m, name);
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
    if (overlay_white_now(t, m, p))
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
    long r = overlay_pin_in_upper(t, loc, p);
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
    struct parent ready;
    long r = overlay_copy_dir(t, m, p, name, &ready);
    if (r < 0)
        return r;
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
    return overlay_pin_in_upper(t, b, pb);
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
    if (is_dir(&src) != m->dir || overlay_white_now(t, m->a->mount, m->pa))
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
