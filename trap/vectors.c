// SPDX-License-Identifier: MIT
// The vector area of a guest's signal frame (arch/x86/kernel/fpu/signal.c of the kernel). The
// instructions that write and load it are in trap/vectors.S.
#include <asm/sigcontext.h>

#include "uaccess.h"
#include "vectors.h"

#define MIN_XSAVE 576 // legacy area and header
#define HEADER 512
#define SW_RESERVED 464
#define X87 1UL
#define SSE 2UL

void vectors_reset(u64 mask);

size_t vectors_size(const struct task *t, uptr host)
{
    size_t size;
    if (host) {
        const struct _fpx_sw_bytes *sw = (const void *)(host + SW_RESERVED);
        return sw->magic1 == FP_XSTATE_MAGIC1 ? sw->extended_size : HEADER;
    }
    xstate_live(t->proc, &size);
    return size;
}

long vectors_save(struct task *t, uptr to, uptr host, size_t size)
{
    if (host)
        return copy_to_guest(to, (const void *)host, size);
    size_t live_size;
    u64 mask = xstate_live(t->proc, &live_size);
    u8 zero[64] = {0};
    // The header must be clean; XSAVE writes only the part of it that it defines.
    if (copy_to_guest(to + HEADER, zero, sizeof zero) || !guest_range_ok(to, size) ||
        uaccess_xsave((void *)to, mask))
        return -EFAULT;
    struct _fpx_sw_bytes sw = {.magic1 = FP_XSTATE_MAGIC1,
                               .extended_size = (u32)size,
                               .xfeatures = mask,
                               .xstate_size = (u32)size - FP_XSTATE_MAGIC2_SIZE};
    u32 magic2 = FP_XSTATE_MAGIC2;
    if (copy_to_guest(to + SW_RESERVED, &sw, sizeof sw))
        return -EFAULT;
    return copy_to_guest(to + size - sizeof magic2, &magic2, sizeof magic2);
}

enum { BAD, LEGACY, FULL };

// What the area at `from` is, and which components are in it.
static int kind_of(uptr from, size_t max, u64 *components)
{
    struct _fpx_sw_bytes sw;
    u32 magic2;
    *components = X87 | SSE;
    if (!guest_range_ok(from, max) || copy_from_guest(&sw, from + SW_RESERVED, sizeof sw))
        return BAD;
    if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size < MIN_XSAVE ||
        sw.xstate_size > max - sizeof magic2 || sw.xstate_size > sw.extended_size)
        return LEGACY;
    if (copy_from_guest(&magic2, from + sw.xstate_size, sizeof magic2))
        return BAD;
    if (magic2 != FP_XSTATE_MAGIC2)
        return LEGACY;
    *components = sw.xfeatures;
    return FULL;
}

long vectors_load(struct task *t, uptr from)
{
    size_t max;
    u64 components, all = xstate_permitted(t->proc, &max);
    if (!from) {
        vectors_reset(all);
        return 0;
    }
    int kind = kind_of(from, max, &components);
    components &= all;
    // What is not in the area comes first: MXCSR, which that sets too, is loaded with AVX also.
    if (kind != BAD && all != components)
        vectors_reset(all & ~components);
    if (kind == BAD || (kind == FULL ? uaccess_xrstor((const void *)from, components)
                                     : uaccess_fxrstor((const void *)from))) {
        vectors_reset(all);
        return -EFAULT;
    }
    if (!(components & SSE))
        vectors_reset(SSE); // MXCSR goes by this one
    return 0;
}

bool vectors_load_host(uptr host)
{
    const struct _fpx_sw_bytes *sw = (const void *)(host + SW_RESERVED);
    return host && sw->magic1 == FP_XSTATE_MAGIC1 &&
           !uaccess_xrstor((const void *)host, sw->xfeatures);
}

void vectors_clear(const struct task *t)
{
    size_t size;
    vectors_reset(xstate_permitted(t->proc, &size));
}
