// SPDX-License-Identifier: MIT
// What the attributes of inodes say, remembered for all processes of the instance: a stat then
// costs one host call, as it does natively.
//
// An answer belongs to a state of the inode: device, number and ctime, which every change of an
// extended attribute moves, whoever makes it. So nothing is ever invalidated; an inode that changed
// is looked up under its new ctime. (Where the instance itself makes the change, the entry goes all
// the same: tmpfs of some kernels leaves the ctime then.) That holds as long as no change leaves
// the ctime as it is, which a clock of ticks allows within one tick (Linux before 6.13, and some
// file systems after): an answer is kept only if it was asked for at least two ticks after the
// ctime. Where a file system gives each change that comes after a look a ctime of its own (Linux
// 6.13: multigrain timestamps), as lxrun finds out at the start (cli/attrs.c), it is kept at once:
// a file that is being written all the time would else never be known. The last change that a file
// must have before its number is given to another, the loss of its name, is such a one too; what
// is seen after it may have the ctime that the next one begins with. So that goes for files with a
// link whose name was watched (fs/names.c), not for directories.
//
// By name the inode and its attribute are looked up one after the other, and the name could have
// been another inode's in between. But who takes a name from an inode, or gives it one, moves its
// ctime too: then the answer stands under a ctime that no inode has any more.
//
// The table is a file where lxrun can have one (cli/attrs.c), and knows the trees of earlier
// instances.
//
// Entries are written without a lock, by several processes at once; what was torn has a wrong sum.
#include <linux/mman.h>
#include <linux/time.h>

#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "vdso.h"

#define TWO_TICKS 20000000 // ns, of the slowest clock (CONFIG_HZ=100)
// How much later than its ctime an inode can have changed, ns, where a file system keeps no part of
// a second (ext4 with inodes of 128 bytes) or of two (FAT).
#define WHOLE_SECONDS 2000000000

#define HAS_ATTR (1UL << 32)
#define WITNESSED (1UL << 33)
#define HAS_ACL (1UL << 35)
#define HAS_CAPS (1UL << 36)
#define PUT_SHIFT 40 // and in which second it was put here
#define PUT_MASK 0xffffffUL

static u64 sum(const struct attr_known *e)
{
    u64 h = e->ino;
    h = (h ^ e->dev) * 0x9e3779b97f4a7c15u;
    h = (h ^ e->ctime ^ h >> 32) * 0xff51afd7ed558ccdu;
    h = (h ^ e->owner ^ h >> 32) * 0x9e3779b97f4a7c15u;
    h = (h ^ e->mode ^ h >> 32) * 0xff51afd7ed558ccdu;
    return h | 1; // never that of an entry of zeros
}

static u64 change_time(const struct statx *st)
{
    return (u64)st->stx_ctime.tv_sec * 1000000000 + st->stx_ctime.tv_nsec;
}

// Each for one address space, like the mapping.
static u32 is_mapped, reads;

// Most processes ask for a few inodes or none: those are read. To map the file costs as much as
// several of that, and the kernel maps 64 KiB of it at a fault. Without the file there is memory in
// its place, which knows less.
#define READS 8
static void map_file(struct task *t)
{
    if (t->instance->keeps_attrs)
        host_mmap((uptr)t->instance->attrs, ATTRS_SIZE, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_FIXED, reserved_fd(t, RESERVED_ATTRS), 0);
    __atomic_store_n(&is_mapped, 1, __ATOMIC_RELAXED);
}

// An entry lies in one of PLACES places. Neighbours in a directory mostly have neighbouring
// numbers: few pages are touched. Above that ext4 gives directories numbers that are the same but
// for a multiple of 8,192, so blocks of neighbours are spread, and two that meet do not push each
// other out.
#define PLACES 2
#define NEIGHBOURS 64
static u32 place_of(const struct statx *st)
{
    u64 block = (st->stx_ino / NEIGHBOURS + ((u64)st->stx_dev_minor << 32)) * 0x9e3779b97f4a7c15u;
    u32 blocks = ATTRS_KNOWN / (PLACES * NEIGHBOURS);
    return ((u32)(block >> 40) % blocks * NEIGHBOURS + st->stx_ino % NEIGHBOURS) * PLACES;
}

static struct attr_known *places(struct task *t, const struct statx *st)
{
    if (!__atomic_load_n(&is_mapped, __ATOMIC_RELAXED))
        map_file(t);
    return &t->instance->attrs[place_of(st)];
}

static bool is_of(const struct attr_known *e, const struct statx *st)
{
    return e->ino == st->stx_ino && e->ctime == change_time(st) && e->dev == device_of(st) &&
           e->sum == sum(e);
}

static bool look_up(struct task *t, const struct statx *st, struct attr_known *e)
{
    struct attr_known read[PLACES];
    const struct attr_known *at = read;
    if (!t->instance->keeps_attrs || __atomic_load_n(&is_mapped, __ATOMIC_RELAXED) ||
        __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED) >= READS ||
        host_pread(reserved_fd(t, RESERVED_ATTRS), read, sizeof read,
                   place_of(st) * (long)sizeof *read) != (long)sizeof read)
        at = places(t, st);
    for (int i = 0; i < PLACES; i++) {
        if (at[i].ino != st->stx_ino)
            continue;
        *e = at[i]; // another process may be writing
        if (is_of(e, st))
            return true;
    }
    return false;
}

bool attrcache_get(struct task *t, const struct statx *st, bool *has_attr, struct attr *a)
{
    struct attr_known e;
    if (!look_up(t, st, &e))
        return false;
    *has_attr = e.mode & HAS_ATTR;
    *a = (struct attr){.uid = (u32)e.owner,
                       .gid = (u32)(e.owner >> 32),
                       .mode = e.mode & MODE_BITS,
                       .type = (u32)(e.mode >> 16) & S_IFMT,
                       .witnessed = (e.mode & WITNESSED) != 0,
                       .has_acl = (e.mode & HAS_ACL) != 0,
                       .has_caps = (e.mode & HAS_CAPS) != 0};
    return true;
}

// Coarse; 0: not to be had.
static u64 now(void)
{
    struct __kernel_timespec ts;
    if (vdso_call(VDSO_CLOCK_GETTIME, CLOCK_REALTIME_COARSE, (long)&ts, 0) &&
        HOST2(__NR_clock_gettime, CLOCK_REALTIME_COARSE, &ts))
        return 0;
    return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

bool attr_changed_within(const struct statx *st, u64 ns)
{
    u64 cut = st->stx_ctime.tv_nsec ? 0 : WHOLE_SECONDS;
    return now() <= change_time(st) + cut + ns;
}

bool attrcache_may_put(struct task *t, const struct statx *st, bool watched)
{
    bool fine = watched && device_of(st) == t->instance->fine_ctime_dev && st->stx_nlink &&
                (st->stx_mode & S_IFMT) == S_IFREG;
    // A store's attributes are changed before the ctime is.
    return (fine || !attr_changed_within(st, TWO_TICKS)) && !attrstore_is_used();
}

// Of those in the way of a new one the oldest goes.
static u64 age(const struct attr_known *e, u64 second)
{
    return (second - (e->mode >> PUT_SHIFT)) & PUT_MASK;
}

void attrcache_put(struct task *t, const struct statx *st, bool has_attr, const struct attr *a)
{
    struct attr_known e = {.ino = st->stx_ino, .dev = device_of(st), .ctime = change_time(st)};
    if (has_attr) {
        if (a->has_names)
            return;
        e.owner = (u64)a->gid << 32 | a->uid;
        e.mode = a->mode | (u64)a->type << 16 | HAS_ATTR | (a->witnessed ? WITNESSED : 0) |
                 (a->has_acl ? HAS_ACL : 0) | (a->has_caps ? HAS_CAPS : 0);
    }
    u64 second = now() / 1000000000;
    e.mode |= second << PUT_SHIFT;
    e.sum = sum(&e);
    struct attr_known *set = places(t, st), *to = set;
    for (int i = 0; i < PLACES; i++) {
        if (set[i].ino == e.ino && set[i].dev == e.dev) {
            to = &set[i];
            break;
        }
        if (age(&set[i], second) > age(to, second))
            to = &set[i];
    }
    *to = e;
}

void attrcache_forget(struct task *t, const struct statx *st)
{
    struct attr_known *set = places(t, st);
    for (int i = 0; i < PLACES; i++)
        if (set[i].ino == st->stx_ino)
            __atomic_store_n(&set[i].sum, 0, __ATOMIC_RELAXED);
}
