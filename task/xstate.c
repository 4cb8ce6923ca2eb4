// SPDX-License-Identifier: MIT
// Which vector state a guest signal frame holds, and its size (Intel SDM vol. 1, chapter 13; the
// kernel's arch/x86/kernel/fpu/xstate.c).
#include <asm/prctl.h>
#include <asm/sigcontext.h>

#include "host.h"
#include "task.h"

#define LEAF_XSAVE 0xd
#define LEGACY_AND_HEADER 576
#define TILE_DATA (1UL << 18) // the one component that a process has to ask for (AMX)

static void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b)
{
    u32 c = sub, d;
    *a = leaf;
    __asm__ volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(c), "=d"(d));
}

static u64 xgetbv(u32 index)
{
    u32 lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
    return lo | (u64)hi << 32;
}

// Size of the standard format with these components, and the mark that the kernel puts behind it.
static u32 frame_size(u64 mask)
{
    u32 size = LEGACY_AND_HEADER;
    for (u32 i = 2; i < 63; i++) {
        u32 length, offset;
        if (!(mask >> i & 1))
            continue;
        cpuid(LEAF_XSAVE, i, &length, &offset);
        size = MAX(size, offset + length);
    }
    return size + FP_XSTATE_MAGIC2_SIZE;
}

// The same, computed once in an instance: under a hypervisor each CPUID is a trap to it, and a
// start would spend more on them than on anything else of its own.
static u32 known_size(u32 *known, u64 mask)
{
    u32 size = __atomic_load_n(known, __ATOMIC_RELAXED);
    if (!size) {
        size = frame_size(mask);
        __atomic_store_n(known, size, __ATOMIC_RELAXED);
    }
    return size;
}

// An execve takes permissions back (Documentation/arch/x86/xstate.rst), so behind it each process
// has what the instance's first one had. One function, for which loader/often.ld has a place.
void xstate_init(struct task *t, bool has_asked)
{
    struct proc *p = t->proc;
    struct instance *in = t->instance;
    u64 enabled = xgetbv(0), permitted = __atomic_load_n(&in->xsave_permitted, __ATOMIC_RELAXED);
    if (has_asked || !permitted) {
        if (HOST2(__NR_arch_prctl, ARCH_GET_XCOMP_PERM, &permitted) < 0)
            permitted = ~TILE_DATA; // before Linux 5.16
        if (!has_asked)
            __atomic_store_n(&in->xsave_permitted, permitted, __ATOMIC_RELAXED);
    }
    p->xsave_mask = enabled & permitted & ~TILE_DATA;
    p->xsave_size = known_size(&in->xsave_size, p->xsave_mask);
    p->tile_size = 0;
    if (enabled & permitted & TILE_DATA)
        p->tile_size = known_size(&in->tile_size, p->xsave_mask | TILE_DATA);
}

u64 xstate_live(const struct proc *p, size_t *size)
{
    // The kernel gives a thread room for tiles when it first uses them, and before that takes a
    // frame with such room for a broken one.
    bool tiles = p->tile_size && (xgetbv(1) & TILE_DATA);
    *size = tiles ? p->tile_size : p->xsave_size;
    return p->xsave_mask | (tiles ? TILE_DATA : 0);
}

u64 xstate_permitted(const struct proc *p, size_t *size)
{
    *size = p->tile_size ? p->tile_size : p->xsave_size;
    return p->xsave_mask | (p->tile_size ? TILE_DATA : 0);
}
