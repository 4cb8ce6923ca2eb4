// SPDX-License-Identifier: MIT
// Maps rewritten text from the cache (include/rewrite.h), and takes it back where the guest is
// about to write to it, move it or map over it.
//
// Nothing depends on it: what is not rewritten is caught by the engine. So every doubt ends with
// the file's own text, and with the engine armed. A file is known by device, inode, size and times;
// an entry's content is checked once in an instance, and a file without an entry is asked for once.
#include "rewritten.h"

#include <linux/mman.h>
#include <linux/socket.h>

#include "fs.h"
#include "host.h"
#include "memory.h"
#include "uaccess.h"

#define LOWEST_SLOT 0x10000 // vm.mmap_min_addr

enum rewrite_known {
    KNOWN_NOT,
    KNOWN_ASKED,
    KNOWN_GOOD,
    KNOWN_BAD,
    KNOWN_EMPTY, // nothing is rewritten, and it is not clean
    KNOWN_CLEAN, // of pages: they are clean as they are, and nothing is to be mapped
    KNOWN_BITS = 7
};

struct file_id {
    char name[REWRITE_INDEX_SIZE];
    u64 hash, size;
};

// False: not a file that the cache would have.
static bool identify(int fd, struct file_id *id)
{
    struct statx st;
    if (host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0 || !st.stx_nlink ||
        (st.stx_mode & S_IFMT) != S_IFREG)
        return false;
    fmt(id->name, sizeof id->name, REWRITE_INDEX, device_of(&st), (u64)st.stx_ino, (u64)st.stx_size,
        (u64)st.stx_mtime.tv_sec, (u64)st.stx_mtime.tv_nsec, (u64)st.stx_ctime.tv_sec,
        (u64)st.stx_ctime.tv_nsec);
    id->size = st.stx_size;
    id->hash = 0xcbf29ce484222325UL; // FNV-1a
    for (const char *p = id->name; *p; p++)
        id->hash = (id->hash ^ (u8)*p) * 0x100000001b3UL;
    id->hash &= ~(u64)KNOWN_BITS;
    return true;
}

// Under what some pages of the file are known.
static u64 hash_of_pages(const struct file_id *id, u64 offset, size_t len)
{
    u64 h = (id->hash ^ offset) * 0x9e3779b97f4a7c15u;
    return ((h ^ h >> 32 ^ len) * 0xff51afd7ed558ccdu) & ~(u64)KNOWN_BITS;
}

static u64 *known_slot(struct task *t, u64 hash)
{
    return &t->instance->rewrites[(hash >> 20) % REWRITES];
}

static enum rewrite_known known(struct task *t, u64 hash)
{
    u64 v = __atomic_load_n(known_slot(t, hash), __ATOMIC_RELAXED);
    return (v & ~(u64)KNOWN_BITS) == hash ? v & KNOWN_BITS : KNOWN_NOT;
}

static void learn(struct task *t, u64 hash, enum rewrite_known what)
{
    __atomic_store_n(known_slot(t, hash), hash | what, __ATOMIC_RELAXED);
}

// Sends the file to lxrun, which rewrites it for the next time. When nobody has room, not now.
static void ask(struct task *t, int fd)
{
    char byte = REWRITE_WANTED;
    struct {
        struct kernel_cmsg {
            u64 len;
            s32 level, type;
            s32 fd;
        } c;
        u32 pad;
    } control = {.c = {20, 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, fd}};
    struct {
        void *base;
        u64 len;
    } iov = {&byte, 1};
    struct {
        void *name;
        u64 name_len;
        void *iov;
        u64 iov_len;
        void *control;
        u64 control_len;
        u64 flags;
    } m = {NULL, 0, &iov, 1, &control, sizeof control, 0};
    HOST3(__NR_sendmsg, reserved_fd(t, RESERVED_REWRITE), &m, 0x4040 /* DONTWAIT, NOSIGNAL */);
}

// Is the entry whole, that of the file, and made by the instance's own user? Asked once in an
// instance: later nobody looks, so that a start costs little.
static bool is_good(const struct task *t, int cache, const struct rewrite_entry *e, int fd,
                    u64 size)
{
    u8 start[REWRITE_START] = {0};
    if (host_pread(fd, start, sizeof start, 0) < 0 || !rewrite_is_of(e, size, start))
        return false;
    struct statx st;
    if (host_statx(cache, "", AT_EMPTY_PATH, STATX_SIZE | STATX_UID, &st) < 0 ||
        st.stx_size != e->size || st.stx_uid != t->instance->host_uid)
        return false;
    long at = host_mmap(0, e->size, PROT_READ, MAP_PRIVATE, cache, 0);
    if (at < 0)
        return false;
    bool good = rewrite_sum(e, (const char *)at + REWRITE_SLOTS_AT) == e->checksum;
    host_munmap((uptr)at, e->size);
    return good;
}

// Opens the entry of file fd, a temporary descriptor, and reads its head. -1: there is none.
static int open_entry(struct task *t, int fd, const struct file_id *id, struct rewrite_entry *e)
{
    enum rewrite_known what = known(t, id->hash);
    if (what == KNOWN_BAD || what == KNOWN_EMPTY)
        return -1;
    long cache = temp_open(t, reserved_fd(t, RESERVED_CACHE), id->name, O_RDONLY, 0);
    if (cache < 0) {
        if (cache == -ENOENT && what != KNOWN_ASKED) {
            learn(t, id->hash, KNOWN_ASKED);
            ask(t, fd);
        }
        return -1;
    }
    if (host_pread((int)cache, e, sizeof *e, 0) == (long)sizeof *e && rewrite_fits(e)) {
        if (what != KNOWN_GOOD && is_good(t, (int)cache, e, fd, id->size)) {
            learn(t, id->hash, KNOWN_GOOD);
            what = KNOWN_GOOD;
        }
        if (what == KNOWN_GOOD && !e->segments && !e->cleans) {
            learn(t, id->hash, KNOWN_EMPTY);
            temp_close(t, (int)cache);
            return -1;
        }
        if (what == KNOWN_GOOD)
            return (int)cache;
    }
    learn(t, id->hash, KNOWN_BAD);
    ask(t, fd); // for another, for the instances to come
    temp_close(t, (int)cache);
    return -1;
}

// The image with slots at `slots`, made if it is not there. Lock held.
static struct image *image_of(int cache, const struct rewrite_entry *e, const struct file_id *id,
                              uptr slots)
{
    u32 n;
    struct image *m = memory_images(&n);
    for (; n--; m++)
        if (m->state != IMAGE_FREE && m->slots == slots)
            return m->state == IMAGE_LIVE && m->checksum == e->checksum &&
                           !strcmp(m->name, id->name)
                       ? m
                       : NULL;
    m = memory_image_new();
    if (!m || slots < LOWEST_SLOT || memory_hits_lxcore(slots, e->slots_size))
        return NULL;
    m->segments = 0;
    m->slots = slots;
    m->slots_end = slots + e->slots_size;
    m->checksum = e->checksum;
    str_copy(m->name, id->name, sizeof m->name);
    long r = host_mmap(slots, e->slots_size, PROT_READ | PROT_EXEC,
                       MAP_PRIVATE | MAP_FIXED_NOREPLACE, cache, (long)REWRITE_SLOTS_AT);
    if (r != (long)slots) {
        if (r > 0) // before Linux 4.17 the flag is only a hint
            host_munmap((uptr)r, e->slots_size);
        return NULL;
    }
    memory_image_span(m->slots, m->slots_end);
    __atomic_store_n(&m->state, IMAGE_LIVE, __ATOMIC_RELEASE);
    return m;
}

// A mapping of the file that the program has just made.
struct mapping {
    uptr at;
    size_t len;
    int prot;
    u64 offset;
};

// Takes PROT_EXEC from the guards of a segment in [from, to), which is mapped with a bias; only
// from those that a fault would find. Where all is armed anyway there is no need.
static bool add_guards(const struct image *m, const struct rewrite_entry *e, uptr bias, uptr from,
                       uptr to, int prot)
{
    for (u32 i = 0; i < e->guards && memory_is_clean(); i++) {
        uptr at = MAX(bias + e->guard[i].vaddr, from);
        uptr end = MIN(bias + e->guard[i].vaddr + e->guard[i].size, to);
        if (at < end && (!memory_add_guard(m, at, end) ||
                         (prot & PROT_EXEC && host_mprotect(at, end - at, prot & ~PROT_EXEC))))
            return false;
    }
    return true;
}

// Maps what the entry has of segment s over it. False: the file's own text stays.
static bool overlay_segment(int cache, const struct rewrite_entry *e, const struct file_id *id,
                            const struct rewrite_segment *s, const struct mapping *own)
{
    u64 from = MAX(own->offset, s->file_offset);
    u64 end = MIN(own->offset + ALIGN_UP(own->len, LX_PAGE), s->file_offset + s->size);
    if (from >= end)
        return true;
    uptr bias = own->at - own->offset + s->file_offset - s->vaddr;
    struct image *m = image_of(cache, e, id, bias + e->image_lo - e->slots_size);
    if (!m || m->segments == REWRITE_SEGMENTS)
        return false;
    uptr to = own->at + (from - own->offset);
    long skip = (long)(from - s->file_offset);
    m->text[m->segments].at = to;
    m->text[m->segments].end = to + (end - from);
    m->text[m->segments].original_at = s->original_at + (u64)skip;
    memory_image_span(to, to + (end - from));
    long r = host_mmap(to, end - from, own->prot, MAP_PRIVATE | MAP_FIXED, cache,
                       (long)s->text_at + skip);
    m->segments += r >= 0;
    return r >= 0 && add_guards(m, e, bias, to, to + (end - from), own->prot);
}

// Does the entry say that those pages of the file are clean?
static bool says_clean(const struct rewrite_entry *e, u64 offset, size_t len)
{
    for (u32 i = 0; i < e->cleans; i++)
        if (offset >= e->clean[i].file_offset &&
            offset + ALIGN_UP(len, LX_PAGE) - e->clean[i].file_offset <= e->clean[i].size)
            return true;
    return false;
}

bool rewritten_overlay(struct task *t, int fd, uptr addr, size_t len, int prot, bool later,
                       u64 offset)
{
    struct rewrite_entry e;
    struct file_id id;
    if (!(prot & PROT_EXEC) || !len)
        return true;
    if (!t->instance->has_cache || (prot & PROT_WRITE) || memory_keeps_text())
        return false;
    if (!identify(fd, &id))
        return false;
    const u64 pages = hash_of_pages(&id, offset, len);
    if (known(t, pages) == KNOWN_CLEAN) {
        lock_take(memory_images_lock());
        bool added = memory_add_clean(addr, addr + ALIGN_UP(len, LX_PAGE));
        lock_drop(memory_images_lock());
        return added;
    }
    int cache = open_entry(t, fd, &id, &e);
    if (cache < 0)
        return false;
    bool clean = says_clean(&e, offset, len);
    if (clean && !e.segments)
        learn(t, pages, KNOWN_CLEAN);
    lock_take(memory_images_lock());
    const struct mapping own = {addr, len, later ? prot & ~PROT_EXEC : prot, offset};
    // Again: another thread may have had all taken back in between (rewritten_take_back).
    clean = clean && !memory_keeps_text();
    for (u32 i = 0; i < e.segments && !memory_keeps_text(); i++)
        clean &= overlay_segment(cache, &e, &id, &e.segment[i], &own);
    clean = clean && memory_add_clean(addr, addr + ALIGN_UP(len, LX_PAGE));
    lock_drop(memory_images_lock());
    temp_close(t, cache);
    return clean;
}

// ---- Taking it back ----

static bool covers_text(const struct image *m, uptr from, uptr to)
{
    for (u32 i = 0; i < m->segments; i++)
        if (m->text[i].at < from || m->text[i].end > to)
            return false;
    return true;
}

static bool touches(const struct image *m, uptr from, uptr to)
{
    if (m->slots < to && m->slots_end > from)
        return true;
    for (u32 i = 0; i < m->segments; i++)
        if (m->text[i].at < to && m->text[i].end > from)
            return true;
    return false;
}

// Puts back what the slots say that was in [at, end) of the text; `to` is a copy of it. The jumps
// in the padding stay: what was there is known no more, and it never ran.
static void undo(const struct image *m, uptr at, uptr end, u8 *to)
{
    for (uptr slot = m->slots; memory_next_slot(&slot);) {
        u8 window[REWRITE_SLOT];
        uptr site;
        u32 n = memory_slot_original(slot, &site, window);
        for (u32 i = 0; i < n; i++)
            if (site - n + i >= at && site - n + i < end)
                to[site - n + i - at] = window[i];
        if (site >= at && site < end)
            to[site - at] = 0x0f;
    }
}

// The program's own text without the cache, in memory of its own.
static long map_undone(const struct image *m, uptr at, uptr end)
{
    size_t len = end - at;
    long copy = host_mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy < 0)
        return copy;
    long r = host_mprotect(at, len, PROT_READ | PROT_EXEC);
    if (!r)
        r = copy_from_guest((void *)copy, at, len);
    if (!r) {
        undo(m, at, end, (u8 *)copy);
        r = host_mprotect((uptr)copy, len, PROT_READ | PROT_EXEC);
    }
    if (!r)
        r = HOST5(__NR_mremap, copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, at);
    if (r < 0)
        host_munmap((uptr)copy, len);
    return r;
}

// Maps the file's own pages again, which the entry has too; it may be gone by now, or another one.
static long make_plain(struct task *t, struct image *m)
{
    struct rewrite_entry e;
    if (m->state != IMAGE_LIVE)
        return 0;
    task_need_engine(t);
    long cache = temp_open(t, reserved_fd(t, RESERVED_CACHE), m->name, O_RDONLY, 0);
    bool same = cache >= 0 && host_pread((int)cache, &e, sizeof e, 0) == (long)sizeof e &&
                rewrite_fits(&e) && e.checksum == m->checksum;
    long r = 0;
    for (u32 i = 0; i < m->segments && r >= 0; i++) {
        uptr at = m->text[i].at, end = m->text[i].end;
        r = same ? host_mmap(at, end - at, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                             (int)cache, (long)m->text[i].original_at)
                 : map_undone(m, at, end);
    }
    if (cache >= 0)
        temp_close(t, (int)cache);
    if (r < 0)
        return -ENOMEM;
    // The slots stay: a thread may be in one.
    m->state = IMAGE_PLAIN;
    return 0;
}

static long change(struct task *t, struct image *m, uptr from, uptr to, enum rewritten_change what)
{
    bool all = covers_text(m, from, to), slots = m->slots < to && m->slots_end > from;
    long r = all && what == CHANGE_UNMAP && !slots ? 0 : make_plain(t, m);
    if (r < 0 || what == CHANGE_WRITE || !(all || slots))
        return r;
    // Nobody comes there any more, or the guest takes the place.
    m->state = IMAGE_FREE;
    memory_forget_guards(m);
    if (!slots)
        host_munmap(m->slots, m->slots_end - m->slots);
    return 0;
}

long rewritten_take_back(struct task *t)
{
    u32 n;
    long r = 0;
    lock_take(memory_images_lock());
    struct image *m = memory_images(&n);
    for (; n-- && r >= 0; m++)
        r = make_plain(t, m);
    memory_keep_text();
    lock_drop(memory_images_lock());
    task_need_engine(t);
    return r;
}

long rewritten_change(struct task *t, uptr addr, size_t len, enum rewritten_change what)
{
    uptr to = addr + ALIGN_UP(len, LX_PAGE);
    if (to <= addr || (addr & (LX_PAGE - 1)) || !memory_near_images(addr, to))
        return 0;
    u32 n;
    long r = 0;
    lock_take(memory_images_lock());
    struct image *m = memory_images(&n);
    for (; n-- && r >= 0; m++)
        if (m->state != IMAGE_FREE && touches(m, addr, to))
            r = change(t, m, addr, to, what);
    lock_drop(memory_images_lock());
    return r;
}
