// SPDX-License-Identifier: MIT
// mq_open and mq_unlink (include/mqueue.h); the other calls take a descriptor, which is the host's.
// Linux: ipc/mqueue.c, do_mq_open() and do_mq_unlink().
//
// Who opens or removes one has a lock of all instances on the root, so that between the look at a
// queue and what is done by its name the name stays its own, and nobody meets one that has no
// record yet. A queue is made with the host's S_ISVTX, which goes when it has its record: so one
// whose maker was killed is known, and counts as little as an unfinished file.
//
// What is only looked at is opened by O_PATH: the close of any other descriptor of a queue takes
// the process's notification away (mq_notify(3)).
#include <linux/mqueue.h>

#include "host.h"
#include "ipc.h"
#include "meta.h"
#include "mqueue.h"
#include "open.h"
#include "syscall_rows.h"
#include "uaccess.h"

#define MAKING_WAITS 40000 // should the clock be set back
#define ANOTHER (-0x10000) // the name is another's by now: again

static long get_name(struct task *t, uptr from, char host[QUEUE_NAME + 1])
{
    char name[LX_PATH_MAX];
    long n = copy_str_from_guest(name, from, sizeof name);
    if (n <= 0)
        return n < 0 ? n : -ENOENT;
    if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
        return -EACCES;
    if (n > QUEUE_NAME)
        return -ENAMETOOLONG;
    mqueue_name(t, name, host);
    return 0;
}

static bool begin(struct task *t)
{
    temps_begin(t);
    return reserved_wait(t, ipc_queue_lock(t));
}

static long end(struct task *t, bool locked, long result)
{
    if (locked)
        reserved_release(ipc_queue_lock(t));
    temps_end(t);
    return result;
}

static long host_look(struct task *t, const char *host, struct statx *st)
{
    long fd = temp_open(t, TEMP_QUEUE, host, O_PATH, 0);
    if (fd < 0)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, st);
    temp_close(t, (int)fd);
    return r;
}

static long bury(struct task *t, const char *host, const struct statx *st)
{
    struct ipc_record *record = ipc_find(t, IPC_QUEUE, (s32)st->stx_ino);
    long r = HOST1(__NR_mq_unlink, host);
    if (r >= 0 && record)
        ipc_drop(record);
    return r == -ENOENT ? 0 : r;
}

// The queue of that name in the guest's view, and its record. locked: by all instances' lock.
static long look(struct task *t, bool locked, const char *host, struct statx *st,
                 struct ipc_record **record)
{
    long r = host_look(t, host, st);
    locked = locked && !t->instance->ipc_apart;
    for (u32 tries = 0; r >= 0 && (st->stx_mode & S_ISVTX); tries++) {
        if (!locked && tries < MAKING_WAITS && attr_changed_within(st, UNFINISHED_FOR))
            patience_step(tries);
        else
            r = bury(t, host, st);
        if (r >= 0)
            r = host_look(t, host, st);
    }
    if (r < 0)
        return r;
    t->instance->queue_dev = device_of(st);
    *record = ipc_find(t, IPC_QUEUE, (s32)st->stx_ino);
    if (!*record)
        *record = ipc_add(t, IPC_QUEUE, (s32)st->stx_ino, st->stx_mode, false);
    if (!*record)
        return -ENOSPC;
    mqueue_stat(t, st);
    return 0;
}

static long finish(struct task *t, int fd, u32 mode)
{
    struct parent p = {.fd = fd, .name = ""}; // which O_PATH may have opened
    struct statx st;
    long r = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
    if (r < 0)
        return r;
    t->instance->queue_dev = device_of(&st);
    if (!ipc_add(t, IPC_QUEUE, (s32)st.stx_ino, mode & ~t->fs->umask, true))
        return -ENOSPC;
    return host_chmod_at(&p, 0600);
}

static long create(struct task *t, const char *host, int flags, u32 mode,
                   const struct mq_attr *attr)
{
    long fd = HOST4(__NR_mq_open, host, flags | O_EXCL, S_ISVTX | 0600, attr);
    if (fd < 0)
        return fd == -EEXIST ? ANOTHER : fd;
    long r = finish(t, (int)fd, mode);
    if (r >= 0)
        return fd;
    HOST1(__NR_mq_unlink, host);
    host_close((int)fd);
    return r;
}

static long open_queue(struct task *t, bool locked, const char *host, int flags, u32 mode,
                       const struct mq_attr *attr)
{
    struct ipc_record *record;
    struct statx st;
    long r = look(t, locked, host, &st, &record);
    if (r == -ENOENT && (flags & O_CREAT))
        return create(t, host, flags, mode, attr);
    if (r < 0)
        return r;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    r = may_access(&t->cred, &st, open_wants((u32)flags & O_ACCMODE));
    if (r < 0)
        return r;
    long fd = HOST4(__NR_mq_open, host, flags & ~(O_CREAT | O_EXCL), 0, NULL);
    if (fd == -ENOENT)
        return ANOTHER;
    if (fd >= 0 && !open_is_same((int)fd, &st)) {
        host_close((int)fd);
        return ANOTHER;
    }
    return fd;
}

long sys_mq_open(struct task *t, uptr name, int oflag, unsigned int mode, uptr attr)
{
    char host[QUEUE_NAME + 1];
    struct mq_attr how;
    if (attr && copy_from_guest(&how, attr, sizeof how))
        return -EFAULT;
    long r = get_name(t, name, host);
    if (r < 0)
        return r;
    bool locked = begin(t);
    t->takes_lowest = 1;
    do
        r = open_queue(t, locked, host, oflag, mode, attr ? &how : NULL);
    while (r == ANOTHER);
    t->takes_lowest = 0;
    if (r >= 0 && fd_is_reserved(t, (int)r)) {
        reserved_return(t, (int)r);
        r = -EMFILE;
    }
    return end(t, locked, r);
}

// What is left of a removal: is the queue gone, or another there by its name?
static void settle(struct task *t)
{
    struct ipc_table *in = &t->instance->ipc;
    struct statx st;
    u32 i = in->removing;
    if (!i || i > IPC_RECORDS || in->records[i - 1].state != IPC_QUEUE)
        return;
    long r = host_look(t, in->removing_name, &st);
    if (r == -ENOENT || (r >= 0 && (s32)st.stx_ino != in->records[i - 1].id))
        ipc_unlinked(t, &in->records[i - 1]);
}

static long unlink_queue(struct task *t, const char *host, struct ipc_record *record)
{
    struct ipc_table *in = &t->instance->ipc;
    settle(t);
    str_copy(in->removing_name, host, sizeof in->removing_name);
    __atomic_store_n(&in->removing, (u32)(record - in->records) + 1, __ATOMIC_RELEASE);
    long r = HOST1(__NR_mq_unlink, host);
    if (r >= 0)
        ipc_unlinked(t, record);
    __atomic_store_n(&in->removing, 0, __ATOMIC_RELEASE);
    return r;
}

long sys_mq_unlink(struct task *t, uptr name)
{
    char host[QUEUE_NAME + 1];
    struct ipc_record *record;
    struct statx st;
    long r = get_name(t, name, host);
    if (r < 0)
        return r;
    bool locked = begin(t);
    r = look(t, locked, host, &st, &record);
    // The directory that queues lie in is a sticky one of root's.
    if (r >= 0 && t->cred.fsuid && !inode_owner_or_capable(&t->cred, &st))
        r = -EPERM;
    if (r >= 0)
        r = unlink_queue(t, host, record);
    return end(t, locked, r);
}
