// SPDX-License-Identifier: MIT
// Renaming what has its owner by name (fs/side.c): records are written at the new name first, so
// that none is lost when the process is killed on the way.
#include "host.h"
#include "meta.h"
#include "overlay.h"

static long rename_locked(struct task *t, int mount, const struct meta_renaming *r,
                          long (*move)(struct task *t, void *arg), void *arg)
{
    struct meta_named src, dst;
    struct link_going going;
    const struct parent *from = r->from, *to = r->to;
    bool a = meta_by_name(r->src->stx_mode), b = r->dst && meta_by_name(r->dst->stx_mode);
    bool goes = b && !r->exchange && to->over < OVER_LOWER;
    long e = 0;
    if (a)
        meta_name_read(t, mount, from, r->src, &src);
    if (b)
        meta_name_read(t, mount, to, r->dst, &dst);
    if (a)
        e = b ? meta_name_both(t, mount, &dst, &src, from, to)
              : meta_name_write(t, mount, &src, from, to);
    if (e >= 0 && b && r->exchange)
        e = a ? meta_name_both(t, mount, &src, &dst, to, from)
              : meta_name_write(t, mount, &dst, to, from);
    if (e >= 0 && goes)
        side_link_going(t, mount, to, r->dst, &going);
    if (e >= 0) {
        e = move(t, arg);
        if (goes)
            side_link_gone(t, mount, &going, e >= 0);
    }
    if (e < 0) { // what holds for one name again
        if (a && b)
            meta_name_write(t, mount, &dst, to, to);
        else if (a)
            meta_name_drop(to);
        if (b && r->exchange && a)
            meta_name_write(t, mount, &src, from, from);
        else if (b && r->exchange)
            meta_name_drop(from);
        return e;
    }
    if (a && b)
        meta_name_write(t, mount, &src, to, to);
    else if (b)
        meta_name_drop(to);
    if (a && b && r->exchange)
        meta_name_write(t, mount, &dst, from, from);
    else if (a && !r->keeps_name)
        meta_name_drop(from);
    return 0;
}

// Of the names themselves nobody makes or removes such an inode meanwhile: its record would go.
static bool is_still(struct task *t, int mount, const struct parent *p, const struct statx *st)
{
    struct statx now;
    long e = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &now);
    if (!st) // a whiteout is none either
        return e < 0 || !meta_by_name(now.stx_mode) ||
               (is_overlay(t, mount) && overlay_is_white(t, mount, p->fd, p->name, &now));
    return e >= 0 && now.stx_ino == st->stx_ino && now.stx_mode == st->stx_mode;
}

// A change of one of them by its name is done by then, or sees what has the name afterwards: else a
// user could have the record of another's written, who takes the place of his.
long meta_rename(struct task *t, int mount, const struct meta_renaming *r,
                 long (*move)(struct task *t, void *arg), void *arg)
{
    const struct statx *of[2] = {meta_by_name(r->src->stx_mode) ? r->src : NULL,
                                 r->dst && meta_by_name(r->dst->stx_mode) ? r->dst : NULL};
    u32 *lock[2] = {NULL, NULL};
    // Always in the same order.
    int first = of[0] && of[1] && meta_lock_index(of[1]) < meta_lock_index(of[0]);
    for (int i = 0; i < 2; i++)
        if (of[i ^ first])
            lock[i ^ first] = meta_lock_inode(t, of[i ^ first]);
    const struct parent *name[2] = {r->from, r->to};
    u32 *name_lock[2];
    first = meta_name_index(r->to) < meta_name_index(r->from);
    for (int i = 0; i < 2; i++)
        name_lock[i] = meta_lock_name(t, name[i ^ first]);
    long e = is_still(t, mount, r->from, r->src) && is_still(t, mount, r->to, r->dst)
                 ? rename_locked(t, mount, r, move, arg)
                 : RENAME_ANOTHER;
    for (int i = 0; i < 2; i++)
        if (name_lock[i])
            reserved_release(name_lock[i]);
    for (int i = 0; i < 2; i++)
        if (of[i])
            meta_unlock_inode(t, of[i], lock[i]);
    return e;
}
