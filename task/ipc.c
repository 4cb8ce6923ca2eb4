// SPDX-License-Identifier: MIT
// See include/ipc.h. A record is claimed by one compare-and-swap and published last, so a killed
// process leaves at worst one that is BUSY; a record of an object that is gone is harmless, because
// the host does not give its id out again for a long time.
#include "ipc.h"

#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/time_types.h>

#include "host.h"

// x ^ prefix maps 0, IPC_PRIVATE, to prefix, and prefix to 0; those two are left alone instead.
s32 ipc_key(const struct task *t, s32 key)
{
    s32 prefix = (s32)t->instance->abstract_prefix;
    return key == 0 || key == prefix ? key : key ^ prefix;
}

// ---- The table ----

// For one address space, like the mapping.
static u32 is_mapped;

#define ENDS_WAITS 1000 // 150 ms

// -EACCES of memory that another user has made under the key: nothing is read from that.
static long attach(struct instance *in, long id)
{
    struct shmid64_ds ds;
    long r = HOST3(__NR_shmctl, id, IPC_STAT, &ds);
    if (r < 0)
        return r;
    if (ds.shm_perm.uid != in->host_uid || ds.shm_perm.cuid != in->host_uid)
        return -EACCES;
    return HOST3(__NR_shmat, id, &in->ipc, SHM_REMAP);
}

// Where the host has no such memory for this user, the instance's own serves. Not where only this
// process cannot have it mapped, as with MCL_FUTURE: others have.
static __attribute__((noinline)) void map_table(struct instance *in)
{
    const struct __kernel_timespec nap = {.tv_nsec = 100000};
    for (u32 tries = 0; !in->ipc_apart; tries++) {
        long id = HOST3(__NR_shmget, ipc_table_key(in), sizeof in->ipc, IPC_CREAT | 0600);
        long r = id < 0 ? id : attach(in, id);
        bool gone = id >= 0 && (r == -EINVAL || r == -EIDRM);
        bool ends = r >= 0 && __atomic_load_n(&in->ipc.ends, __ATOMIC_SEQ_CST);
        if ((gone || ends) && tries < ENDS_WAITS) {
            HOST2(__NR_nanosleep, &nap, NULL);
            continue;
        }
        if (r < 0 && !in->ipc_used && (id < 0 || r == -EACCES))
            in->ipc_apart = 1;
        if (r < 0)
            return;
        if (ends) // who has said so was killed
            in->ipc.ends = 0;
        in->ipc_used = 1;
        break;
    }
    __atomic_store_n(&is_mapped, 1, __ATOMIC_RELEASE);
}

static struct ipc_table *table(struct task *t)
{
    if (!__atomic_load_n(&is_mapped, __ATOMIC_ACQUIRE))
        map_table(t->instance);
    return &t->instance->ipc;
}

u32 *ipc_queue_lock(struct task *t)
{
    return &table(t)->queue_lock;
}

// ---- Records ----

struct ipc_record *ipc_find(struct task *t, int kind, s32 id)
{
    struct ipc_record *r = table(t)->records;
    u32 top = __atomic_load_n(&t->instance->ipc.top, __ATOMIC_ACQUIRE);
    for (u32 i = 0; i < top; i++)
        if (__atomic_load_n(&r[i].state, __ATOMIC_ACQUIRE) == (u32)kind && r[i].id == id)
            return &r[i];
    return NULL;
}

static struct ipc_record *claim(struct ipc_table *in)
{
    for (u32 i = 0; i < IPC_RECORDS; i++) {
        u32 state = IPC_FREE, top = __atomic_load_n(&in->top, __ATOMIC_RELAXED);
        if (__atomic_load_n(&in->records[i].state, __ATOMIC_RELAXED) != IPC_FREE ||
            !__atomic_compare_exchange_n(&in->records[i].state, &state, IPC_BUSY, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        while (top <= i && !__atomic_compare_exchange_n(&in->top, &top, i + 1, false,
                                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        return &in->records[i];
    }
    return NULL;
}

// Drops the records of objects that are gone: shared memory that was removed first and detached
// then, and what somebody removed outside.
static void sweep(struct ipc_table *in)
{
    union {
        struct shmid64_ds shm;
        struct semid64_ds sem;
        struct msqid64_ds msg;
    } ds;
    for (struct ipc_record *r = in->records; r < in->records + IPC_RECORDS; r++) {
        u32 state = __atomic_load_n(&r->state, __ATOMIC_ACQUIRE);
        long e = state == IPC_SHM   ? HOST3(__NR_shmctl, r->id, IPC_STAT, &ds)
                 : state == IPC_SEM ? HOST4(__NR_semctl, r->id, 0, IPC_STAT, &ds)
                 : state == IPC_MSG ? HOST3(__NR_msgctl, r->id, IPC_STAT, &ds)
                                    : 0;
        if (e == -EINVAL || e == -EIDRM)
            __atomic_compare_exchange_n(&r->state, &state, IPC_FREE, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED);
    }
}

struct ipc_record *ipc_add(struct task *t, int kind, s32 id, u32 mode, bool created)
{
    // Its maker may come later than who has found it.
    struct ipc_record *r = created ? ipc_find(t, kind, id) : NULL;
    if (!r)
        r = claim(table(t));
    if (!r) {
        sweep(table(t));
        r = claim(table(t));
    }
    if (!r)
        return NULL;
    bool file = kind == IPC_QUEUE;
    r->id = id;
    r->mode = mode & (file ? 07777 : 0777);
    r->uid = r->cuid = !created ? 0 : file ? t->cred.fsuid : t->cred.euid;
    r->gid = r->cgid = !created ? 0 : file ? t->cred.fsgid : t->cred.egid;
    __atomic_store_n(&r->state, (u32)kind, __ATOMIC_RELEASE);
    return r;
}

void ipc_drop(struct ipc_record *r)
{
    __atomic_store_n(&r->state, IPC_FREE, __ATOMIC_RELEASE);
}

static void drop_unlinked(struct ipc_record *r)
{
    u32 state = IPC_QUEUE;
    if (__atomic_load_n(&r->mode, __ATOMIC_RELAXED) & IPC_UNLINKED)
        __atomic_compare_exchange_n(&r->state, &state, IPC_FREE, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
}

void ipc_unlinked(struct task *t, struct ipc_record *r)
{
    struct ipc_table *in = table(t);
    u32 at = __atomic_fetch_add(&in->next_unlinked, 1, __ATOMIC_RELAXED) % QUEUES_UNLINKED;
    u32 old = __atomic_exchange_n(&in->unlinked[at], (u32)(r - in->records) + 1, __ATOMIC_RELAXED);
    if (old && old <= IPC_RECORDS)
        drop_unlinked(&in->records[old - 1]);
    __atomic_fetch_or(&r->mode, IPC_UNLINKED, __ATOMIC_RELAXED);
}

long ipc_may(const struct task *t, const struct ipc_record *r, u32 want)
{
    const struct cred *c = &t->cred;
    u32 granted = r->mode;
    want = (want >> 6 | want >> 3 | want) & 7;
    if (c->euid == r->cuid || c->euid == r->uid)
        granted >>= 6;
    else if (cred_in_group(c, r->cgid) || cred_in_group(c, r->gid))
        granted >>= 3;
    return (want & ~granted) && !cred_has_cap(c, CAP_IPC_OWNER) ? -EACCES : 0;
}

long ipc_owner(const struct task *t, const struct ipc_record *r, int cap)
{
    const struct cred *c = &t->cred;
    return c->euid == r->cuid || c->euid == r->uid || cred_has_cap(c, cap) ? 0 : -EPERM;
}

long ipc_use(struct task *t, int kind, s32 id, u32 want)
{
    const struct ipc_record *r = ipc_find(t, kind, id);
    return r ? ipc_may(t, r, want) : -EINVAL;
}

void ipc_show(const struct task *t, const struct ipc_record *r, struct ipc64_perm *p)
{
    p->key = ipc_key(t, p->key);
    p->uid = r->uid;
    p->gid = r->gid;
    p->cuid = r->cuid;
    p->cgid = r->cgid;
    // Above the nine bits are flags of the object (SHM_DEST, SHM_LOCKED).
    p->mode = (__typeof__(p->mode))((p->mode & ~0777u) | r->mode);
}
