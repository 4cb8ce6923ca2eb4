// SPDX-License-Identifier: MIT
// System V IPC: the host's objects, seen through the instance's records (include/ipc.h). What an
// object holds and waiting on it are the host's; names, owners and permissions are answered here,
// as ipc/util.c has them. Attaching shared memory is in memory.c.
#include <asm/ipcbuf.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "fs.h"
#include "host.h"
#include "ipc.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#define SEM_STAT_ANY 20
#define MSG_STAT_ANY 13
#endif

#define HOST_MODE 0700   // all guests are one host user; who else may is the record's business
#define MAKING_MODE 0600 // until it has its record
#define MODE_BITS 0777
#define MAKING_WAITS 20000 // about 3 s; only where the clock is set back do they end it

// Linux' limits of the host (they are those of the whole namespace).
static u32 most_bytes(void) // of a message
{
    struct msginfo info = {0};
    HOST3(__NR_msgctl, 0, IPC_INFO, &info);
    return (u32)info.msgmax;
}

static u32 most_bytes_queued(void) // that a queue may hold without CAP_SYS_RESOURCE
{
    struct msginfo info = {0};
    HOST3(__NR_msgctl, 0, IPC_INFO, &info);
    return (u32)info.msgmnb;
}

static u32 most_semaphores(void) // of a set
{
    struct seminfo info = {0};
    HOST4(__NR_semctl, 0, 0, IPC_INFO, &info);
    return (u32)info.semmsl;
}

// ---- What the three control calls have in common ----

// All three begin with an ipc64_perm.
union object_ds {
    struct ipc64_perm perm;
    struct shmid64_ds shm;
    struct semid64_ds sem;
    struct msqid64_ds msg;
};

static size_t ds_size(int kind)
{
    return kind == IPC_SHM   ? sizeof(struct shmid64_ds)
           : kind == IPC_SEM ? sizeof(struct semid64_ds)
                             : sizeof(struct msqid64_ds);
}

static long host_control(int kind, s32 id, int cmd, void *arg)
{
    if (kind == IPC_SEM)
        return HOST4(__NR_semctl, id, 0, cmd, arg);
    return HOST3(kind == IPC_SHM ? __NR_shmctl : __NR_msgctl, id, cmd, arg);
}

// ---- Finding and making them ----

// Is the object so new that who has made it may not have made its record yet? *making: what it was
// made with says so.
static bool is_young(int kind, s32 id, bool *making)
{
    union object_ds ds;
    struct __kernel_timespec now = {0};
    *making = false;
    if (host_control(kind, id, IPC_STAT, &ds) < 0)
        return false;
    *making = (ds.perm.mode & MODE_BITS) == MAKING_MODE;
    HOST2(__NR_clock_gettime, CLOCK_REALTIME, &now);
    long made = kind == IPC_SHM   ? (long)ds.shm.shm_ctime
                : kind == IPC_SEM ? (long)ds.sem.sem_ctime
                                  : (long)ds.msg.msg_ctime;
    return now.tv_sec - made <= 1;
}

// The record of an object that is there. Without one it will have one at once, or its maker was
// killed: then it does not count, and is removed. What is whole has lost its record.
static long record_of(struct task *t, int kind, s32 id, const struct ipc_record **found)
{
    bool making = false;
    *found = ipc_find(t, kind, id);
    for (u32 tries = 0; !*found && tries < MAKING_WAITS; tries++) {
        if (tries % 64 == 0 && !is_young(kind, id, &making)) // or gone
            break;
        patience_step(tries);
        *found = ipc_find(t, kind, id);
    }
    if (!*found && making) {
        host_control(kind, id, IPC_RMID, NULL);
        return -EAGAIN;
    }
    if (!*found)
        *found = ipc_add(t, kind, id, HOST_MODE, false);
    return *found ? 0 : -ENOSPC;
}

static long finish(struct task *t, int kind, s32 id, u32 mode)
{
    union object_ds ds;
    struct ipc_record *r = ipc_add(t, kind, id, mode, true);
    long e = r ? host_control(kind, id, IPC_STAT, &ds) : -ENOSPC;
    ds.perm.mode = HOST_MODE;
    if (e >= 0)
        e = host_control(kind, id, IPC_SET, &ds);
    if (e < 0) {
        host_control(kind, id, IPC_RMID, NULL);
        if (r)
            ipc_drop(r);
    }
    return e < 0 ? e : id;
}

// One of shmget, semget, msgget: nr is the host call, size its middle argument.
static long get_object(struct task *t, int kind, int nr, s32 key, unsigned long size, int flags)
{
    s32 host_key = ipc_key(t, key);
    int plain = flags & ~(IPC_CREAT | IPC_EXCL | MODE_BITS);
    bool has_size = kind != IPC_MSG;
    if (kind == IPC_SHM && host_key == ipc_table_key(t->instance))
        return -EACCES; // one key in four thousand million
    for (;;) {
        const struct ipc_record *r = NULL;
        long id = -ENOENT;
        if (key != IPC_PRIVATE)
            id = has_size ? HOST3(nr, host_key, size, plain) : HOST2(nr, host_key, plain);
        if (id != -ENOENT) { // it is there, even when size does not fit
            long there = id == -EINVAL && has_size ? HOST3(nr, host_key, 0, 0) : id;
            long e = there < 0 ? 0 : record_of(t, kind, (s32)there, &r);
            if (e == -EAGAIN)
                continue;
            if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
                return kind == IPC_SEM && size > most_semaphores() ? -EINVAL : -EEXIST;
            if (id < 0)
                return id;
            long may = e ? e : ipc_may(t, r, (u32)flags & MODE_BITS);
            return may ? may : id;
        }
        if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
            return -ENOENT;
        int create = plain | IPC_CREAT | IPC_EXCL | MAKING_MODE;
        id = has_size ? HOST3(nr, host_key, size, create) : HOST2(nr, host_key, create);
        if (id == -EEXIST)
            continue; // somebody else was faster
        if (id < 0)
            return id;
        id = finish(t, kind, (s32)id, (u32)flags);
        if (id != -EIDRM && id != -EINVAL) // removed, for its maker was taken for dead
            return id;
    }
}

long sys_shmget(struct task *t, int key, size_t size, int flags)
{
    return get_object(t, IPC_SHM, __NR_shmget, key, size, flags);
}

long sys_semget(struct task *t, int key, int nsems, int flags)
{
    return get_object(t, IPC_SEM, __NR_semget, key, (unsigned long)nsems, flags);
}

long sys_msgget(struct task *t, int key, int flags)
{
    return get_object(t, IPC_MSG, __NR_msgget, key, 0, flags);
}

// ---- The control calls ----

// IPC_STAT by id, or SHM_STAT and its like by index, which return the id. any: nobody is refused.
static long stat_object(struct task *t, int kind, s32 id, int cmd, bool any, uptr to)
{
    union object_ds ds = {0};
    const struct ipc_record *r = cmd == IPC_STAT ? ipc_find(t, kind, id) : NULL;
    if (cmd == IPC_STAT && !r)
        return -EINVAL;
    long found = host_control(kind, id, cmd, &ds);
    if (found < 0)
        return found;
    if (!r)
        r = ipc_find(t, kind, (s32)found);
    long may = !r ? -EINVAL : any ? 0 : ipc_may(t, r, IPC_READ);
    if (may)
        return may;
    ipc_show(t, r, &ds.perm);
    return copy_to_guest(to, &ds, ds_size(kind)) ? -EFAULT : found;
}

static long set_object(struct task *t, int kind, s32 id, uptr from)
{
    union object_ds want, ds;
    if (copy_from_guest(&want, from, ds_size(kind)))
        return -EFAULT;
    struct ipc_record *r = ipc_find(t, kind, id);
    if (!r)
        return -EINVAL;
    long may = ipc_owner(t, r, CAP_SYS_ADMIN);
    if (may)
        return may;
    if (kind == IPC_MSG && want.msg.msg_qbytes > most_bytes_queued() &&
        !cred_has_cap(&t->cred, CAP_SYS_RESOURCE))
        return -EPERM;
    if (want.perm.uid == ~0u || want.perm.gid == ~0u)
        return -EINVAL;
    long e = host_control(kind, id, IPC_STAT, &ds);
    if (e < 0)
        return e;
    if (kind == IPC_MSG) {
        ds.msg.msg_qbytes = want.msg.msg_qbytes;
    }
    e = host_control(kind, id, IPC_SET, &ds); // moves the time of change
    if (e)
        return e;
    r->uid = want.perm.uid;
    r->gid = want.perm.gid;
    r->mode = want.perm.mode & MODE_BITS;
    return 0;
}

static long remove_object(struct task *t, int kind, s32 id)
{
    struct ipc_record *r = ipc_find(t, kind, id);
    long may = r ? ipc_owner(t, r, CAP_SYS_ADMIN) : -EINVAL;
    if (may)
        return may;
    union object_ds ds;
    long e = host_control(kind, id, IPC_RMID, NULL);
    // Shared memory lives on, and can be attached by its id, while somebody has it attached.
    if (kind != IPC_SHM || host_control(kind, id, IPC_STAT, &ds) < 0)
        ipc_drop(r);
    return e;
}

long sys_shmctl(struct task *t, int shmid, int cmd, uptr buf)
{
    const struct ipc_record *r;
    long may;
    if (shmid < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return stat_object(t, IPC_SHM, shmid, cmd, cmd == SHM_STAT_ANY, buf);
    case IPC_SET:
        return set_object(t, IPC_SHM, shmid, buf);
    case IPC_RMID:
        return remove_object(t, IPC_SHM, shmid);
    case SHM_LOCK:
    case SHM_UNLOCK:
        r = ipc_find(t, IPC_SHM, shmid);
        may = r ? ipc_owner(t, r, CAP_IPC_LOCK) : -EINVAL;
        return may ? may : HOST3(__NR_shmctl, shmid, cmd, 0);
    }
    return HOST3(__NR_shmctl, shmid, cmd, buf); // IPC_INFO, SHM_INFO, or refused
}

long sys_msgctl(struct task *t, int msqid, int cmd, uptr buf)
{
    if (msqid < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return stat_object(t, IPC_MSG, msqid, cmd, cmd == MSG_STAT_ANY, buf);
    case IPC_SET:
        return set_object(t, IPC_MSG, msqid, buf);
    case IPC_RMID:
        return remove_object(t, IPC_MSG, msqid);
    }
    return HOST3(__NR_msgctl, msqid, cmd, buf);
}

long sys_semctl(struct task *t, int semid, int semnum, int cmd, unsigned long arg)
{
    struct semid64_ds ds;
    u32 want = IPC_READ;
    long may;
    if (semid < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return stat_object(t, IPC_SEM, semid, cmd, cmd == SEM_STAT_ANY, arg);
    case IPC_SET:
        return set_object(t, IPC_SEM, semid, arg);
    case IPC_RMID:
        return remove_object(t, IPC_SEM, semid);
    case SETVAL: // value and number come before the permission
        if ((s32)arg < 0 || (s32)arg > SEMVMX)
            return -ERANGE;
        if (!ipc_find(t, IPC_SEM, semid) || host_control(IPC_SEM, semid, IPC_STAT, &ds) < 0 ||
            semnum < 0 || (unsigned long)semnum >= ds.sem_nsems)
            return -EINVAL;
        __attribute__((fallthrough));
    case SETALL:
        want = IPC_WRITE;
        __attribute__((fallthrough));
    case GETVAL:
    case GETALL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
        may = ipc_use(t, IPC_SEM, semid, want);
        if (may)
            return may;
    }
    return HOST4(__NR_semctl, semid, semnum, cmd, arg);
}

// ---- Using them ----

// Linux looks at what it shall do, send or fill before it looks at the object, so what the host
// says of that comes before what is wrong with the object. It is asked with a number that is not
// there.
#define NO_OBJECT 0x7fffffff

// For operations on semaphores that the guest may not use; may: why.
static long semop_error(s32 id, const struct sembuf *highest, uptr sops, unsigned int nsops,
                        uptr timeout, long may)
{
    struct __kernel_timespec wait = {0};
    struct semid64_ds ds;
    long said = HOST4(__NR_semtimedop, NO_OBJECT, sops, nsops, timeout);
    if (said != -EINVAL)
        return said;
    if (timeout && copy_from_guest(&wait, timeout, sizeof wait))
        return -EFAULT;
    if (may != -EACCES || !nsops || wait.tv_sec < 0 || (u64)wait.tv_nsec >= 1000000000)
        return -EINVAL;
    if (host_control(IPC_SEM, id, IPC_STAT, &ds) == 0 && highest->sem_num >= ds.sem_nsems)
        return -EFBIG;
    return may;
}

long sys_semtimedop(struct task *t, int semid, uptr sops, unsigned int nsops, uptr timeout)
{
    struct sembuf ops[64], highest = {0};
    u32 want = IPC_READ;
    // Semaphores that only are waited for to become 0 need read permission. The host refuses too
    // many operations.
    for (unsigned int done = 0; done < nsops && nsops <= 500; done += ARRAY_LEN(ops)) {
        unsigned int n = MIN(nsops - done, (unsigned int)ARRAY_LEN(ops));
        if (copy_from_guest(ops, sops + done * sizeof ops[0], n * sizeof ops[0]))
            break; // as the host will say
        for (unsigned int i = 0; i < n; i++) {
            want = ops[i].sem_op ? IPC_WRITE : want;
            highest = ops[i].sem_num > highest.sem_num ? ops[i] : highest;
        }
    }
    long may = ipc_use(t, IPC_SEM, semid, want);
    if (may)
        return semop_error(semid, &highest, sops, nsops, timeout, may);
    return HOST_INTR4(__NR_semtimedop, semid, sops, nsops, timeout);
}

long sys_semop(struct task *t, int semid, uptr sops, unsigned int nsops)
{
    return sys_semtimedop(t, semid, sops, nsops, 0);
}

long sys_msgsnd(struct task *t, int msqid, uptr msgp, size_t msgsz, int flags)
{
    long type, may = ipc_use(t, IPC_MSG, msqid, IPC_WRITE);
    if (!may)
        return HOST_INTR4(__NR_msgsnd, msqid, msgp, msgsz, flags);
    long said = HOST4(__NR_msgsnd, NO_OBJECT, msgp, msgsz, flags);
    if (said != -EINVAL) // a bad address
        return said;
    if (copy_from_guest(&type, msgp, sizeof type))
        return -EFAULT;
    return msqid < 0 || type < 1 || msgsz > most_bytes() ? -EINVAL : may;
}

long sys_msgrcv(struct task *t, int msqid, uptr msgp, size_t msgsz, long msgtyp, int flags)
{
    long may = ipc_use(t, IPC_MSG, msqid, IPC_READ);
    if (!may)
        return HOST_INTR5(__NR_msgrcv, msqid, msgp, msgsz, msgtyp, flags);
    if (msqid < 0 || (long)msgsz < 0)
        return -EINVAL;
    long said = HOST5(__NR_msgrcv, NO_OBJECT, msgp, msgsz, msgtyp, flags);
    if (said != -EINVAL)
        return said;
    bool copy_only = flags & MSG_COPY;
    return copy_only && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)) ? -EINVAL : may;
}
