// SPDX-License-Identifier: MIT
// One machine instruction, as far as the rewriter needs to know it. capstone stands behind this.
#ifndef LX_REWRITE_DECODE_H
#define LX_REWRITE_DECODE_H

#include <stdbool.h>

#include "types.h"

#define INSN_MAX 15 // bytes of the longest instruction

enum insn_kind {
    INSN_NONE, // not an instruction
    INSN_OTHER,
    INSN_SYSCALL,
    INSN_SYSCALL_32, // int, sysenter: other ways into the kernel
    INSN_CONDITIONAL,
    INSN_JUMP,
    INSN_JUMP_INDIRECT, // through a register or a table
    INSN_CALL,
    INSN_CALL_INDIRECT,
    INSN_END, // ret, hlt, ud2, int3, a jump through one word of memory: control does not go on
};

// May an instruction be executed at another address and right before a call? The order is that
// of the list of reasons (sites.h).
enum insn_move {
    MOVE_YES,
    MOVE_MEMORY, // touches memory in a way that is not plain
    MOVE_BRANCH,
    MOVE_RIP,   // relative to its own address
    MOVE_STACK, // changes the stack pointer
    MOVE_ENDBR, // a place where indirect branches go
    MOVE_OTHER, // not among the instructions known to be harmless
};

struct insn {
    u8 length;
    enum insn_kind kind;
    enum insn_move move;
    bool may_fault; // with MOVE_YES: a plain load or store, but for a load from the stack
    bool has_target;
    u64 target;  // of a direct branch or call
    bool table;  // an indirect jump through memory indexed by a register
    u64 address; // where rip-relative lea points; 0: is none
    u8 relative; // with MOVE_RIP: where in such a lea its 32-bit displacement is, and it could move
                 // otherwise; 0: is none
    bool filler; // nop or int3: what fills the room between functions
    bool loads_rax;
    u64 rax; // with loads_rax: an immediate number goes into rax (eax)
};

struct decoder;
struct decoder *decoder_open(void); // NULL: no memory
void decoder_close(struct decoder *d);
// Decodes one instruction out of n bytes that stand at an address.
void decode(struct decoder *d, const u8 *bytes, u64 n, u64 addr, struct insn *to);
// Its text in AT&T syntax. Returns its length; 0: not an instruction.
unsigned decode_text(struct decoder *d, const u8 *bytes, u64 n, u64 addr, char *text, size_t size);

#endif
