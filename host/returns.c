// SPDX-License-Identifier: MIT
// Is it quicker to leave the kernel with fresh predictions of returns? That depends on the
// processor, the kernel's mitigations and the hypervisor, so it is tried.
#include <linux/time.h>

#include "host.h"
#include "lib.h"

#define CALLS 16 // in a batch
#define BATCHES 4

u32 host_fresh_returns;

static u64 batch_ns(void)
{
    struct __kernel_timespec from, to;
    HOST2(__NR_clock_gettime, CLOCK_MONOTONIC, &from);
    for (int i = 0; i < CALLS; i++)
        HOST0(__NR_getppid);
    HOST2(__NR_clock_gettime, CLOCK_MONOTONIC, &to);
    return (u64)(to.tv_sec - from.tv_sec) * 1000000000 + (u64)(to.tv_nsec - from.tv_nsec);
}

u32 host_try_returns(void)
{
    u64 best[2] = {~0UL, ~0UL};
    for (u32 i = 0; i < 2 * BATCHES; i++) {
        host_fresh_returns = i % 2;
        u64 ns = batch_ns();
        best[i % 2] = MIN(best[i % 2], ns);
    }
    host_fresh_returns = best[1] < best[0];
    return host_fresh_returns;
}
