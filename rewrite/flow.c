// SPDX-License-Identifier: MIT
// Decodes code forward from where functions begin, as control flows: what stands behind a jump or a
// return counts as code only when something is known to go there. So data between functions, or in
// the middle of one, is not taken for instructions.
#include "sites.h"

#define NEAR 160         // farther than a jump with an 8-bit displacement reaches
#define PASSES 16        // over one function, for jumps backward to what was not yet reached
#define ROUNDS 16        // over all code, for what only jumps lead to
#define SPAN (1UL << 20) // of a function whose end is not known
#define DECODES_MAX (32UL << 20) // instructions of a file; more than real ones of WHOLE_MAX need
#define WHOLE_MAX (16UL << 20)   // bytes of code that are all decoded to find more functions

struct flow {
    struct image *m;
    struct decoder *d;
    struct load *l; // that the function lies in
    u64 limit;      // decoding goes no further
    bool limit_known;
    bool calls; // take the targets of calls, and what lea loads, for functions
};

static u8 *mark_at(const struct flow *w, u64 addr)
{
    return &w->l->marks[addr - w->l->vaddr];
}

static void add_function(struct image *m, u64 addr)
{
    struct load *l = image_code(m, addr, 1);
    if (!l || l->marks[addr - l->vaddr] & (MARK_FUNCTION | MARK_START))
        return;
    l->marks[addr - l->vaddr] |= MARK_FUNCTION;
    image_add(m, (struct function){.start = addr});
}

static void note_branch(struct image *m, u64 target)
{
    struct load *l = image_code(m, target, 1);
    if (l)
        l->marks[target - l->vaddr] |= MARK_BRANCH;
}

static void cover(const struct flow *w, u64 pc, unsigned n)
{
    *mark_at(w, pc) |= MARK_START;
    for (unsigned k = 0; k < n; k++)
        *mark_at(w, pc + k) |= MARK_COVERED;
}

// The first address in [from, to) with one of these marks; to: none.
static u64 next_marked(const struct flow *w, u64 from, u64 to, u8 which)
{
    while (from < to && !(*mark_at(w, from) & which))
        from++;
    return from;
}

// One pass over the function at `start`. True: a jump backward showed that more is reached.
static bool pass(struct flow *w, struct function *f)
{
    bool reached = true, again = false, call = false;
    u64 farthest = f->start;
    struct insn i;
    u64 pc;
    for (pc = f->start; pc < w->limit && w->m->decodes < DECODES_MAX; w->m->decodes++) {
        if (pc != f->start && *mark_at(w, pc) & MARK_FUNCTION)
            return again;
        if (f->part && reached && *mark_at(w, pc) & MARK_START)
            return false; // where others have been
        if (*mark_at(w, pc) & (MARK_BRANCH | MARK_TARGET))
            reached = true;
        if (!reached && !w->limit_known && pc > farthest)
            return again;
        decode(w->d, load_bytes(w->m, w->l) + (pc - w->l->vaddr), w->limit - pc, pc, &i);
        u64 end = pc + (i.length ? i.length : 1);
        // Never across the start of a function; and where nothing is known to come here, the next
        // place where something is known to go counts more than this instruction.
        u8 stop = MARK_FUNCTION | (reached ? 0 : MARK_BRANCH | MARK_TARGET);
        u64 stopped = next_marked(w, pc + 1, end, stop);
        if (!i.length || stopped < end) {
            reached = false;
            u64 last = w->limit_known ? w->limit : MIN(w->limit, MAX(farthest, pc) + 1);
            pc = next_marked(w, pc + 1, last, MARK_FUNCTION | MARK_BRANCH | MARK_TARGET);
            continue;
        }
        if (reached) {
            cover(w, pc, i.length);
            f->indirect |= i.kind == INSN_JUMP_INDIRECT && !i.table;
            f->table |= i.address && targets_is_table(w->m, i.address);
            if (i.has_target && i.kind != INSN_CALL && i.target > farthest &&
                i.target - f->start < SPAN)
                farthest = i.target;
            bool back = i.has_target && i.target >= f->start && i.target < pc;
            if (i.has_target)
                note_branch(w->m, i.target);
            if (w->calls && (i.kind == INSN_CALL || i.address))
                add_function(w->m, i.address ? i.address : i.target);
            call = i.kind == INSN_CALL || i.kind == INSN_CALL_INDIRECT;
            again |= back && !(*mark_at(w, i.target) & MARK_START);
            if (i.kind == INSN_JUMP || i.kind == INSN_JUMP_INDIRECT || i.kind == INSN_END)
                reached = false;
        }
        pc = end;
    }
    // Some unwind tables end before the code does (glibc's clone3). But a call at the end is one
    // that does not return.
    if (reached && !call && pc == w->limit)
        note_branch(w->m, w->limit);
    return again;
}

static void decode_function(struct image *m, struct decoder *d, size_t index, bool calls)
{
    struct function f = m->function[index];
    // The FDE of a signal's return begins a byte early, for unwinders that step back one.
    if (f.decoded || f.trap)
        return;
    struct flow w = {.m = m, .d = d, .l = image_code(m, f.start, 1), .calls = calls};
    u64 end = w.l->vaddr + w.l->size;
    w.limit_known = f.end > f.start && f.end <= end;
    w.limit = w.limit_known ? f.end : end;
    // What a part jumps back to becomes a part itself.
    for (int n = 0; n < (f.part ? 1 : PASSES) && pass(&w, &f); n++)
        ;
    f.decoded = true;
    m->function[index] = f; // it may have moved: functions were added
}

static bool all_covered(struct image *m, const u64 *candidate, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct load *l = image_code(m, candidate[i], 2);
        long at = image_function(m, candidate[i]);
        if (is_cpuid(image_bytes(m, candidate[i], 2)))
            continue; // one that is not known stays as it is
        if (!(l->marks[candidate[i] - l->vaddr] & MARK_COVERED) &&
            (at < 0 || !m->function[at].trap))
            return false;
    }
    return true;
}

// The functions that lie around the candidates, as far as jumps with short displacements reach.
static void decode_around(struct image *m, struct decoder *d, u64 candidate)
{
    long at = image_function(m, candidate);
    for (long k = at; k >= 0; k--) {
        decode_function(m, d, (size_t)k, false);
        if (m->function[k].start + NEAR < candidate)
            break;
    }
    for (size_t k = (size_t)(at + 1); k < m->functions && m->function[k].start < candidate + NEAR;
         k++)
        decode_function(m, d, k, false);
}

// Makes functions of the places in a load that are jumped to and were not reached from a start.
static void add_parts(struct image *m, const struct load *l)
{
    const u8 known = MARK_START | MARK_COVERED | MARK_FUNCTION;
    for (u64 i = 0; l->marks && i < l->size; i++) {
        if (!(l->marks[i] & MARK_BRANCH) || l->marks[i] & known)
            continue;
        image_add(m, (struct function){.start = l->vaddr + i, .part = true});
    }
}

// Decodes all code, finding more functions by calls, jumps and loaded addresses. They are added at
// the end of the list, and put in order at last.
static void decode_all(struct image *m, struct decoder *d)
{
    size_t done = 0;
    for (size_t k = 0; k < m->functions; k++)
        m->function[k].decoded = false;
    for (int round = 0; round < ROUNDS && done < m->functions; round++) {
        for (; done < m->functions; done++)
            decode_function(m, d, done, true);
        for (unsigned i = 0; i < m->loads; i++)
            add_parts(m, &m->load[i]);
    }
    image_sort(m);
    for (size_t k = 1; k < m->functions; k++) {
        struct function *f = &m->function[k];
        if (f->part) {
            f->indirect |= f[-1].indirect && !f[-1].table;
            f->lsda |= f[-1].lsda;
        }
    }
}

bool flow_decode(struct image *m, struct decoder *d, const u64 *candidate, size_t n)
{
    u64 whole = 0;
    for (unsigned i = 0; i < m->loads; i++)
        whole += m->load[i].marks ? m->load[i].size : 0;
    for (size_t i = 0; i < n; i++)
        decode_around(m, d, candidate[i]);
    if (whole > WHOLE_MAX)
        return false;
    if (!all_covered(m, candidate, n))
        decode_all(m, d);
    return true;
}
