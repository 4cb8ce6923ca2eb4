// SPDX-License-Identifier: MIT
// Pages with what looks like a system call where nothing was decoded (docs/rewriting.md, "Clean
// code"): tables of hand-written functions, mostly, and landing pads of exceptions. The bytes stay,
// for they may be read; but the page cannot be run unnoticed. Other code there is rarely run, or it
// costs a fault.
#include "sites.h"

// Was nothing decoded there, and is it known to be in no function?
static bool no_code(struct image *m, const struct load *l, u64 from, u64 to)
{
    long at = from < to ? image_function(m, to - 1) : -1;
    if (at >= 0 && (m->function[at].start >= from || m->function[at].end > from))
        return false;
    for (u64 a = from; a < to; a++)
        if (l->marks[a - l->vaddr] & (MARK_COVERED | MARK_FUNCTION))
            return false;
    return true;
}

void guard_add(struct image *m, struct sites *all, u64 addr)
{
    const struct load *l = image_code(m, addr, 2);
    u64 start = ALIGN_DOWN(addr, LX_PAGE), end = start + LX_PAGE;
    struct guard *last = all->guards ? &all->guard[all->guards - 1] : NULL;
    if (last && addr < last->end)
        return;
    // The page that a load begins or ends in has other bytes besides. (The first is the one by
    // which /proc/PID/maps tells what the others are.)
    if (start <= l->vaddr || end > l->vaddr + l->size) {
        all->unknown++;
    } else if (last && last->start > l->vaddr && no_code(m, l, last->end, start)) {
        last->end = end; // one mapping
    } else if (all->guards == REWRITE_GUARDS) {
        all->unknown++;
    } else {
        all->guard[all->guards++] = (struct guard){start, end};
    }
}
