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
