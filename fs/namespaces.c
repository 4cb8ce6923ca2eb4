// SPDX-License-Identifier: MIT
// Mount and UTS namespaces (mount_namespaces(7), uts_namespaces(7)). One of mounts is a set of
// entries of the mount table: a copy costs none, what is mounted behind it is in one of them alone,
// and an entry is free when it is in none. Flags that are changed in one are kept apart
// (mount_entry.own_flags). Every mount is private.
//
// A namespace lives for as long as somebody is in it, which the host's kernel tells. Who makes one
// opens the instance's memory anew, locks of it a byte for each namespace that he is in then
// (F_OFD_SETLK), and puts that descriptor in the place of RESERVED_INSTANCE: all that come from it
// by fork and execve have it, and with the last of them the lock goes, however that ends. Threads
// of one process can be in several, with one descriptor for all; so where a process was is in its
// record, too.
#include <linux/capability.h>
#include <linux/sched.h>

#include "clone.h"
#include "host.h"
#include "mounting.h"
#include "reach.h"

// Where the bytes begin that stand for those of a kind.
enum { BYTES_MNT = 0, BYTES_UTS = NAMESPACES_MAX };

static struct flock byte_of(u32 kind, u32 ns, short type)
{
    return (struct flock){.l_type = type, .l_start = kind + ns, .l_len = 1};
}

// Has anybody a descriptor that holds it? The caller's own does not count.
static bool is_held(struct task *t, u32 kind, u32 ns)
{
    struct flock lock = byte_of(kind, ns, F_WRLCK);
    long r = HOST3(__NR_fcntl, reserved_fd(t, RESERVED_INSTANCE), F_OFD_GETLK, &lock);
    return r < 0 || lock.l_type != F_UNLCK;
}

static long hold(int fd, u32 kind, u32 ns)
{
    struct flock lock = byte_of(kind, ns, F_RDLCK);
    return ns ? HOST3(__NR_fcntl, fd, F_OFD_SETLK, &lock) : 0;
}

// ---- Those in which nobody is any more ----

struct seen {
    u32 mnt, uts; // a bit for each in which somebody is
};

static void note_seen(struct task *t, u32 tgid, const struct proc_slot *s, void *arg)
{
    struct seen *seen = arg;
    (void)t, (void)tgid;
    seen->mnt |= s->mnt_ns_seen;
    seen->uts |= s->uts_ns_seen;
}

static void end_unheld(struct task *t, u32 kind, u32 *used, u32 seen)
{
    for (u32 ns = 1; ns < NAMESPACES_MAX; ns++)
        if (*used >> ns & 1 && !(seen >> ns & 1) && !is_held(t, kind, ns))
            __atomic_fetch_and(used, ~(1u << ns), __ATOMIC_RELEASE);
}

// Mounts that are in no namespace any more, newest first: what is mounted in another goes before
// it.
static void end_mounts(struct task *t)
{
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

void namespaces_collect(struct task *t)
{
    struct instance *in = t->instance;
    struct seen seen = {1 | 1u << t->fs->mnt_ns, 1 | 1u << t->uts_ns};
    reach_each(t, note_seen, &seen);
    mount_writer_begin(t);
    end_unheld(t, BYTES_MNT, &in->mnt_ns_used, seen.mnt);
    end_unheld(t, BYTES_UTS, &in->uts_ns_used, seen.uts);
    mount_writer_end(t);
    end_mounts(t);
}

// ---- New ones ----

// The first of a kind that nobody has; -ENOSPC.
static long take_free(u32 used)
{
    return ~used ? __builtin_ctz(~used) : -ENOSPC;
}
_Static_assert(NAMESPACES_MAX == 32, "a bit for each");

static void copy_mounts(struct task *t, u32 from, u32 to)
{
    u64 live = mounts_of(t, from);
    for (u64 bits = live; bits; bits &= bits - 1) {
        struct mount_entry *e = mount_at(t, __builtin_ctzl(bits));
        e->own_flags[to] = e->own_flags[from];
        if (e->apart >> from & 1)
            __atomic_fetch_or(&e->apart, 1u << to, __ATOMIC_RELEASE);
        else
            __atomic_fetch_and(&e->apart, ~(1u << to), __ATOMIC_RELEASE);
    }
    struct instance *in = t->instance;
    in->pivots[to] = in->pivots[from];
    if (in->root_covered >> from & 1)
        __atomic_fetch_or(&in->root_covered, 1u << to, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&in->root_covered, ~(1u << to), __ATOMIC_RELEASE);
    __atomic_store_n(mounts_word(t, to), live, __ATOMIC_RELEASE);
}

// Makes those that flags ask for, held by descriptor fd; the others in *ns, the caller's own, are
// held by it, too.
static long make_held(struct task *t, int fd, u64 flags, struct namespaces *ns)
{
    struct instance *in = t->instance;
    long mnt = flags & CLONE_NEWNS ? take_free(in->mnt_ns_used) : ns->mnt;
    long uts = flags & CLONE_NEWUTS ? take_free(in->uts_ns_used) : ns->uts;
    if (mnt < 0 || uts < 0)
        return -ENOSPC;
    long r = hold(fd, BYTES_MNT, (u32)mnt);
    if (r >= 0)
        r = hold(fd, BYTES_UTS, (u32)uts);
    if (r < 0)
        return r;
    if (flags & CLONE_NEWNS) {
        copy_mounts(t, ns->mnt, (u32)mnt);
        in->mnt_ns_number[mnt] = ++in->next_ns;
        __atomic_fetch_or(&in->mnt_ns_used, 1u << mnt, __ATOMIC_RELEASE);
    }
    if (flags & CLONE_NEWUTS) {
        in->uts_in[uts] = *uts_of(t);
        in->uts_ns_number[uts] = ++in->next_ns;
        __atomic_fetch_or(&in->uts_ns_used, 1u << uts, __ATOMIC_RELEASE);
    }
    *ns = (struct namespaces){(u32)mnt, (u32)uts};
    return 0;
}

// Another descriptor of the instance's memory, with no lock yet: a temporary.
static long open_instance(struct task *t)
{
    char path[40];
    fmt(path, sizeof path, "thread-self/fd/%d", reserved_fd(t, RESERVED_INSTANCE));
    return temp_open(t, reserved_fd(t, RESERVED_PROC), path, O_RDWR, 0);
}

// RESERVED_INSTANCE becomes one that holds *ns, which are made first where flags say so.
static long change_held(struct task *t, u64 flags, struct namespaces *ns)
{
    long fd = open_instance(t);
    if (fd < 0)
        return fd;
    mount_writer_begin(t);
    long r = make_held(t, (int)fd, flags, ns);
    mount_writer_end(t);
    if (r >= 0)
        r = HOST3(__NR_dup3, fd, reserved_fd(t, RESERVED_INSTANCE), 0);
    temp_close(t, (int)fd);
    return MIN(r, 0);
}

long namespaces_unshare(struct task *t, u64 flags)
{
    struct namespaces ns = {t->fs->mnt_ns, t->uts_ns};
    namespaces_collect(t);
    long r = change_held(t, flags, &ns);
    if (r < 0)
        return r;
    t->uts_ns = ns.uts;
    __atomic_store_n(&t->fs->mnt_ns, ns.mnt, __ATOMIC_RELEASE);
    proc_publish_namespaces(t, &ns);
    return 0;
}

// The caller has the child's descriptor meanwhile.
long namespaces_before_clone(struct task *t, struct clone_request *q)
{
    if (!cred_has_cap(&t->cred, CAP_SYS_ADMIN))
        return -EPERM;
    namespaces_collect(t);
    q->ns = (struct namespaces){t->fs->mnt_ns, t->uts_ns};
    return change_held(t, q->flags, &q->ns);
}

void namespaces_behind_clone(struct task *t, const struct clone_request *q)
{
    struct namespaces own = {t->fs->mnt_ns, t->uts_ns};
    if (q->flags & CLONE_THREAD)
        proc_publish_namespaces(t, &q->ns);
    // Else it is the child's, too. Where there is no descriptor for another, the child's lives as
    // long as the caller.
    if (!(q->flags & CLONE_FILES))
        change_held(t, 0, &own);
}
