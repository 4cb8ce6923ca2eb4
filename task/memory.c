// SPDX-License-Identifier: MIT
// See include/memory.h.
#include <linux/mman.h>

#include "host.h"
#include "memory.h"
#include "uaccess.h"

bool memory_hits_lxcore(uptr addr, size_t len)
{
    uptr end = addr + (len ? len : 1);
    return end > addr && addr < LX_END && end > LX_BASE;
}

// Only a guest that has used up the terabyte above gets here.
uptr memory_place_below(size_t len)
{
    uptr at = LX_BASE - ALIGN_UP(len, LX_PAGE);
    for (int tries = 0; tries < 64 && len < LX_BASE && at > LX_PAGE; tries++) {
        long r = host_mmap(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (r < 0)
            return 0;
        if (!memory_hits_lxcore((uptr)r, len))
            return (uptr)r;
        host_munmap((uptr)r, len);
        at -= at / 64 & ~(LX_PAGE - 1);
    }
    return 0;
}

long memory_map(uptr addr, size_t len, int prot, int flags, int fd, long offset)
{
    if (memory_hits_lxcore(addr, len)) {
        if ((flags & MAP_FIXED_NOREPLACE) && len)
            return -EEXIST;
        if ((flags & MAP_FIXED) && len)
            return -ENOMEM;
        addr = 0; // a hint that cannot be followed
    }
    long r = host_mmap(addr, len, prot, flags, fd, offset);
    if (r < 0 || !memory_hits_lxcore((uptr)r, len))
        return r;
    host_munmap((uptr)r, len);
    uptr at = memory_place_below(len);
    return at ? host_mmap(at, len, prot, flags | MAP_FIXED, fd, offset) : -ENOMEM;
}

// ---- Images with rewritten text ----

#define GUARD_TRIES 16

// One table for each address space, also when a vfork child maps something in its parent's. Big, so
// it lies behind what every process writes to (loader/lxcore.ld); its beginning and the first two
// images are in the last page of that.
static __attribute__((section(".bss.first_images"))) struct {
    struct lock lock;
    u32 used;
    uptr from, to; // all images lie in between
    u32 unclean;   // not all code is clean
    u32 own_text;  // see memory_keep_text()
    u32 cleans;
    struct {
        uptr from, to;
    } clean[CLEANS_MAX];
    struct image image[IMAGES_MAX];
    u32 guards;
    struct guard {
        uptr from, to;          // `to` 0: free
        const struct image *of; // stays when the entry is free: others may look at it meanwhile
        u32 tries;
    } guard[GUARDS_MAX];
} images;

struct image *memory_images(u32 *n)
{
    *n = __atomic_load_n(&images.used, __ATOMIC_ACQUIRE);
    return images.image;
}

struct lock *memory_images_lock(void)
{
    return &images.lock;
}

struct image *memory_image_new(void)
{
    for (u32 i = 0; i < images.used; i++)
        if (images.image[i].state == IMAGE_FREE)
            return &images.image[i];
    if (images.used == IMAGES_MAX)
        return NULL;
    struct image *m = &images.image[images.used];
    __atomic_store_n(&images.used, images.used + 1, __ATOMIC_RELEASE);
    return m;
}

bool memory_in_slots(uptr pc)
{
    u32 n;
    const struct image *m = memory_images(&n);
    if (pc < images.from || pc >= images.to)
        return false;
    for (; n--; m++)
        if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != IMAGE_FREE && pc >= m->slots &&
            pc < m->slots_end)
            return true;
    return false;
}

// The length of the window of a slot, and where it ended: at the `syscall`.
static u32 window_of_slot(uptr slot, uptr *end)
{
    const u8 *p = (const u8 *)slot;
    u32 n = p[REWRITE_SLOT - 1];
    s32 back;
    memcpy(&back, p + n + REWRITE_LEA - sizeof back, sizeof back);
    *end = slot + n + REWRITE_LEA + (uptr)(s64)back - 2;
    return n;
}

// Of bytes in one page those that run first come last, in one store.
static bool put(uptr at, const u8 *p, u32 n)
{
    const u32 first = MIN(n, (u32)sizeof(u64));
    return !copy_to_guest(at + first, p + first, n - first) && !copy_to_guest(at, p, first);
}

// The same where the page may only run and be read.
static bool put_code(uptr at, const u8 *p, u32 n)
{
    uptr page = ALIGN_DOWN(at, (uptr)LX_PAGE);
    if (put(at, p, n))
        return true;
    if (host_mprotect(page, LX_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
        return false;
    bool done = put(at, p, n);
    host_mprotect(page, LX_PAGE, PROT_READ | PROT_EXEC);
    return done;
}

bool memory_is_site(uptr pc)
{
    u32 n;
    const struct image *m = memory_images(&n);
    if (!memory_near_images(pc, pc + 2))
        return false;
    for (; n--; m++) {
        if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != IMAGE_LIVE)
            continue;
        uptr end;
        bool here = false;
        for (u32 i = 0; i < m->segments; i++)
            here |= pc - m->text[i].at < m->text[i].end - m->text[i].at;
        for (uptr slot = m->slots; here && memory_next_slot(&slot);)
            if (window_of_slot(slot, &end), end == pc)
                return true;
    }
    return false;
}

bool memory_put_back_site(uptr pc)
{
    return put_code(pc, &(u8){0x0f}, 1);
}

bool memory_next_slot(uptr *slot)
{
    const u8 *p = (const u8 *)(*slot += REWRITE_SLOT);
    return p[0] || p[REWRITE_SLOT - 1];
}

u32 memory_slot_original(uptr slot, uptr *end, u8 window[REWRITE_SLOT])
{
    const u8 *p = (const u8 *)slot;
    u32 n = window_of_slot(slot, end), relative = p[REWRITE_SLOT - 2];
    memcpy(window, p, n);
    if (relative + sizeof(s32) <= n) {
        s32 distance;
        memcpy(&distance, p + relative, sizeof distance);
        distance -= (s32)(*end - n - slot);
        memcpy(window + relative, &distance, sizeof distance);
    }
    return n;
}

bool memory_put_back(uptr pc)
{
    u8 window[REWRITE_SLOT];
    uptr end;
    u32 n = memory_slot_original(ALIGN_DOWN(pc, (uptr)REWRITE_SLOT), &end, window);
    uptr page = ALIGN_DOWN(end - n, (uptr)LX_PAGE);
    return !host_mprotect(page, ALIGN_UP(end, LX_PAGE) - page,
                          PROT_READ | PROT_WRITE | PROT_EXEC) &&
           !copy_to_guest(end - n, window, n);
}

uptr memory_slot_origin(uptr pc)
{
    uptr slot = ALIGN_DOWN(pc, (uptr)REWRITE_SLOT), end;
    u32 n = window_of_slot(slot, &end);
    return pc - slot < n ? end - n + (pc - slot) : end;
}

// The slot that a jump at `at` leads to; 0: there is none.
static uptr slot_of_jump(uptr at)
{
    u8 jump[5];
    s32 to;
    if (copy_from_guest(jump, at, sizeof jump) || jump[0] != 0xe9)
        return 0;
    memcpy(&to, jump + 1, sizeof to);
    uptr slot = at + sizeof jump + (uptr)(s64)to;
    return slot % REWRITE_SLOT == 0 && memory_in_slots(slot) ? slot : 0;
}

bool memory_is_pad(uptr pc)
{
    uptr slot = memory_near_images(pc, pc + 1) ? slot_of_jump(pc) : 0, end;
    return slot && pc + window_of_slot(slot, &end) != end;
}

uptr memory_window_slot(uptr pc)
{
    uptr end;
    if (!memory_near_images(pc, pc + 1))
        return pc;
    for (uptr at = pc - 1; at > pc - REWRITE_WINDOW_MAX; at--) {
        uptr slot = slot_of_jump(at);
        if (!slot)
            continue;
        u32 n = window_of_slot(slot, &end);
        if (end - n == at && pc < end)
            return slot + (pc - at);
    }
    return pc;
}

// ---- Copies of rewritten text ----

#define BEFORE 4 // bytes before a site without a window that must be those of the text, too

// Is that a copy of a site, with its window of n bytes that begins at `text`? Each byte may have
// been put back by another thread.
static bool is_copy(uptr text, uptr copy, const u8 *window, u32 n)
{
    u8 is[BEFORE + REWRITE_SLOT], made[BEFORE + REWRITE_SLOT], was[BEFORE + REWRITE_SLOT];
    u32 before = n ? 0 : BEFORE, all = before + n + 2;
    if (text == copy || copy_from_guest(made, text - before, all) ||
        copy_from_guest(is, copy - before, all))
        return false;
    memcpy(was, made, all);
    memcpy(was + before, window, n);
    was[before + n] = 0x0f;
    for (u32 i = 0; i < all; i++)
        if (is[i] != made[i] && is[i] != was[i])
            return false;
    return true;
}

// Puts a window of n bytes and its `syscall` back in a copy.
static void restore(uptr copy, const u8 *window, u32 n)
{
    u8 code[REWRITE_SLOT + sizeof(u64)];
    u32 all = n ? n + 2 : 1, here = (u32)(LX_PAGE - copy % LX_PAGE);
    if (n && all < sizeof(u64) && here >= sizeof(u64))
        all = sizeof(u64);
    if (copy_from_guest(code, copy, all))
        return;
    memcpy(code, window, n);
    code[n] = 0x0f;
    here = MIN(here, all);
    if (here == all || put_code(copy + here, code + here, all - here))
        put_code(copy, code, here);
}

// Puts back all that was copied of an image by the same distance; sites without a window first,
// which are known by the code before them, and that may be another site.
static void restore_all(const struct image *m, uptr distance)
{
    for (int bare = 1; bare >= 0; bare--)
        for (uptr slot = m->slots, end; memory_next_slot(&slot);) {
            u8 window[REWRITE_SLOT];
            u32 n = memory_slot_original(slot, &end, window);
            if ((n == 0) == bare && is_copy(end - n, end - n + distance, window, n))
                restore(end - n + distance, window, n);
        }
}

bool memory_mend_copy(uptr pc, bool trapped, uptr *go_on)
{
    u32 count;
    const struct image *m = memory_images(&count);
    for (; count--; m++) {
        if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != IMAGE_LIVE)
            continue;
        for (uptr slot = m->slots, end; memory_next_slot(&slot);) {
            u8 window[REWRITE_SLOT];
            u32 n = memory_slot_original(slot, &end, window);
            // A copied jump leads as far from the slot as the copy is from the text.
            uptr text = end - n, copy = trapped ? pc - n : text + (pc - slot);
            if ((!trapped && !n) || !is_copy(text, copy, window, n))
                continue;
            restore_all(m, copy - text);
            *go_on = trapped ? pc : copy;
            u8 now;
            return !copy_from_guest(&now, copy + n, 1) && now == 0x0f;
        }
    }
    return false;
}

bool memory_near_images(uptr from, uptr to)
{
    return from < images.to && to > images.from;
}

bool memory_is_clean(void)
{
    return !__atomic_load_n(&images.unclean, __ATOMIC_RELAXED);
}

void memory_not_clean(void)
{
    __atomic_store_n(&images.unclean, 1, __ATOMIC_RELAXED);
}

void memory_keep_text(void)
{
    images.own_text = 1;
}

bool memory_keeps_text(void)
{
    return images.own_text;
}

bool memory_add_clean(uptr from, uptr to)
{
    if (images.cleans == CLEANS_MAX)
        return false;
    images.clean[images.cleans].from = from;
    images.clean[images.cleans++].to = to;
    return true;
}

bool memory_hits_clean(uptr from, uptr to)
{
    for (u32 i = 0; i < images.cleans; i++)
        if (from < images.clean[i].to && to > images.clean[i].from)
            return true;
    return false;
}

// The first guard that [from, to) has a part of; NULL: none. One of a text that was taken back is
// never before another's: all are armed by then, and no more are added.
static struct guard *guard_in(uptr from, uptr to)
{
    u32 n = __atomic_load_n(&images.guards, __ATOMIC_ACQUIRE);
    for (struct guard *g = images.guard; n--; g++)
        if (from < __atomic_load_n(&g->to, __ATOMIC_ACQUIRE) && to > g->from)
            return g;
    return NULL;
}

bool memory_add_guard(const struct image *m, uptr from, uptr to)
{
    u32 i = 0;
    while (i < images.guards && images.guard[i].to)
        i++;
    if (i == GUARDS_MAX)
        return false;
    struct guard *g = &images.guard[i];
    g->from = from;
    g->of = m;
    g->tries = 0;
    __atomic_store_n(&g->to, to, __ATOMIC_RELEASE);
    __atomic_store_n(&images.guards, MAX(images.guards, i + 1), __ATOMIC_RELEASE);
    return true;
}

void memory_forget_guards(const struct image *m)
{
    for (u32 i = 0; i < images.guards; i++)
        if (images.guard[i].of == m)
            __atomic_store_n(&images.guard[i].to, 0, __ATOMIC_RELEASE);
}

bool memory_hits_guard(uptr from, uptr to)
{
    return guard_in(from, to);
}

bool memory_open_guard(uptr addr)
{
    lock_take(&images.lock);
    struct guard *g = guard_in(addr, addr + 1);
    bool open = false;
    if (g && g->of->state == IMAGE_LIVE)
        open = !host_mprotect(g->from, g->to - g->from, PROT_READ | PROT_EXEC);
    else if (g) // the text was taken back when the fault was under way, or the program protects it
        open = g->tries++ < GUARD_TRIES;
    lock_drop(&images.lock);
    return open;
}

long memory_protect(uptr from, uptr to, int prot)
{
    const struct guard *g = guard_in(from, to);
    if (!g)
        return from < to ? host_mprotect(from, to - from, prot) : 0;
    long r = memory_protect(from, g->from, prot);
    return r ? r : memory_protect(g->to, to, prot);
}

void memory_image_span(uptr from, uptr to)
{
    images.from = images.to ? MIN(images.from, from) : from;
    images.to = MAX(images.to, to);
}
