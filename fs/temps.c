// SPDX-License-Identifier: MIT
// Temporary descriptors of lxcore, and keeping other threads' dup2 and close_range off them.
//
// The guest may have used up its descriptor table, and Linux needs no descriptor to look a path up.
// A few numbers of the reserved block are there for that: each is closed, used and filled again.
#include "fs.h"
#include "host.h"

#define TRIES 100000

// A path operation may hold a temporary descriptor, whose number another thread could take away.
// Operations count themselves in `users`; who puts a descriptor on a chosen number holds the lock,
// waits for the count to fall to zero, and keeps new ones out meanwhile.
void temps_begin_shared(struct task *t)
{
    struct files *f = t->files;
    t->temps_counted = 1;
    for (;;) {
        __atomic_fetch_add(&f->users, 1, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&f->exclusive, __ATOMIC_SEQ_CST))
            return;
        __atomic_fetch_sub(&f->users, 1, __ATOMIC_SEQ_CST);
        // Whoever has the lock is the one who may be exclusive; one that was killed with it, too.
        lock_take(&f->lock);
        __atomic_store_n(&f->exclusive, 0, __ATOMIC_SEQ_CST);
        lock_drop(&f->lock);
    }
}

void temps_end_shared(struct task *t)
{
    if (t->owns_spares) {
        t->owns_spares = 0;
        reserved_release(&t->files->spare_owner);
    }
    if (!t->temps_counted)
        return;
    t->temps_counted = 0;
    __atomic_fetch_sub(&t->files->users, 1, __ATOMIC_SEQ_CST);
}

void files_exclusive_begin(struct task *t)
{
    struct files *f = t->files;
    if (f->refs == 1)
        return;
    t->keeps_out = 1; // also when the others have ended by then
    lock_take(&f->lock);
    __atomic_store_n(&f->exclusive, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&f->users, __ATOMIC_SEQ_CST))
        HOST0(__NR_sched_yield);
}

void files_exclusive_end(struct task *t)
{
    struct files *f = t->files;
    if (!t->keeps_out)
        return;
    t->keeps_out = 0;
    __atomic_store_n(&f->exclusive, 0, __ATOMIC_SEQ_CST);
    lock_drop(&f->lock);
}

long reserved_fill(struct task *t, int which)
{
    return HOST3(__NR_dup3, reserved_fd(t, RESERVED_LXCORE), reserved_fd(t, which), 0);
}

bool reserved_claim(u32 *owner, u32 tid)
{
    u32 seen = __atomic_load_n(owner, __ATOMIC_RELAXED);
    if (seen && HOST2(__NR_tkill, seen, 0) != -ESRCH)
        return false;
    return __atomic_compare_exchange_n(owner, &seen, tid, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

void reserved_release(u32 *owner)
{
    __atomic_store_n(owner, 0, __ATOMIC_RELEASE);
}

static u32 spare_bit(const struct task *t, long fd)
{
    u32 i = (u32)fd - (u32)reserved_fd(t, RESERVED_TEMP);
    return i < RESERVED_TEMPS ? 1u << i : 0;
}

void reserved_return(struct task *t, int fd)
{
    struct files *f = t->files;
    bool locked = reserved_wait(t, &f->spare_lock);
    if (!(f->spare_used & spare_bit(t, fd)))
        reserved_fill(t, fd - f->reserved);
    if (locked)
        reserved_release(&f->spare_lock);
}

static long open_on_host(int dirfd, const char *path, const struct open_how *how)
{
    return dirfd == TEMP_QUEUE ? HOST4(__NR_mq_open, path, how->flags, 0, NULL)
                               : open_in(dirfd, path, how);
}

// Opens on spare number `number` while it is free. Any call of another thread may get it in
// between: lxcore's own give it back (reserved_return); of a call that is passed through, the guest
// loses the descriptor as if there had been none left for it.
static long open_on(struct task *t, int number, int dirfd, const char *path,
                    const struct open_how *how)
{
    struct files *f = t->files;
    long fd = -EMFILE;
    if (!reserved_wait(t, &f->spare_lock))
        return fd;
    for (int tries = 0; tries < TRIES && fd == -EMFILE; tries++) {
        host_close(number);
        fd = open_on_host(dirfd, path, how);
    }
    if (fd == number)
        f->spare_used |= spare_bit(t, fd);
    else
        reserved_fill(t, number - f->reserved);
    reserved_release(&f->spare_lock);
    return fd;
}

// One thread at a time has the spare numbers, all of them, until it holds no temporary any more: so
// none waits for another that waits for it.
static bool has_spares(struct task *t)
{
    if (t->owns_spares)
        return true;
    if (!reserved_wait(t, &t->files->spare_owner))
        return false;
    t->owns_spares = 1;
    t->files->spare_used = 0; // one who died may have left some
    return true;
}

static long open_on_spare(struct task *t, int dirfd, const char *path, const struct open_how *how)
{
    struct files *f = t->files;
    if (!has_spares(t))
        return -EMFILE;
    for (int i = RESERVED_TEMP; i < RESERVED_TEMP + RESERVED_TEMPS; i++) {
        int number = reserved_fd(t, i);
        if (!(f->spare_used & spare_bit(t, number)) && reserved_fill(t, i) >= 0) // and can be again
            return open_on(t, number, dirfd, path, how);
    }
    return -EMFILE;
}

// Where there is no openat2: the directories before the name are opened first (fs/openwalk.c).
static __attribute__((noinline)) long open_by_steps(struct task *t, int dirfd, const char *path,
                                                    u64 flags, u64 resolve)
{
    struct pinned_way w;
    long fd = pin_way(t, dirfd, path, &w);
    if (fd >= 0)
        fd = temp_open(t, w.dir, w.name, flags, resolve);
    if (w.pinned)
        temp_close(t, w.dir);
    return fd;
}

long temp_open(struct task *t, int dirfd, const char *path, u64 flags, u64 resolve)
{
    if ((host_lacks & LACKS_OPENAT2) && resolve && strchr(path, '/'))
        return open_by_steps(t, dirfd, path, flags, resolve);
    struct open_how how = {
        .flags = flags | O_CLOEXEC, .mode = flags & O_CREAT ? 0600 : 0, .resolve = resolve};
    temps_begin(t);
    long fd = open_on_host(dirfd, path, &how);
    if (fd >= 0 && spare_bit(t, fd)) {
        reserved_return(t, (int)fd);
        fd = -EMFILE;
    }
    if (fd == -EMFILE && !t->takes_lowest && files_low_room(t))
        fd = open_on_host(dirfd, path, &how);
    if (fd == -EMFILE)
        fd = open_on_spare(t, dirfd, path, &how);
    if (fd < 0)
        temps_end(t);
    else
        t->temps_open += !spare_bit(t, fd);
    // A directory on the way has just been moved out of the one that the way begins at.
    return fd == -EXDEV && (resolve & RESOLVE_BENEATH) ? -ENOENT : fd;
}

long temp_raise(struct task *t, int fd)
{
    if (spare_bit(t, fd))
        return fd;
    long to = HOST3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, fd + 1);
    if (to >= 0 && fd_is_reserved(t, (int)to)) {
        reserved_return(t, (int)to);
        return -EMFILE;
    }
    if (to < 0)
        return to;
    fd_copied(t, fd, (int)to);
    fd_set_mount(t, fd, -1);
    host_close(fd);
    return to;
}

long temp_lift(struct task *t, int fd)
{
    struct files *f = t->files;
    long to = temp_raise(t, fd);
    if (to >= 0)
        return to;
    if (!has_spares(t) || !reserved_wait(t, &f->spare_lock))
        return -EMFILE;
    for (int i = RESERVED_TEMP; to < 0 && i < RESERVED_TEMP + RESERVED_TEMPS; i++) {
        int number = reserved_fd(t, i);
        if (f->spare_used & spare_bit(t, number))
            continue;
        to = HOST3(__NR_dup3, fd, number, O_CLOEXEC);
        if (to >= 0)
            f->spare_used |= spare_bit(t, number);
    }
    reserved_release(&f->spare_lock);
    if (to < 0)
        return -EMFILE;
    fd_set_mount(t, fd, -1);
    host_close(fd);
    t->temps_open--;
    return to;
}

void temp_close(struct task *t, int fd)
{
    u32 bit = spare_bit(t, fd);
    fd_set_mount(t, fd, -1);
    if (bit) {
        reserved_fill(t, fd - t->files->reserved);
        __atomic_fetch_and(&t->files->spare_used, ~bit, __ATOMIC_SEQ_CST);
    } else {
        host_close(fd);
        t->temps_open--;
    }
    temps_end(t);
}
