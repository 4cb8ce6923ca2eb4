// SPDX-License-Identifier: MIT
// Attributes that this thread has just written. A write moves the inode's ctime to a time that only
// another look would tell, so what was written is not known under it (fs/attrcache.c), and who
// changes the owner and then the mode would ask for the attribute in between. Instead the clock is
// read after the write: a ctime between that of the look before it and this is the one that the
// write left.
//
// That is so where a change that comes after a look gets a later ctime (instance.h,
// fine_ctime_dev): the time of the last tick, or the latest that any inode has got by the
// nanosecond, or if the inode has that already, the present by the nanosecond (Linux: fs/inode.c,
// inode_set_ctime_current()). Another change in the same tick could so have a ctime from before the
// clock was read: if a tick, or another inode's nanosecond, came between the write and that. No
// tick comes or is due then, or the write is not remembered; and changes of the instance are
// counted (meta_change_count()). What is left: a change that another instance or a tool of the host
// makes within the same tick goes unseen, if another processor gave some inode a time in that part
// of a microsecond; or if the tool did not look.
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
    w->name = v->name;
    w->ino = host->stx_ino;
    w->after = (u64)host->stx_ctime.tv_sec * 1000000000 + host->stx_ctime.tv_nsec;
    w->tick = clock_ns(CLOCK_REALTIME_COARSE);
    w->to = clock_ns(CLOCK_REALTIME);
}

// Narrows *w to the ctimes with which no tick is due between them and w->to, when the clock was
// read; false: one may have been. Ticks come at multiples from the last one on, however late an
// idle kernel takes note of them; a little earlier or later, where the clock is being slewed.
static bool without_tick(const struct task *t, struct attr_own *w)
{
    u64 tick = t->instance->tick_ns, since = w->to - w->tick;
    if (!tick || since >= 16 * tick || since % tick >= tick - tick / 64)
        return false;
    u64 first = w->to - since % tick;
    if (since >= tick)
        first += tick / 64 + 1;
    w->after = MAX(w->after, first - 1);
    return true;
}

void attrown_end(struct task *t, struct attr_own *w, const struct attr *a)
{
    if (!w->to || a->witnessed || a->has_acl || a->has_caps)
        return;
    u64 from = w->to;
    w->to = clock_ns(CLOCK_REALTIME);
    if (w->to - from > LONGEST || clock_ns(CLOCK_REALTIME_COARSE) != w->tick || !without_tick(t, w))
        return;
    w->uid = a->uid;
    w->gid = a->gid;
    w->mode = a->mode;
    t->attrs_own[w->ino % ATTRS_OWN] = *w;
}

bool attrown_get(struct task *t, const struct statx *st, struct attr *a)
{
    const struct attr_own *e = &t->attrs_own[st->stx_ino % ATTRS_OWN];
    u64 ctime = (u64)st->stx_ctime.tv_sec * 1000000000 + st->stx_ctime.tv_nsec;
    if (e->ino != st->stx_ino || ctime <= e->after || ctime > e->to ||
        device_of(st) != t->instance->fine_ctime_dev || meta_change_count(t, st) != e->changes ||
        (st->stx_mode & (S_IFMT | S_ISVTX)) != (S_IFREG | S_ISVTX))
        return false;
    if (e->fd_number ? !fd_number_stands(t, e->fd_number) : !name_stayed(t, &e->name))
        return false;
    *a = (struct attr){.uid = e->uid, .gid = e->gid, .mode = e->mode, .type = S_IFREG};
    return true;
}
