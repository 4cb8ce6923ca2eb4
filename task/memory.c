// SPDX-License-Identifier: MIT
// See include/memory.h.
#include <linux/mman.h>

#include "host.h"
#include "memory.h"

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

// One table for each address space, also when a vfork child maps something in its parent's.
static struct {
    struct lock lock;
    u32 used;
    uptr from, to; // all images lie in between
    struct image image[IMAGES_MAX];
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

bool memory_near_images(uptr from, uptr to)
{
    return from < images.to && to > images.from;
}

void memory_image_span(uptr from, uptr to)
{
    images.from = images.to ? MIN(images.from, from) : from;
    images.to = MAX(images.to, to);
}
