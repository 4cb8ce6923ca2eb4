// SPDX-License-Identifier: MIT
// Is CPUID dear? In a virtual machine the instruction leaves it, always (Intel SDM 25.1.2): 1 us at
// the best, 4 to 30 where the hypervisor is a guest itself. Without one it takes some 50 ns, lxcore
// by a slot 100, and by a trap, where nothing could be moved, about 1 us. A process that glibc
// starts asks 68 times.
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sites.h"

#define TRIES 4
#define DEAR_NS 500

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static bool try_it(void)
{
    const char *say = getenv("LXRUN_CPUID");
    unsigned a, b, c, d;
    u64 best = ~0UL;
    if (say && *say)
        return !strcmp(say, "trap");
    for (int i = 0; i < TRIES; i++) {
        u64 from = now_ns();
        __cpuid(0, a, b, c, d);
        best = MIN(best, now_ns() - from);
    }
    return best > DEAR_NS;
}

bool cpuid_is_dear(void)
{
    static int known = -1;
    if (known < 0)
        known = try_it();
    return known;
}
