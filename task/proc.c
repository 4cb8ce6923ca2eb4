// SPDX-License-Identifier: MIT
// The instance's records of its processes: an open-addressed table keyed by process id in shared
// memory. A record is claimed by one compare-and-swap, so a killed process leaves nothing locked.
// It is there as long as the process is, as a zombie too: who waits for it gives the record up, and
// where nobody has, it is given up by who finds it, or taken over.
//
// The record of a forked child is made by its parent, which has the page; for the child it would be
// two page faults and a page of page tables. The child asks for it only before it makes a call that
// others may notice (syscalls/dispatch.c), and makes it if the parent has not come to it yet. Which
// of the two it was, and whether a record with the same id is that of an earlier process, `birth`
// tells, which both know.
#include <linux/time.h>

#include "host.h"
#include "task.h"

struct proc_slot *proc_find(struct instance *in, u32 tgid)
{
    return proc_slot_of(in, tgid);
}

static u64 text_hash(u64 dev, u64 ino)
{
    return (dev * 0x9e3779b97f4a7c15u ^ ino) * 0xff51afd7ed558ccdu | 1;
}

void proc_text_runs(struct instance *in, u64 dev, u64 ino)
{
    u64 hash = text_hash(dev, ino);
    // The first look at what all processes share is a read: that maps more than one page.
    u64 *word = &in->text_seen[hash >> 52 & 63], bit = 1UL << (hash >> 58);
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
}

static void publish_text(struct task *t, struct proc_slot *s)
{
    struct instance *in = t->instance;
    s->dev = t->proc->dev;
    s->ino = t->proc->ino;
    proc_text_runs(in, s->dev, s->ino);
    __atomic_store_n(proc_text_at(in, proc_slot_index(in, s)), (u8)text_hash(s->dev, s->ino),
                     __ATOMIC_RELEASE);
}

bool proc_text_seen(const struct instance *in, u64 dev, u64 ino, u8 *hash)
{
    u64 h = text_hash(dev, ino);
    *hash = (u8)h;
    return __atomic_load_n(&in->text_seen[h >> 52 & 63], __ATOMIC_ACQUIRE) >> (h >> 58) & 1;
}

static void put_cred(struct proc_slot *s, const struct task *t)
{
    const struct cred *c = &t->cred;
    s->dumpable = t->proc->dumpable;
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

// Not by the vDSO: for a new process that is a page fault, which costs more.
static u64 now(void)
{
    struct __kernel_timespec ts;
    HOST2(__NR_clock_gettime, CLOCK_BOOTTIME, &ts);
    return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static void put_namespaces(struct proc_slot *s, const struct namespaces *ns)
{
    s->ns = *ns;
    s->mnt_ns_seen = 1u << ns->mnt;
    s->uts_ns_seen = 1u << ns->uts;
}

// Fills in a record of t's process, or of a child that is a copy of it. It is nobody's else.
static void fill(struct task *t, struct proc_slot *s, u64 since, u64 birth)
{
    s->birth = birth;
    s->registered = since;
    s->connected.set = s->listening.set = 0;
    s->stands_for = 0;
    s->reserved = t->files->reserved;
    s->reserved_count = t->files->reserved_count;
    put_namespaces(s, &(struct namespaces){t->fs->mnt_ns, t->uts_ns});
    str_copy(s->exe, t->proc->exe, sizeof s->exe);
    publish_text(t, s);
    put_cred(s, t);
}

static bool is_gone(u32 id)
{
    return host_kill(id, 0) == -ESRCH;
}

// The record of process id with that name, where it is not in the place that is tried first;
// another than `but`.
static struct proc_slot *find_named(struct instance *in, u32 id, u64 birth,
                                    const struct proc_slot *but)
{
    if (!__atomic_load_n(&in->far_procs, __ATOMIC_ACQUIRE))
        return NULL;
    for (u32 i = 1; i < PROC_PLACES; i++) {
        struct proc_slot *s = proc_slot_at(in, proc_place(id, i));
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if (seen == id && s->birth == birth && s != but)
            return s;
        if (!seen)
            break;
    }
    return NULL;
}

// Parent and child may both have made the record, each while the other had its place but was not
// done. Whoever is later sees the other's: the parent's goes, since the child goes on with its own.
static struct proc_slot *only_one(struct task *t, struct proc_slot *made, u32 id)
{
    struct instance *in = t->instance;
    struct proc_slot *first = proc_slot_at(in, proc_place(id, 0));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    bool there = first != made && __atomic_load_n(&first->tgid, __ATOMIC_ACQUIRE) == id &&
                 first->birth == made->birth;
    struct proc_slot *other = there ? first : find_named(in, id, made->birth, made);
    if (!other)
        return made;
    bool child = id == t->proc->tgid;
    struct proc_slot *goes = child ? other : made;
    u64 head = __atomic_load_n(&goes->head, __ATOMIC_ACQUIRE);
    if ((u32)head == id)
        proc_free(in, goes, head, 0);
    return child ? made : other;
}

// Would what a dead process has left be missed (proc_find_last())? Of one that was root all along,
// all would be answered in the same way without it.
static bool is_kept(const struct proc_slot *s)
{
    return (s->ruid | s->euid | s->rgid | s->egid | s->connected.set | s->listening.set |
            s->stands_for) != 0;
}

// Takes a place that is *seen, which tells what is there when it could not be taken.
static bool claim(struct instance *in, struct proc_slot *s, u32 *seen, u32 making)
{
    // Of the dead, what was there is counted.
    bool counts = proc_slot_index(in, s) >= PROC_NEAR && (!*seen || *seen == PROC_FREED);
    if (counts)
        __atomic_fetch_add(&in->far_procs, 1, __ATOMIC_ACQ_REL);
    bool own = __atomic_compare_exchange_n(&s->tgid, seen, making, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    if (counts && !own)
        __atomic_fetch_sub(&in->far_procs, 1, __ATOMIC_ACQ_REL);
    return own;
}

// Makes the record of process id, *made, or finds it. NULL: the table is full.
static struct proc_slot *make_record(struct task *t, u32 id, u64 since, u64 birth, bool *made)
{
    const u32 making = PROC_MAKING | t->tid;
    struct instance *in = t->instance;
    *made = false;
    for (u32 i = 0; i < PROC_PLACES; i++) {
        struct proc_slot *s = proc_slot_at(in, proc_place(id, i));
        // A look first: that maps the pages around, which a program comes to soon.
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        bool own = !seen && claim(in, s, &seen, making);
        // Whoever fills it in is done at once, or was killed, or stopped.
        for (int tries = 0; (seen & PROC_MAKING) && seen != PROC_FREED && tries < 1000 &&
                            !is_gone(seen & ~PROC_MAKING);
             tries++) {
            HOST0(__NR_sched_yield);
            seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        }
        if (!own && seen == id && s->birth == birth)
            return s;
        struct proc_slot *there = own || i ? NULL : find_named(in, id, birth, NULL);
        if (there) // made when this place was another's
            return there;
        if (!own && !i && seen == PROC_FREED && is_kept(s))
            continue; // there are many other places, of which each stays as it is for long
        // One with our id and another birth was left by a process that is dead.
        if (!own && (seen == id || seen == PROC_FREED || is_gone(seen & ~PROC_MAKING)))
            own = claim(in, s, &seen, making);
        if (!own)
            continue;
        since = since ? since : now();
        fill(t, s, since, birth);
        s->was = (u32)since;
        __atomic_store_n(&s->tgid, id, __ATOMIC_RELEASE);
        *made = true;
        return only_one(t, s, id);
    }
    return NULL;
}

static void set_slot(struct task *t, const struct proc_slot *s)
{
    // Full: unseen by others, no more.
    t->proc->slot = s ? proc_slot_index(t->instance, s) : proc_place(t->proc->tgid, 0);
    if (s)
        t->proc->since = s->registered;
}

struct proc_slot *proc_own(struct task *t)
{
    bool made;
    if (t->proc->slot == SLOT_UNKNOWN)
        set_slot(t, make_record(t, t->proc->tgid, 0, t->proc->birth, &made));
    struct proc_slot *s = proc_slot_at(t->instance, t->proc->slot);
    // A parent that was killed before it had looked has left another, which may be found first.
    return s->tgid == t->proc->tgid ? only_one(t, s, s->tgid) : NULL;
}

void proc_register(struct task *t)
{
    bool made;
    struct proc_slot *s = make_record(t, t->proc->tgid, t->proc->since, t->proc->birth, &made);
    if (s && !made && t->proc->since) { // before exec
        str_copy(s->exe, t->proc->exe, sizeof s->exe);
        publish_text(t, s);
        put_cred(s, t);
        put_namespaces(s, &(struct namespaces){t->fs->mnt_ns, t->uts_ns});
    } else if (s && !made) { // the parent's, of which it does not know yet: made behind the clone
        fill(t, s, s->registered, t->proc->birth);
    }
    set_slot(t, s);
}

void proc_register_new(struct task *t)
{
    bool made;
    struct proc_slot *s = make_record(t, t->proc->tgid, 0, t->proc->birth, &made);
    if (s && !made) // left by a dead process of that name
        fill(t, s, now(), t->proc->birth);
    set_slot(t, s);
}

void proc_register_child(struct task *t, u32 tgid)
{
    bool made;
    make_record(t, tgid, 0, t->next_birth, &made);
}

void proc_publish_namespaces(struct task *t, const struct namespaces *ns)
{
    struct proc_slot *s = proc_own(t);
    if (s && !t->proc->threads_ever) {
        put_namespaces(s, ns);
    } else if (s) {
        s->ns = *ns;
        __atomic_fetch_or(&s->mnt_ns_seen, 1u << ns->mnt, __ATOMIC_RELEASE);
        __atomic_fetch_or(&s->uts_ns_seen, 1u << ns->uts, __ATOMIC_RELEASE);
    }
}

void proc_child_namespaces(struct task *t, u32 tgid, const struct namespaces *ns)
{
    struct proc_slot *s = proc_find(t->instance, tgid);
    if (s)
        put_namespaces(s, ns);
}

void proc_need_record(struct task *t)
{
    struct {
        u32 tgid, was;
        u64 birth;
    } head;
    _Static_assert(offsetof(struct proc_slot, birth) == 8, "as in struct proc_slot");
    u32 me = t->proc->tgid;
    int fd = t->files->reserved + RESERVED_INSTANCE;
    t->unrecorded = 0;
    // A look by a call costs a tenth of a page fault.
    for (u32 i = 0; i < 2; i++) {
        long at = (char *)proc_slot_at(t->instance, proc_place(me, i)) - (char *)t->instance;
        if (host_pread(fd, &head, sizeof head, at) == (long)sizeof head && head.tgid == me &&
            head.birth == t->proc->birth)
            return;
    }
    proc_own(t);
}

void proc_publish_cred(struct task *t)
{
    struct proc_slot *s = proc_own(t);
    if (s)
        put_cred(s, t);
}

void proc_set_dumpable(struct task *t, u32 dumpable)
{
    t->proc->dumpable = dumpable;
    struct proc_slot *s = proc_own(t);
    if (s)
        s->dumpable = dumpable;
}

// Messages and connections outlive their senders: what is known of a dead process stays until its
// record is needed.
struct proc_slot *proc_find_last(struct instance *in, u32 tgid)
{
    struct proc_slot *left = NULL;
    for (u32 i = 0; i < PROC_PLACES; i++) {
        struct proc_slot *s = proc_slot_at(in, proc_place(tgid, i));
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if (seen == tgid)
            return s;
        if (seen == PROC_FREED && s->was == tgid)
            left = s;
        if (!seen)
            break;
    }
    return left;
}

void proc_gone(struct task *t, struct proc_slot *s, u64 head)
{
    if (is_gone((u32)head))
        proc_free(t->instance, s, head, (u32)head);
}

void proc_reaped(struct task *t, u32 tgid)
{
    struct proc_slot *s = proc_slot_of(t->instance, tgid);
    if (!s)
        return;
    u64 head = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
    if ((u32)head != tgid)
        return;
    // By now the host may have given the number to another's child, which has made its record.
    if (s->birth >> 32 == t->tid)
        proc_free(t->instance, s, head, tgid);
    else
        proc_gone(t, s, head);
}
