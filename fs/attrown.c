// SPDX-License-Identifier: MIT
// Attributes that this thread has just written. A write moves the inode's ctime to a time that only
// another look would tell, so what was written is not known under it (fs/attrcache.c), and who
// changes the owner and then the mode would ask for the attribute in between. Instead the clock is
// read after the write: a ctime between the last look's and that is the one that the write left.
//
// That is so where a change that comes after a look gets a ctime of its own, to the nanosecond
// (instance.h, fine_ctime_dev). It gets the last tick's time, though, where that is later than the
// ctime that the inode has; or, for the last tick, the latest such nanosecond that any inode has
// got (Linux: fs/inode.c, inode_set_ctime_current()). So another change in the same tick could have
// a ctime from between the write and the clock. No tick lies there, or the write is not
// remembered, and changes of the instance are counted (meta_change_count()). What is left: a change
// that another instance or a tool of the host makes within the same tick goes unseen, if another
// processor gave some inode a time in that part of a microsecond; or if the tool did not look.
//
// Another inode of the same number can begin with that ctime, within the tick. So the entry counts
// only while no name of that hash has come to mean another inode (fs/names.c), or while the
// descriptor is the same.
#include <linux/time.h>

#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "vdso.h"

#define LONGEST 20000 // ns; a write that took longer, or less than nothing, is not remembered

// 0: not to be had.
static u64 clock_ns(int clock)
{
    struct __kernel_timespec ts;
    if (vdso_call(VDSO_CLOCK_GETTIME, clock, (long)&ts, 0))
        return 0;
    return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 ctime_ns(const struct statx *st)
{
    return (u64)st->stx_ctime.tv_sec * 1000000000 + st->stx_ctime.tv_nsec;
}

void attrown_begin(struct task *t, const struct parent *p, const struct meta_view *v,
                   struct attr_own *w)
{
    const struct statx *host = &v->host;
    w->to = 0;
    if ((host->stx_mode & S_IFMT) != S_IFREG || !host->stx_nlink ||
        device_of(host) != t->instance->fine_ctime_dev || attrstore_is_used())
        return;
    w->fd_number = p->guests ? fd_number(t, p->fd) : 0;
    if (!v->lock || (!w->fd_number && !v->watched))
        return;
    w->changes = meta_change_count(t, host) + 1; // meta_done() counts it
    w->name_index = name_changes_index(p->name);
    w->name_count = v->name_count;
    w->ino = host->stx_ino;
    w->after = ctime_ns(host);
    w->to = clock_ns(CLOCK_REALTIME);
}

void attrown_end(struct task *t, struct attr_own *w, const struct attr *a)
{
    if (!w->to || a->witnessed || a->has_acl || a->has_caps)
        return;
    u64 from = w->to;
    w->to = clock_ns(CLOCK_REALTIME);
    if (w->to - from > LONGEST || clock_ns(CLOCK_REALTIME_COARSE) >= from)
        return;
    w->uid = a->uid;
    w->gid = a->gid;
    w->mode = a->mode;
    t->attrs_own[w->ino % ATTRS_OWN] = *w;
}

bool attrown_get(struct task *t, const struct statx *st, struct attr *a)
{
    const struct attr_own *e = &t->attrs_own[st->stx_ino % ATTRS_OWN];
    if (e->ino != st->stx_ino || ctime_ns(st) <= e->after || ctime_ns(st) > e->to ||
        device_of(st) != t->instance->fine_ctime_dev || meta_change_count(t, st) != e->changes ||
        (st->stx_mode & (S_IFMT | S_ISVTX)) != (S_IFREG | S_ISVTX))
        return false;
    if (e->fd_number ? !fd_number_stands(t, e->fd_number)
                     : !name_changes_none(t, e->name_index, e->name_count))
        return false;
    *a = (struct attr){.uid = e->uid, .gid = e->gid, .mode = e->mode, .type = S_IFREG};
    return true;
}
