// SPDX-License-Identifier: MIT
// Which system calls can be moved: for each `0f 05` the shortest run of whole instructions right
// before it that has room for a jump, and the reasons against it (docs/rewriting.md).
#include "sites.h"

#include <stdlib.h>
#include <string.h>

#define JUMP 5       // bytes of jmp rel32
#define SHORT_JUMP 2 // of jmp rel8
#define CANDIDATES_MAX (1UL << 20)
#define SIGRETURN 15
#define LOOK_BACK 8 // instructions before a site, in search of its number

const char *const site_reasons[SITE_STATES] = {
    [SITE_MOVED] = "moved",
    [SITE_MEMORY] = "an instruction before it touches memory",
    [SITE_BRANCH] = "a branch or another system call right before it",
    [SITE_RIP] = "an instruction before it refers to its own address",
    [SITE_STACK] = "an instruction before it changes the stack pointer",
    [SITE_ENDBR] = "a target of indirect branches right before it",
    [SITE_OTHER] = "an instruction before it is not known to be harmless",
    [SITE_FUNCTION] = "the function begins too shortly before it",
    [SITE_TARGET] = "a branch may go between the instructions before it",
    [SITE_INDIRECT] = "the function jumps to where no table says",
    [SITE_LANDING] = "the function has landing pads of exceptions",
    [SITE_SIGRETURN] = "returns from a signal: debuggers and unwinders know its bytes",
    [SITE_PREFIX] = "has a prefix",
    [SITE_UNREACHED] = "not reached from a known start: may be data",
    [SITE_LONG] = "the instructions before it are too long",
    [SITE_FAR] = "no slot is near enough",
};

static u8 marks_at(struct image *m, u64 addr)
{
    const struct load *l = image_code(m, addr, 1);
    return l ? l->marks[addr - l->vaddr] : 0;
}

bool decode_before(struct image *m, struct decoder *d, u64 end, u64 *start, struct insn *i)
{
    for (u64 at = end - 1; at >= end - INSN_MAX && at < end; at--) {
        if (!(marks_at(m, at) & MARK_START))
            continue;
        const u8 *p = image_bytes(m, at, end - at);
        *start = at;
        if (p)
            decode(d, p, end - at, at, i);
        return p && i->length == end - at;
    }
    return false;
}

// The number of the call at a site, from the last immediate load of rax before it; -1: not known.
static long call_number(struct image *m, struct decoder *d, u64 site)
{
    struct insn i;
    u64 at = site;
    for (int n = 0; n < LOOK_BACK && decode_before(m, d, at, &at, &i); n++) {
        if (i.loads_rax)
            return i.rax <= 0xffff ? (long)i.rax : -1;
        if (i.move == MOVE_BRANCH)
            break;
    }
    return -1;
}

// Could bytes around a window that were not decoded as code hold a jump into it? Jumps with 32-bit
// displacements have been marked wherever they are.
static bool near_jump_into(struct image *m, u64 start, u64 end)
{
    for (u64 at = start - 130; at != end + 128; at++) {
        const u8 *p = image_bytes(m, at, 2);
        if (!p || marks_at(m, at) & MARK_COVERED)
            continue;
        if ((p[0] & 0xf0) == 0x70 || (p[0] & 0xfc) == 0xe0 || p[0] == 0xeb) {
            u64 target = at + 2 + (u64)(s64)(int8_t)p[1];
            if (target > start && target < end)
                return true;
        }
    }
    return false;
}

// Finds the shortest window of at least so many bytes.
static enum site_state find_window(struct image *m, struct decoder *d, struct site *s, u64 least)
{
    const u8 into = MARK_BRANCH | MARK_TARGET | MARK_FUNCTION | MARK_POINTER;
    u64 start = s->address;
    int count = 0;
    for (; s->address - start < least; count++) {
        struct insn i;
        u8 here = marks_at(m, start);
        if (count && here & into)
            return here & MARK_FUNCTION ? SITE_FUNCTION : SITE_TARGET;
        if (!decode_before(m, d, start, &start, &i))
            return here & MARK_FUNCTION ? SITE_FUNCTION : here & into ? SITE_TARGET : SITE_BRANCH;
        if (i.move != MOVE_YES)
            return (enum site_state)i.move;
        // The handler of a fault may go on behind its instruction, where a short jump's filler is.
        if (i.may_fault && least < JUMP)
            return SITE_MEMORY;
        // Into the middle of an instruction go no real jumps but decoded ones (past a prefix), so
        // what only looks like a jump does not count there.
        if (image_marked(m, start, start + i.length, MARK_BRANCH | MARK_FUNCTION))
            return SITE_TARGET;
    }
    if (s->address - start > REWRITE_WINDOW_MAX)
        return SITE_LONG;
    long at = image_function(m, start);
    const struct function *f = at < 0 ? NULL : &m->function[at];
    // Of several instructions, one could be gone to by ways that show nowhere in the code.
    if (count > 1 && f && f->indirect && !f->table)
        return SITE_INDIRECT;
    if (count > 1 && f && f->lsda)
        return SITE_LANDING;
    if (count > 1 && near_jump_into(m, start, s->address))
        return SITE_TARGET;
    s->window = (u8)(s->address - start);
    return SITE_MOVED;
}

static enum site_state choose(struct image *m, struct decoder *d, struct site *s)
{
    enum site_state state = find_window(m, d, s, JUMP);
    if (state == SITE_MOVED || find_window(m, d, s, SHORT_JUMP) != SITE_MOVED)
        return state;
    s->pad = pad_take(m, d, s->address - s->window);
    return s->pad ? SITE_MOVED : state;
}

// False: the bytes are no system call.
static bool judge(struct image *m, struct decoder *d, struct site *s)
{
    u8 here = marks_at(m, s->address);
    long at = image_function(m, s->address);
    s->call = -1;
    s->state = SITE_UNREACHED;
    if (at >= 0 && m->function[at].trap && s->address < m->function[at].end) {
        s->state = SITE_SIGRETURN;
        return true;
    }
    if (!(here & MARK_START)) {
        struct insn i;
        u64 start;
        if (!(here & MARK_COVERED))
            return true;
        if (!decode_before(m, d, s->address + 2, &start, &i) || i.kind != INSN_SYSCALL)
            return false; // inside another instruction
        s->state = SITE_PREFIX;
        return true;
    }
    s->call = call_number(m, d, s->address);
    s->state = s->call == SIGRETURN ? SITE_SIGRETURN : choose(m, d, s);
    return true;
}

// Every `0f 05` in the code. Returns their number.
static size_t find_candidates(struct image *m, u64 *to, size_t room)
{
    size_t n = 0;
    for (const struct load *l = m->load; l < m->load + m->loads; l++) {
        const u8 *p = load_bytes(m, l);
        for (u64 i = 0; l->marks && i + 2 <= l->size; i++)
            if (p[i] == 0x0f && p[i + 1] == 0x05 && n++ < room)
                to[n - 1] = l->vaddr + i;
    }
    return n;
}

const char *sites_find(struct image *m, struct decoder *d, struct sites *to)
{
    size_t n = find_candidates(m, NULL, 0);
    *to = (struct sites){0};
    if (!n)
        return "no system calls";
    if (n > CANDIDATES_MAX || !targets_find(m))
        return "too much that looks like system calls or jump tables";
    u64 *candidate = calloc(n, sizeof *candidate);
    to->site = calloc(n, sizeof *to->site);
    if (!candidate || !to->site) {
        free(candidate);
        return "no memory";
    }
    find_candidates(m, candidate, n);
    flow_decode(m, d, candidate, n);
    for (size_t i = 0; i < n; i++) {
        struct site *s = &to->site[to->count];
        *s = (struct site){.address = candidate[i]};
        to->count += judge(m, d, s);
    }
    free(candidate);
    return to->count ? NULL : "no system calls";
}
