// SPDX-License-Identifier: MIT
// Names that come to mean another inode. What two host calls find out by one name goes together
// only if they met the same inode. In the guest's own tree such changes are the instance's to make;
// it counts them, by a hash of the name, as they begin and as they end. One that was killed in
// between leaves its count uneven, and who asks there finds out in another way from then on.
#include <linux/time_types.h>

#include "fs.h"
#include "host.h"

u32 name_changes_index(const struct parent *p)
{
    u32 hash = p->hash ? p->hash : name_hash(p->name, strlen(p->name));
    return hash >> 16 & (NAME_CHANGES - 1);
}

static void drop_holder(u32 *holder, u32 tid)
{
    if (__atomic_load_n(holder, __ATOMIC_RELAXED) == tid)
        __atomic_store_n(holder, 0, __ATOMIC_RELEASE);
}

// Waits for who has it; then it is the caller's. False: who has it is stopped, and is not waited
// for, now or by the next.
static __attribute__((noinline)) bool take_holder(struct task *t, u32 *holder)
{
    u32 tid = __atomic_load_n(holder, __ATOMIC_RELAXED);
    // The caller's own tid is that of a thread that was killed.
    if (tid == t->tid || reserved_wait(t, holder))
        return true;
    drop_holder(holder, tid);
    return false;
}

// In this order: who holds the name either sees that a change has begun, or is seen here.
void name_change_begin(struct task *t, const struct parent *p)
{
    if (!*p->name)
        return;
    u32 i = name_changes_index(p), *holder = &t->instance->name_holder[i];
    // Before what is looked at then.
    __atomic_fetch_add(&t->instance->name_changes[i].begun, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(holder, __ATOMIC_ACQUIRE) && take_holder(t, holder))
        drop_holder(holder, t->tid);
}

void name_change_end(struct task *t, const struct parent *p)
{
    if (*p->name)
        __atomic_fetch_add(&t->instance->name_changes[name_changes_index(p)].ended, 1,
                           __ATOMIC_ACQ_REL);
}

long name_unlink(struct task *t, const struct parent *p, int flags)
{
    name_change_begin(t, p);
    long r = HOST3(__NR_unlinkat, p->fd, p->name, flags);
    name_change_end(t, p);
    return r;
}

bool name_changes_ended(struct task *t, const struct parent *p, struct name_watch *w)
{
    w->index = name_changes_index(p);
    const struct name_changes *c = &t->instance->name_changes[w->index];
    w->count = __atomic_load_n(&c->begun, __ATOMIC_ACQUIRE);
    return w->count == __atomic_load_n(&c->ended, __ATOMIC_ACQUIRE);
}

bool name_hold(struct task *t, const struct parent *p, const struct name_watch *w)
{
    if (!*p->name || !strcmp(p->name, "."))
        return true;
    u32 *holder = &t->instance->name_holder[w->index];
    if (!reserved_claim(holder, t->tid) && !take_holder(t, holder))
        return false;
    if (name_stayed(t, w))
        return true;
    drop_holder(holder, t->tid);
    return false;
}

void name_let_go(struct task *t, const struct parent *p, const struct name_watch *w)
{
    if (*p->name)
        drop_holder(&t->instance->name_holder[w->index], t->tid);
}

#define WAIT_STEPS 1000 // of a millisecond

void name_changes_wait(struct task *t)
{
    const struct __kernel_timespec step = {.tv_nsec = 1000000};
    int steps = 0;
    for (int i = 0; i < NAME_CHANGES && steps < WAIT_STEPS; i++) {
        const struct name_changes *c = &t->instance->name_changes[i];
        // In this order: at the moment of the first no other had begun.
        while (__atomic_load_n(&c->ended, __ATOMIC_SEQ_CST) !=
                   __atomic_load_n(&c->begun, __ATOMIC_SEQ_CST) &&
               steps++ < WAIT_STEPS)
            HOST2(__NR_nanosleep, &step, NULL);
    }
}

// Of the guest's descriptors, and of the working directory, another thread may make other ones.
// What lxcore holds stays between temps_begin() and temps_end().
static bool directory_stays(const struct task *t, const struct parent *p)
{
    return (t->files->refs == 1 && t->fs->refs == 1) || p->temporary ||
           (t->temps && (p->kept || base_is_root(t, p->fd)));
}

bool name_is_watched(const struct task *t, int mount, const struct parent *p)
{
    return t->instance->keeps_dirs && mount == 0 && *p->name && directory_stays(t, p);
}

bool name_watch(struct task *t, int mount, const struct parent *p, struct name_watch *w)
{
    *w = (struct name_watch){0};
    return name_is_watched(t, mount, p) && name_changes_ended(t, p, w);
}

// ---- Names that this thread has given a file itself ----
//
// Who makes a file and then renames it over another need not look what it is. The entry counts
// while its directory is kept open as it was then, and no name of that hash has changed in the
// meantime. What others than the instance put there is seen when the directory is kept anew
// (fs/dirs.c).

void name_own_begin(struct task *t, int mount, const struct parent *p, struct own_name *o)
{
    size_t n = strlen(p->name);
    o->length = 0;
    if (!p->kept || n > OWN_NAME || !name_watch(t, mount, p, &o->watch))
        return;
    o->dir = t->files->dir[p->kept - 1].stamp;
    o->length = (u32)n;
    memcpy(o->name, p->name, n);
}

void name_own_end(struct task *t, const struct own_name *o, u32 changes)
{
    if (!o->length)
        return;
    struct name_watch now = {o->watch.index, o->watch.count + changes};
    if (name_stayed(t, &now)) {
        t->own_name = *o;
        t->own_name.watch = now;
    }
}

bool name_is_own_file(struct task *t, int mount, const struct parent *p)
{
    const struct own_name *o = &t->own_name;
    struct name_watch now;
    return p->kept && o->length && o->dir == t->files->dir[p->kept - 1].stamp &&
           o->length == strlen(p->name) && !memcmp(o->name, p->name, o->length) &&
           name_watch(t, mount, p, &now) && now.count == o->watch.count;
}
