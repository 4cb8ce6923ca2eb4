// SPDX-License-Identifier: MIT
// System calls in the code of an image, and what can be done with each.
#ifndef LX_REWRITE_SITES_H
#define LX_REWRITE_SITES_H

#include "decode.h"
#include "image.h"

// Why a site is left alone. The first ones are in the order of enum insn_move.
enum site_state {
    SITE_MOVED,
    SITE_MEMORY,
    SITE_BRANCH,
    SITE_RIP,
    SITE_STACK,
    SITE_ENDBR,
    SITE_OTHER,
    SITE_FUNCTION,
    SITE_TARGET,
    SITE_INDIRECT,
    SITE_LANDING,
    SITE_SIGRETURN,
    SITE_PREFIX,
    SITE_UNREACHED,
    SITE_LONG,
    SITE_FAR,
    SITE_STATES,
};
extern const char *const site_reasons[SITE_STATES];

struct site {
    u64 address; // of 0f 05
    enum site_state state;
    u8 window;   // bytes of the instructions that move, 0: none; the window ends at `address`
    bool stays;  // its bytes are known to others
    bool cpuid;  // no system call
    u8 relative; // in the window: where a displacement relative to its own address is; 0: is none
    long call;   // its number, where an immediate says it; -1: not known
    u64 pad;     // where the jump to the slot stands when the window is too short for it; 0: window
    bool host;   // its window is longer than it need be, and holds another's pad
    u64 slot;    // (write.c)
};

struct sites {
    struct site *site; // by address
    size_t count, moved;
    size_t cpuids, moved_cpuids; // that are among these
    size_t unknown;              // what else may be a way into the kernel, and stays as it is
    // Pages where such a thing is, and nothing was decoded: not counted as unknown.
    struct guard {
        u64 start, end;
    } guard[REWRITE_GUARDS];
    unsigned guards;
};
// Is the site known to be an instruction whose place a trap can take?
bool site_traps(const struct site *s);

// Is CPUID to be such an instruction? (cpuid.c)
bool cpuid_is_dear(void);
static inline bool is_cpuid(const u8 *p)
{
    return p[0] == 0x0f && p[1] == 0xa2;
}

// Marks all addresses where control may go (targets.c). False: there are too many to follow.
bool targets_find(struct image *m);
// Could a jump table of 32-bit distances stand at addr?
bool targets_is_table(struct image *m, u64 addr);
// Decodes forward from the functions around each 0f 05, and all code where that tells too little
// (flow.c). False: there is too much of it.
bool flow_decode(struct image *m, struct decoder *d, const u64 *candidate, size_t n);

// The decoded instruction that ends at `end`. False: none does, or more than one.
bool decode_before(struct image *m, struct decoder *d, u64 end, u64 *start, struct insn *i);
// Takes room for a jump near a window that is too short for one (pads.c). 0: there is none.
u64 pad_take(struct image *m, struct decoder *d, u64 window);

// Takes what lies at addr, which nothing was decoded at and may be a way into the kernel, into a
// guard, or counts it as unknown. By ascending addresses, when all is decoded (guards.c).
void guard_add(struct image *m, struct sites *all, u64 addr);

// Finds the sites, and decides. Returns NULL, or why the file is left alone.
const char *sites_find(struct image *m, struct decoder *d, struct sites *to);

#endif
