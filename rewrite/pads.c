// SPDX-License-Identifier: MIT
// Windows too short for a jmp rel32 (`xor %eax,%eax; syscall` of read is one) get a jmp rel8 to a
// pad: filler that a compiler put behind a jump or a return, so that what follows is aligned.
// Nothing runs it, so it has room for the jmp rel32.
#include "sites.h"

#define JUMP 5       // bytes of jmp rel32
#define SHORT_JUMP 2 // of jmp rel8

static u8 *mark_at(const struct load *l, u64 addr)
{
    return &l->marks[addr - l->vaddr];
}

// Does control not go on behind the instruction that ends here?
static bool flow_ends(struct image *m, struct decoder *d, u64 end)
{
    struct insn i;
    u64 start;
    return decode_before(m, d, end, &start, &i) &&
           (i.kind == INSN_JUMP || i.kind == INSN_JUMP_INDIRECT || i.kind == INSN_END);
}

// End of the filler that begins at `at`: only nop and int3, and no address that anything knows of.
static u64 filler_end(struct image *m, struct decoder *d, const struct load *l, u64 at)
{
    u64 end = l->vaddr + l->size;
    while (at < end && !(*mark_at(l, at) & ~MARK_PAD)) {
        struct insn i;
        decode(d, load_bytes(m, l) + (at - l->vaddr), end - at, at, &i);
        for (u64 k = at + 1; k < at + i.length; k++)
            if (*mark_at(l, k) & ~MARK_PAD)
                return at;
        if (!i.length || !i.filler)
            break;
        at += i.length;
    }
    return at;
}

u64 pad_take(struct image *m, struct decoder *d, u64 window)
{
    const struct load *l = image_code(m, window, 1);
    const u64 from = window + SHORT_JUMP - 128, to = window + SHORT_JUMP + 127;
    // Filler is seldom longer than 32 bytes, so one that reaches here begins not much before.
    for (u64 at = from - 64; at != to + 1; at++) {
        if (at <= l->vaddr || at - l->vaddr >= l->size || *mark_at(l, at) & MARK_COVERED ||
            !(*mark_at(l, at - 1) & MARK_COVERED) || !flow_ends(m, d, at))
            continue;
        u64 end = filler_end(m, d, l, at);
        for (u64 pad = at; pad + JUMP <= end; pad++) {
            // Signed distances: the window may lie at the bottom of the address space.
            if ((s64)(pad - from) < 0 || (s64)(to - pad) < 0 || *mark_at(l, pad) & MARK_PAD)
                continue;
            for (u64 k = pad; k < pad + JUMP; k++)
                *mark_at(l, k) |= MARK_PAD;
            return pad;
        }
    }
    return 0;
}
