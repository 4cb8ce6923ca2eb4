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
#define SIGRETURN_MOVE 7 // bytes of the instruction before a signal's return
#define LOOK_BACK 8      // instructions before a site, in search of its number

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
    u64 start = s->address, relative = 0;
    int count = 0;
    for (; s->address - start < least; count++) {
        struct insn i;
        u8 here = marks_at(m, start);
        if (count && here & into)
            return here & MARK_FUNCTION ? SITE_FUNCTION : SITE_TARGET;
        if (!decode_before(m, d, start, &start, &i))
            return here & MARK_FUNCTION ? SITE_FUNCTION : here & into ? SITE_TARGET : SITE_BRANCH;
        if (i.relative && !relative)
            relative = start + i.relative; // the slot has it changed
        else if (i.move != MOVE_YES)
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
    s->relative = relative ? (u8)(relative - start) : 0;
    return SITE_MOVED;
}

static enum site_state choose(struct image *m, struct decoder *d, struct site *s)
{
    enum site_state state = find_window(m, d, s, JUMP);
    if (state == SITE_MOVED || find_window(m, d, s, SHORT_JUMP) != SITE_MOVED)
        return state;
    s->pad = pad_take(m, d, s->address - s->window);
    if (s->pad)
        return SITE_MOVED;
    s->window = s->relative = 0;
    return state;
}

// A window with room behind its own jump, which nothing goes to: it may hold another's. So a site
// that moves is given a longer window, for one near by that has no pad.
static bool pad_inside(struct image *m, struct decoder *d, struct site *s, struct site *host)
{
    struct site longer = {.address = host->address, .call = host->call, .cpuid = host->cpuid};
    if (host->state != SITE_MOVED || host->pad || host->host || host->call == SIGRETURN ||
        find_window(m, d, s, SHORT_JUMP) != SITE_MOVED ||
        find_window(m, d, &longer, 2 * JUMP) != SITE_MOVED)
        return false;
    u64 pad = longer.address - longer.window + JUMP;
    s64 distance = (s64)(pad - (s->address - s->window + SHORT_JUMP));
    if (distance != (int8_t)distance)
        return false;
    longer.state = SITE_MOVED;
    longer.host = true;
    *host = longer;
    s->state = SITE_MOVED;
    s->pad = pad;
    return true;
}

static void find_hosts(struct image *m, struct decoder *d, struct sites *all)
{
    const u64 near = 160; // a jump with an 8-bit displacement reaches no farther, windows included
    for (size_t i = 0; i < all->count; i++) {
        struct site *s = &all->site[i];
        bool found = s->state == SITE_MOVED || !site_traps(s);
        for (size_t k = i; !found && k-- > 0 && s->address - all->site[k].address < near;)
            found = pad_inside(m, d, s, &all->site[k]);
        for (size_t k = i + 1; !found && k < all->count; k++) {
            if (all->site[k].address - s->address >= near)
                break;
            found = pad_inside(m, d, s, &all->site[k]);
        }
        if (!found)
            s->window = s->relative = 0;
    }
}

// Is that in a signal's return that unwind information covers? Its FDE begins a byte early, for
// unwinders that step back one, so the function itself may be another.
static bool in_return(const struct image *m, u64 addr)
{
    long at = image_function(m, addr);
    for (long k = at; k >= 0 && k > at - 2; k--)
        if (m->function[k].trap && addr < m->function[k].end)
            return true;
    return false;
}

// Such a one need not have been decoded; its bytes are always the same. Debuggers and unwinders
// that have that information need not know them.
static void judge_return(struct image *m, struct site *s)
{
    static const u8 insn[] = {0x48, 0xc7, 0xc0, SIGRETURN, 0, 0, 0}; // mov $15,%rax
    const u8 into = MARK_BRANCH | MARK_TARGET | MARK_FUNCTION;
    const u8 *before = image_bytes(m, s->address - SIGRETURN_MOVE, SIGRETURN_MOVE);
    s->state = SITE_SIGRETURN;
    s->stays = !before || memcmp(before, insn, sizeof insn) != 0;
    if (s->stays)
        return;
    s->call = SIGRETURN;
    if (image_marked(m, s->address - SIGRETURN_MOVE, s->address, into))
        return;
    s->state = SITE_MOVED;
    s->window = SIGRETURN_MOVE;
}

// False: the bytes are no system call.
static bool judge(struct image *m, struct decoder *d, struct site *s)
{
    u8 here = marks_at(m, s->address);
    s->call = -1;
    s->state = SITE_UNREACHED;
    if (in_return(m, s->address)) {
        judge_return(m, s);
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
    s->stays = s->call == SIGRETURN;
    s->state = s->stays ? SITE_SIGRETURN : choose(m, d, s);
    return true;
}

bool site_traps(const struct site *s)
{
    return !s->stays && s->state != SITE_UNREACHED && s->state != SITE_PREFIX;
}

static bool is_syscall(const u8 *p)
{
    return p[0] == 0x0f && p[1] == 0x05;
}

// int $0x80, and sysenter.
static bool is_syscall_32(const u8 *p)
{
    return (p[0] == 0xcd && p[1] == 0x80) || (p[0] == 0x0f && p[1] == 0x34);
}

// Is that known to lie inside another instruction?
static bool is_inside(struct image *m, struct decoder *d, u64 addr)
{
    struct insn i;
    u64 start;
    u8 here = marks_at(m, addr);
    return (here & MARK_COVERED) && !(here & MARK_START) &&
           !(decode_before(m, d, addr + 2, &start, &i) && i.kind == INSN_SYSCALL_32);
}

// Every byte pair in the code that may lead into the kernel, or be a cpuid. Returns their number.
static size_t find_candidates(struct image *m, u64 *to, size_t room)
{
    const bool cpuid = cpuid_is_dear();
    size_t n = 0;
    for (const struct load *l = m->load; l < m->load + m->loads; l++) {
        const u8 *p = load_bytes(m, l);
        for (u64 i = 0; l->marks && i + 2 <= l->size; i++)
            if ((is_syscall(p + i) || is_syscall_32(p + i) || (cpuid && is_cpuid(p + i))) &&
                n++ < room)
                to[n - 1] = l->vaddr + i;
    }
    return n;
}

// What lies in the pages of a load before and behind it; none of it is decoded.
static size_t unknown_around(const struct image *m, const struct load *l)
{
    u64 end = l->offset + l->size, last = MIN(ALIGN_UP(end, LX_PAGE), m->size);
    size_t n = 0;
    for (u64 i = ALIGN_DOWN(l->offset, LX_PAGE); i + 2 <= last; i++) {
        if (i >= l->offset && i + 2 <= end)
            i = end - 1;
        n += i + 2 <= last && (is_syscall(m->file + i) || is_syscall_32(m->file + i));
    }
    return n;
}

const char *sites_find(struct image *m, struct decoder *d, struct sites *to)
{
    size_t n = find_candidates(m, NULL, 0);
    *to = (struct sites){0};
    for (const struct load *l = m->load; l < m->load + m->loads; l++)
        to->unknown += l->executable ? l->writable || unknown_around(m, l) : 0;
    if (!n)
        return "no system calls";
    if (n > CANDIDATES_MAX || !targets_find(m)) {
        to->unknown++;
        return "too much that looks like system calls or jump tables";
    }
    u64 *candidate = calloc(n, sizeof *candidate);
    to->site = calloc(n, sizeof *to->site);
    if (!candidate || !to->site) {
        free(candidate);
        to->unknown++;
        return "no memory";
    }
    find_candidates(m, candidate, n);
    bool decoded = flow_decode(m, d, candidate, n);
    for (size_t i = 0; i < n; i++) {
        struct site *s = &to->site[to->count];
        *s = (struct site){.address = candidate[i]};
        if (is_cpuid(image_bytes(m, s->address, 2))) {
            if (!(marks_at(m, s->address) & MARK_START))
                continue;
            s->call = -1;
            s->cpuid = true;
            s->state = choose(m, d, s);
            to->count++;
            to->cpuids++;
        } else if (is_syscall(image_bytes(m, s->address, 2))) {
            bool is = judge(m, d, s);
            if (is && s->state == SITE_UNREACHED && decoded)
                guard_add(m, to, s->address);
            else
                to->unknown += is && !site_traps(s);
            to->count += is;
        } else if (!(marks_at(m, s->address) & MARK_COVERED) && decoded) {
            guard_add(m, to, s->address);
        } else {
            to->unknown += !is_inside(m, d, s->address);
        }
    }
    free(candidate);
    find_hosts(m, d, to);
    return to->count || to->guards ? NULL : "no system calls";
}
