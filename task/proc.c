// SPDX-License-Identifier: MIT
// The instance's records of its processes: an open-addressed table keyed by process id in shared
// memory. A record is claimed by one compare-and-swap, so a killed process leaves nothing locked;
// records of the dead are taken over.
#include <linux/time.h>

#include "host.h"
#include "task.h"

struct proc_slot *proc_find(struct instance *in, u32 tgid)
{
    for (u32 i = 0; i < PROC_SLOTS; i++) {
        struct proc_slot *s = &in->procs[(tgid + i) % PROC_SLOTS];
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if (seen == tgid)
            return s;
        if (!seen)
            return NULL;
    }
    return NULL;
}

void proc_publish_cred(struct task *t)
{
    struct proc_slot *s = &t->instance->procs[t->proc->slot];
    const struct cred *c = &t->cred;
    if (s->tgid != t->proc->tgid)
        return;
    s->ruid = c->ruid, s->euid = c->euid, s->suid = c->suid, s->fsuid = c->fsuid;
    s->rgid = c->rgid, s->egid = c->egid, s->sgid = c->sgid, s->fsgid = c->fsgid;
    s->cap_inheritable = c->cap_inheritable;
    s->cap_permitted = c->cap_permitted;
    s->cap_effective = c->cap_effective;
    s->cap_bounding = c->cap_bounding;
    s->cap_ambient = c->cap_ambient;
    memcpy(s->groups, c->groups, sizeof s->groups);
    s->ngroups = c->ngroups;
}

// Freed records keep this id, so that searches go on past them.
#define SLOT_DELETED 0xffffffffu

static u64 text_hash(u64 dev, u64 ino)
{
    return (dev * 0x9e3779b97f4a7c15u ^ ino) * 0xff51afd7ed558ccdu | 1;
}

static void publish_text(struct task *t, struct proc_slot *s)
{
    struct instance *in = t->instance;
    u64 hash = text_hash(t->proc->dev, t->proc->ino);
    s->dev = t->proc->dev;
    s->ino = t->proc->ino;
    // The first look at what all processes share is a read: that maps more than one page.
    u64 *word = &in->text_seen[hash >> 52 & 63], bit = 1UL << (hash >> 58);
    bool seen = __atomic_load_n(word, __ATOMIC_RELAXED) & bit;
    __atomic_store_n(&in->text[s - in->procs], (u8)hash, __ATOMIC_RELEASE);
    if (!seen)
        __atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
}

bool proc_runs_file(struct task *t, u64 dev, u64 ino)
{
    struct instance *in = t->instance;
    u64 hash = text_hash(dev, ino);
    if (!(__atomic_load_n(&in->text_seen[hash >> 52 & 63], __ATOMIC_ACQUIRE) >> (hash >> 58) & 1))
        return false;
    for (u32 i = 0; i < PROC_SLOTS; i++) {
        const struct proc_slot *s = &in->procs[i];
        if (in->text[i] == (u8)hash && s->dev == dev && s->ino == ino && s->tgid &&
            s->tgid != SLOT_DELETED && HOST2(__NR_kill, s->tgid, 0) != -ESRCH)
            return true;
    }
    return false;
}

void proc_register(struct task *t)
{
    struct instance *in = t->instance;
    u32 me = t->proc->tgid;
    // Mostly the first place is free. That is found by writing to it: a new process gets the page
    // by one fault, and not those around it, as it would for a look.
    struct proc_slot *own = &in->procs[me % PROC_SLOTS];
    u32 empty = 0;
    if (!__atomic_compare_exchange_n(&own->tgid, &empty, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        own = proc_find(in, me); // left by a dead process that had our id, or by exec
    for (u32 i = 0; !own && i < PROC_SLOTS; i++) {
        struct proc_slot *s = &in->procs[(me + i) % PROC_SLOTS];
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_RELAXED);
        bool free = !seen || seen == SLOT_DELETED || HOST2(__NR_kill, seen, 0) == -ESRCH;
        if (free && __atomic_compare_exchange_n(&s->tgid, &seen, me, false, __ATOMIC_ACQ_REL,
                                                __ATOMIC_RELAXED))
            own = s;
    }
    if (!own)
        own = &in->procs[me % PROC_SLOTS]; // full: unseen by others, no more
    t->proc->slot = (u32)(own - in->procs);
    if (own->tgid == me) {
        if (!t->proc->since) {
            // Not by the vDSO: for a new process that is a page fault, which costs more.
            struct __kernel_timespec now;
            HOST2(__NR_clock_gettime, CLOCK_BOOTTIME, &now);
            t->proc->since = (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
        }
        own->registered = t->proc->since;
        str_copy(own->exe, t->proc->exe, sizeof own->exe);
        publish_text(t, own);
    }
    proc_publish_cred(t);
}

void proc_register_new(struct task *t)
{
    t->proc->since = 0;
    proc_register(t);
    struct proc_slot *s = &t->instance->procs[t->proc->slot];
    if (s->tgid != t->proc->tgid)
        return;
    s->connected.set = s->listening.set = 0;
    s->stands_for = 0;
}

// Messages and connections outlive their senders: what is known of a dead process stays until its
// record is needed.
struct proc_slot *proc_find_last(struct instance *in, u32 tgid)
{
    struct proc_slot *left = NULL;
    for (u32 i = 0; i < PROC_SLOTS; i++) {
        struct proc_slot *s = &in->procs[(tgid + i) % PROC_SLOTS];
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if (seen == tgid)
            return s;
        if (seen == SLOT_DELETED && s->was == tgid)
            left = s;
        if (!seen)
            break;
    }
    return left;
}

void proc_unregister(struct task *t)
{
    struct proc_slot *s = &t->instance->procs[t->proc->slot];
    u32 me = t->proc->tgid;
    if (s->tgid == me)
        s->was = me;
    __atomic_compare_exchange_n(&s->tgid, &me, SLOT_DELETED, false, __ATOMIC_RELEASE,
                                __ATOMIC_RELAXED);
}
