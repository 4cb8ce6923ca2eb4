// SPDX-License-Identifier: MIT
// Mount namespaces (mount_namespaces(7)). One is a set of entries of the mount table: a copy costs
// none, what is mounted behind it is in one of them alone, and an entry is free when it is in none.
// Flags that are changed in one are kept apart (mount_entry.own_flags). Every mount is private.
//
// A namespace lives for as long as somebody is in it, which the host's kernel tells. Who makes one
// opens the instance's memory anew, locks of it the byte with the namespace's index (F_OFD_SETLK),
// and puts that descriptor in the place of RESERVED_INSTANCE: all that come from it by fork and
// execve have it, and with the last of them the lock goes, however that ends. Threads of one
// process can be in several, with one descriptor for all; so where a process was is in its record,
// too.
#include <linux/capability.h>
#include <linux/sched.h>

#include "clone.h"
#include "host.h"
#include "mounting.h"
#include "reach.h"

#define OTHER_NAMESPACES                                                                           \
    (CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
     CLONE_NEWTIME)

static struct flock byte_of(u32 ns, short type)
{
    return (struct flock){.l_type = type, .l_start = ns, .l_len = 1};
}

// Has anybody a descriptor that holds it? The caller's own does not count.
static bool is_held(struct task *t, u32 ns)
{
    struct flock lock = byte_of(ns, F_WRLCK);
    long r = HOST3(__NR_fcntl, reserved_fd(t, RESERVED_INSTANCE), F_OFD_GETLK, &lock);
    return r < 0 || lock.l_type != F_UNLCK;
}

static void note_seen(struct task *t, u32 tgid, const struct proc_slot *s, void *arg)
{
    (void)t, (void)tgid;
    *(u32 *)arg |= s->mnt_ns_seen;
}

void mntns_collect(struct task *t)
{
    u32 *used = &t->instance->mnt_ns_used, seen = 1 | 1u << t->fs->mnt_ns, ended = 0;
    reach_each(t, note_seen, &seen);
    mount_writer_begin(t);
    for (u32 ns = 1; ns < MNT_NS_MAX; ns++)
        if (*used >> ns & 1 && !(seen >> ns & 1) && !is_held(t, ns))
            ended |= 1u << ns;
    __atomic_fetch_and(used, ~ended, __ATOMIC_RELEASE);
    mount_writer_end(t);
    // Also what one has left that was killed here. Newest first: what is mounted in another goes
    // before it.
    for (u32 below = ~0u;;) {
        int last = -1;
        for (int m = 1; m < MOUNTS_MAX; m++) {
            const struct mount_entry *e = mount_at(t, m);
            if (e->state == MOUNT_LIVE && e->id < below &&
                (last < 0 || e->id > mount_at(t, last)->id))
                last = m;
        }
        if (last < 0)
            return;
        struct mount_entry e = *mount_at(t, last);
        bool alone = e.base == BASE_STORE && mount_is_alone(t, last);
        below = e.id;
        if (!mount_remove_left(t, last))
            continue;
        mount_end_entry(t, &e);
        if (alone)
            tmpfs_discard(t, &e);
    }
}

// The first that nobody has, the same as the caller's, held by descriptor fd.
static long copy_own(struct task *t, int fd)
{
    struct instance *in = t->instance;
    u32 own = t->fs->mnt_ns, ns = 1;
    mount_writer_begin(t);
    while (ns < MNT_NS_MAX && in->mnt_ns_used >> ns & 1)
        ns++;
    struct flock lock = byte_of(ns, F_RDLCK);
    long r = ns == MNT_NS_MAX ? -ENOSPC : HOST3(__NR_fcntl, fd, F_OFD_SETLK, &lock);
    if (r >= 0) {
        u64 live = mounts_of(t, own);
        for (u64 bits = live; bits; bits &= bits - 1) {
            struct mount_entry *e = mount_at(t, __builtin_ctzl(bits));
            e->own_flags[ns] = e->own_flags[own];
            if (e->apart >> own & 1)
                __atomic_fetch_or(&e->apart, 1u << ns, __ATOMIC_RELEASE);
            else
                __atomic_fetch_and(&e->apart, ~(1u << ns), __ATOMIC_RELEASE);
        }
        in->mnt_ns_number[ns] = ++in->next_mnt_ns;
        __atomic_store_n(mounts_word(t, ns), live, __ATOMIC_RELEASE);
        __atomic_fetch_or(&in->mnt_ns_used, 1u << ns, __ATOMIC_RELEASE);
        r = ns;
    }
    mount_writer_end(t);
    return r;
}

// Another descriptor of the instance's memory, with no lock yet: a temporary.
static long open_instance(struct task *t)
{
    char path[40];
    fmt(path, sizeof path, "thread-self/fd/%d", reserved_fd(t, RESERVED_INSTANCE));
    return temp_open(t, reserved_fd(t, RESERVED_PROC), path, O_RDWR, 0);
}

static long become_own(struct task *t, long fd)
{
    return HOST3(__NR_dup3, fd, reserved_fd(t, RESERVED_INSTANCE), 0);
}

long mntns_make(struct task *t)
{
    mntns_collect(t);
    long fd = open_instance(t);
    if (fd < 0)
        return fd;
    long ns = copy_own(t, (int)fd);
    long r = ns < 0 ? ns : become_own(t, fd);
    temp_close(t, (int)fd);
    return r < 0 ? r : ns;
}

void mntns_enter(struct task *t, u32 ns)
{
    proc_enter_mntns(t, ns);
    __atomic_store_n(&t->fs->mnt_ns, ns, __ATOMIC_RELEASE);
}

// The caller has the child's descriptor meanwhile.
long mntns_before_clone(struct task *t, struct clone_request *q)
{
    if (q->flags & (OTHER_NAMESPACES | CLONE_FS))
        return 0; // will be refused
    if (!cred_has_cap(&t->cred, CAP_SYS_ADMIN))
        return -EPERM;
    long ns = mntns_make(t);
    q->mnt_ns = (u32)ns;
    return MIN(ns, 0);
}

void mntns_behind_clone(struct task *t, const struct clone_request *q)
{
    struct flock own = byte_of(t->fs->mnt_ns, F_RDLCK);
    if (q->flags & (OTHER_NAMESPACES | CLONE_FS | CLONE_FILES))
        return; // where they share it, it is the child's
    long fd = open_instance(t);
    if (fd >= 0 && (!t->fs->mnt_ns || HOST3(__NR_fcntl, fd, F_OFD_SETLK, &own) >= 0))
        become_own(t, fd);
    if (fd >= 0)
        temp_close(t, (int)fd);
}
