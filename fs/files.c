// SPDX-License-Identifier: MIT
// Descriptor bookkeeping: which mount a descriptor was opened in, and where the reserved block
// lies. Temporary descriptors: fs/temps.c.
#include <linux/close_range.h>
#include <linux/kcmp.h>
#include <linux/resource.h>

#include "fs.h"
#include "host.h"

static u8 byte_of(struct task *t, int fd)
{
    return (unsigned)fd < FD_KINDS ? __atomic_load_n(&t->files->kind[fd], __ATOMIC_RELAXED) : 0;
}

static u8 kind_of(struct task *t, int fd)
{
    return byte_of(t, fd) % FD_RECORDS;
}

static void set_kind(struct task *t, int fd, u8 kind)
{
    // Mostly it is so already; a write would have a forked child copy the page.
    if ((unsigned)fd < FD_KINDS && byte_of(t, fd) != kind)
        __atomic_store_n(&t->files->kind[fd], kind, __ATOMIC_RELAXED);
}

// Every call that closes a descriptor, or puts another in its place, comes by fd_set_mount() before
// the next one can use the number.
u64 fd_number(struct task *t, int fd)
{
    struct files *f = t->files;
    if (f->refs > 1 || (unsigned)fd >= FD_KINDS)
        return 0;
    for (int i = 0; i < FD_NUMBERED; i++)
        if (f->numbered[i].number && f->numbered[i].fd == fd)
            return f->numbered[i].number;
    u64 number = instance_number(t->instance);
    f->numbered[f->numbered_next++ % FD_NUMBERED] = (struct fd_number){.fd = fd, .number = number};
    return number;
}

bool fd_number_stands(const struct task *t, u64 number)
{
    for (int i = 0; i < FD_NUMBERED; i++)
        if (t->files->numbered[i].number == number)
            return t->files->refs == 1;
    return false;
}

static u64 fd_bit(int fd)
{
    return (unsigned)fd < 64 ? 1UL << fd : 0;
}

void fd_note_open(struct task *t, int fd)
{
    if (t->files->refs == 1)
        t->files->fds_open |= fd_bit(fd);
}

void fd_note_file(struct task *t, int fd)
{
    if (t->files->refs == 1)
        t->files->fds_file |= t->files->fds_open & fd_bit(fd);
}

bool fd_is_open(const struct task *t, int fd)
{
    return __atomic_load_n(&t->files->fds_open, __ATOMIC_RELAXED) & fd_bit(fd);
}

bool fd_is_file(const struct task *t, int fd)
{
    return __atomic_load_n(&t->files->fds_file, __ATOMIC_RELAXED) & fd_bit(fd);
}

// Threads may take from them at the same time; only who has the descriptors alone adds to them.
static void drop_notes(struct files *f, u64 bit)
{
    if (f->refs == 1) {
        f->fds_file &= ~bit;
        f->fds_open &= ~bit;
    } else {
        __atomic_fetch_and(&f->fds_file, ~bit, __ATOMIC_RELAXED);
        __atomic_fetch_and(&f->fds_open, ~bit, __ATOMIC_RELAXED);
    }
}

void fd_set_mount(struct task *t, int fd, int mount)
{
    if (fd_is_open(t, fd))
        drop_notes(t->files, fd_bit(fd));
    for (int i = 0; i < FD_NUMBERED; i++)
        if (t->files->numbered[i].fd == fd && t->files->numbered[i].number)
            t->files->numbered[i].number = 0;
    set_kind(t, fd, (u8)(mount + 1));
}

int fd_mount(struct task *t, int fd)
{
    u8 kind = kind_of(t, fd);
    return kind >= FD_MAPPED_WATCH ? -1 : kind - 1;
}

void fd_learn_mount(struct task *t, int fd, int was, int mount)
{
    u8 seen = byte_of(t, fd), kind = seen % FD_RECORDS;
    if ((unsigned)fd < FD_KINDS && mount != was && (kind >= FD_MAPPED_WATCH ? -1 : kind - 1) == was)
        __atomic_compare_exchange_n(&t->files->kind[fd], &seen, (u8)(mount + 1), false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool fd_making(struct task *t, int mount)
{
    if (t->files->refs == 1 || mount < 0 || mount_at(t, mount)->type != FS_OVERLAY)
        return false;
    __atomic_fetch_add(&t->files->making, 1, __ATOMIC_SEQ_CST);
    return true;
}

void fd_made(struct task *t, bool making)
{
    if (making)
        __atomic_fetch_sub(&t->files->making, 1, __ATOMIC_SEQ_CST);
}

void fd_set_anonymous(struct task *t, int fd)
{
    if (!fd_is_mapped_watch(t, fd))
        set_kind(t, fd, FD_ANONYMOUS);
}

bool fd_is_anonymous(struct task *t, int fd)
{
    return kind_of(t, fd) >= FD_MAPPED_WATCH;
}

void fd_set_mapped_watch(struct task *t, int fd)
{
    set_kind(t, fd, FD_MAPPED_WATCH);
    t->files->has_mapped_watch = 1;
}

bool fd_is_mapped_watch(struct task *t, int fd)
{
    return kind_of(t, fd) == FD_MAPPED_WATCH;
}

void fd_copied(struct task *t, int from, int to)
{
    fd_set_mount(t, to, fd_mount(t, from));
    if (fd_is_mapped_watch(t, from))
        fd_set_mapped_watch(t, to);
}

// A descriptor of the guest's that is a directory's own, not one for the moment.
static bool is_lasting(struct task *t, const struct parent *p)
{
    return !p->temporary && (unsigned)p->fd < FD_KINDS && !fd_is_reserved(t, p->fd);
}

enum records records_known(struct task *t, const struct parent *p)
{
    u32 now = records_changes(t);
    if (p->kept) {
        u64 known = __atomic_load_n(&t->files->dir[p->kept - 1].records, __ATOMIC_RELAXED);
        return known >> 32 == now ? (enum records)(u32)known : RECORDS_UNKNOWN;
    }
    if (t->files->refs > 1 || !is_lasting(t, p))
        return RECORDS_SOME; // what cannot be noted is not asked
    return t->files->records_at == now ? byte_of(t, p->fd) / FD_RECORDS : RECORDS_UNKNOWN;
}

void records_note(struct task *t, const struct parent *p, u32 changes, enum records r)
{
    struct files *f = t->files;
    if (p->kept) {
        __atomic_store_n(&f->dir[p->kept - 1].records, (u64)changes << 32 | r, __ATOMIC_RELAXED);
        return;
    }
    for (int fd = 0; fd < FD_KINDS && f->records_at != changes; fd++)
        f->kind[fd] %= FD_RECORDS;
    f->records_at = changes;
    f->kind[p->fd] = (u8)(f->kind[p->fd] % FD_RECORDS + r * FD_RECORDS);
}

// ---- The reserved block ----
//
// The block begins low, ending at RESERVED_SMALL, and the host's limit right behind it: fork copies
// the table up to the highest number in use, and most processes never have 30 files. Where the host
// says EMFILE, or the guest asks for a higher number, the block goes to RESERVED_LOW, and another
// time away from there for good, and the call is made again (files_call_again).
//
// Then: where RLIMIT_NOFILE is low, the block stands right above the guest's limit, and the host's
// is higher by its size: so every number below the limit is the guest's. The host's limit then ends
// where the block does, which is how that is recognised. Under a high limit the block stands in the
// guest's range, because fork copies the table up to the highest number in use; it moves when the
// guest asks for one of its numbers. There it has the numbers of as many mounts as were there at
// the start, because fork copies and exit closes each of them, and takes those of others when a
// process first uses them; of a low block the host's limit goes up with each. (Right above a limit
// it has all: a hole would be the guest's then.)

static bool numbers_free(int first, int count)
{
    for (int fd = first; fd < first + count; fd++)
        if (host_fcntl(fd, F_GETFD, 0) != -EBADF)
            return false;
    return true;
}

bool fd_is_reserved_of(struct task *t, u32 tgid, int fd)
{
    const struct proc_slot *s = tgid == t->proc->tgid ? NULL : proc_find(t->instance, tgid);
    return s ? (u32)fd - (u32)s->reserved < s->reserved_count : fd_is_reserved(t, fd);
}

u32 fd_count_hidden(struct task *t, u32 tgid)
{
    const struct proc_slot *s = tgid == t->proc->tgid ? NULL : proc_find(t->instance, tgid);
    return s ? s->reserved_count : t->files->reserved_count + t->temps_open;
}

static void tell(const struct files *f, struct proc_slot *s)
{
    s->reserved = f->reserved;
    s->reserved_count = f->reserved_count;
}

// Where the block is, in the records of the processes that have this table.
static void tell_others(struct task *t)
{
    u32 self = t->proc->tgid;
    struct proc_slot *own = proc_own(t);
    if (own)
        tell(t->files, own);
    for (u32 i = 0; t->files->across_processes && i < PROC_SLOTS; i++) {
        struct proc_slot *s = proc_slot_at(t->instance, i);
        u32 tgid = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if ((s32)tgid > 0 && !HOST3(__NR_kcmp, self, tgid, KCMP_FILES))
            tell(t->files, s);
    }
}

// Numbers of the block.
static void close_each(int from, int end)
{
    if (!(host_lacks & LACKS_CLOSE_RANGE))
        HOST3(__NR_close_range, from, end - 1, 0);
    else
        while (from < end)
            host_close(from++);
}

// Takes the numbers as they are free, for other threads make descriptors meanwhile. -EMFILE: one of
// them is not, or beyond the limit; the block stays.
static long move_block(struct task *t, int to, u32 count)
{
    struct files *f = t->files;
    int from = f->reserved;
    u32 old = f->reserved_count;
    for (int i = 0; i < (int)count; i++) {
        long r = host_fcntl(from + (i < (int)old ? i : RESERVED_LXCORE), F_DUPFD, to + i);
        if (r == to + i)
            continue;
        if (r >= 0)
            host_close((int)r);
        if (i)
            close_each(to, to + i);
        return -EMFILE;
    }
    f->reserved = to;
    f->reserved_count = count;
    close_each(from, from + (int)old);
    tell_others(t);
    return 0;
}

static long host_limit(const struct rlimit64 *new, struct rlimit64 *old)
{
    return HOST4(__NR_prlimit64, 0, RLIMIT_NOFILE, new, old);
}

static bool raise_limit(int limit)
{
    struct rlimit64 l;
    if (host_limit(NULL, &l) < 0)
        return false;
    u64 was = l.rlim_cur;
    l.rlim_cur = MAX(was, (u64)limit);
    return was == l.rlim_cur || host_limit(&l, NULL) >= 0;
}

// The numbers behind the block are the guest's until they are taken: each only if it is free.
static bool extend_block(struct task *t, u32 count)
{
    struct files *f = t->files;
    for (u32 i = f->reserved_count; i < count; i++) {
        int number = f->reserved + (int)i;
        if (f->low && !raise_limit(number + 1))
            return false;
        long r = host_fcntl(reserved_fd(t, RESERVED_LXCORE), F_DUPFD, number);
        if (r >= 0 && r != number)
            host_close((int)r);
        if (r != number && i >= __atomic_load_n(&f->reserved_count, __ATOMIC_ACQUIRE))
            return false; // and not by another thread that does the same
    }
    u32 seen = f->reserved_count;
    while (seen < count && !__atomic_compare_exchange_n(&f->reserved_count, &seen, count, false,
                                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    tell_others(t);
    return true;
}

bool files_reserve_mount(struct task *t, int m)
{
    u32 count = RESERVED_MOUNT + (u32)m + 1;
    return count <= t->files->reserved_count || extend_block(t, count);
}

static bool ends_at_block(struct task *t, u64 limit)
{
    return limit == (u64)t->files->reserved + RESERVED_COUNT;
}

void files_limit_to_guest(struct task *t, u32 tgid, struct rlimit64 *l)
{
    const struct files *f = t->files;
    const struct proc_slot *s = tgid == t->proc->tgid ? NULL : proc_find(t->instance, tgid);
    u64 reserved = (u64)(s ? s->reserved : f->reserved), end = reserved + RESERVED_COUNT;
    u64 low_end = reserved + (s ? s->reserved_count : f->reserved_count);
    // Another's low block never has all its numbers, as far as can be seen.
    bool low = s ? t->instance->files_limit && reserved <= RESERVED_LOW && low_end != end : f->low;
    if (low && l->rlim_cur == low_end)
        l->rlim_cur = t->instance->files_limit;
    else if (l->rlim_cur == end)
        l->rlim_cur = reserved;
    if (l->rlim_max == end)
        l->rlim_max = reserved;
}

static void own_limit_to_guest(struct task *t, struct rlimit64 *l)
{
    files_limit_to_guest(t, t->proc->tgid, l);
}

// Puts the block at `first`, with `count` numbers. False: it stays where it is.
static bool put_block(struct task *t, u64 first, u32 count)
{
    struct rlimit64 host;
    u64 end = first + RESERVED_COUNT;
    bool there = (u64)t->files->reserved == first;
    if (host_limit(NULL, &host) < 0 || host.rlim_max < end ||
        (!there && !numbers_free((int)first, RESERVED_COUNT)))
        return false;
    if (host.rlim_cur < end) {
        host.rlim_cur = end;
        if (host_limit(&host, NULL) < 0)
            return false;
    }
    return there ? extend_block(t, count) : move_block(t, (int)first, count) >= 0;
}

// Exclusive.
static long set_limit(struct task *t, struct rlimit64 host)
{
    const u64 elsewhere = RESERVED_BELOW - RESERVED_COUNT;
    struct files *f = t->files;
    struct rlimit64 old;
    if (host.rlim_cur > host.rlim_max)
        return -EINVAL;
    // What can fail comes before anything is moved.
    long r = host_limit(NULL, &old);
    if (r >= 0 && host.rlim_max > old.rlim_max) {
        old.rlim_max = host.rlim_max;
        r = host_limit(&old, NULL);
    }
    if (r < 0)
        return r;
    // Numbers of files that stay open above a lowered limit may be in the way: then the host's
    // limit is the guest's, and the block is out of reach for anything new.
    if (host.rlim_cur > RESERVED_BELOW) {
        put_block(t, elsewhere, f->reserved_count);
    } else {
        // Nor may its own numbers be in the way.
        if (host.rlim_cur + RESERVED_COUNT > (u64)f->reserved &&
            host.rlim_cur < (u64)f->reserved + RESERVED_COUNT && (u64)f->reserved != elsewhere)
            put_block(t, elsewhere, f->reserved_count);
        if (put_block(t, host.rlim_cur, RESERVED_COUNT)) {
            host.rlim_cur += RESERVED_COUNT;
            host.rlim_max = MAX(host.rlim_max, host.rlim_cur);
        }
    }
    r = host_limit(&host, NULL);
    if (r >= 0) // now, for other threads look (files_call_again)
        f->low = 0;
    return r;
}

long files_set_limit(struct task *t, const struct rlimit64 *new)
{
    files_exclusive_begin(t);
    long r = set_limit(t, *new);
    files_exclusive_end(t);
    return r;
}

// To the next low place, if that is one where `wanted` numbers lie below the block. Not where
// another process has set the limit meanwhile. Exclusive.
static bool go_up(struct task *t, u64 guest_limit, struct rlimit64 host, u64 wanted)
{
    u32 count = t->files->reserved_count;
    if (t->files->reserved >= RESERVED_LOW || wanted > RESERVED_LOW ||
        guest_limit != t->instance->files_limit || !numbers_free(RESERVED_LOW, (int)count))
        return false;
    host.rlim_cur = RESERVED_LOW + count;
    return host_limit(&host, NULL) >= 0 && move_block(t, RESERVED_LOW, count) >= 0;
}

// Exclusive.
static void leave_low(struct task *t, u64 wanted)
{
    struct rlimit64 host, l;
    if (!t->files->low || host_limit(NULL, &host) < 0)
        return;
    l = host;
    own_limit_to_guest(t, &l);
    if (go_up(t, l.rlim_cur, host, wanted))
        return;
    l.rlim_cur = MIN(l.rlim_cur, l.rlim_max);
    set_limit(t, l);
}

bool files_low_room(struct task *t)
{
    struct rlimit64 l;
    if (!t->files->low || host_limit(NULL, &l) < 0)
        return false;
    own_limit_to_guest(t, &l);
    l.rlim_cur = MIN(l.rlim_cur, l.rlim_max);
    t->low_over = 1;
    return host_limit(&l, NULL) >= 0;
}

static void leave_for(struct task *t, u64 wanted)
{
    t->low_over = 0;
    if (!t->files->low)
        return;
    files_exclusive_begin(t);
    leave_low(t, wanted);
    files_exclusive_end(t);
}

void files_leave_low(struct task *t)
{
    leave_for(t, ~0UL);
}

void files_go_up(struct task *t)
{
    leave_for(t, 0);
}

bool files_call_again(struct task *t)
{
    int was = t->files->reserved;
    if (t->files->low) {
        files_go_up(t);
        return !t->files->low || t->files->reserved != was;
    }
    if (!t->instance->files_limit || t->saw_low_left)
        return false;
    t->saw_low_left = 1; // once: it may have been another thread that left it
    return true;
}

bool files_beyond_limit(struct task *t, u64 count)
{
    struct rlimit64 l;
    if (count <= (u64)t->files->reserved) // the guest's limit is not lower
        return false;
    leave_for(t, count);
    if (host_limit(NULL, &l) < 0)
        return false;
    own_limit_to_guest(t, &l);
    return count > l.rlim_cur;
}

long files_make_room(struct task *t, int fd)
{
    struct rlimit64 host;
    if (fd >= t->files->reserved)
        leave_low(t, (u64)fd + 1);
    int from = t->files->reserved;
    if ((u32)fd - (u32)from >= RESERVED_COUNT) // with those that it may come to have
        return 0;
    if (host_limit(NULL, &host) >= 0 && ends_at_block(t, host.rlim_cur))
        return -EBADF; // not below the guest's limit
    for (int at = from - RESERVED_COUNT; at > 2; at -= RESERVED_COUNT / 2)
        if (numbers_free(at, RESERVED_COUNT) && !move_block(t, at, t->files->reserved_count))
            return 0;
    for (int at = from + RESERVED_COUNT; at < 65536; at += RESERVED_COUNT / 2)
        if (numbers_free(at, RESERVED_COUNT) && !move_block(t, at, t->files->reserved_count))
            return 0;
    return -EMFILE;
}
