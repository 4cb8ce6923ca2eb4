// SPDX-License-Identifier: MIT
// Where lxcore lives in the address space, and the offsets that assembly and C share.
//
// The range lies below every place where Linux puts stacks, the vDSO and libraries (the lowest
// mmap_base is 0x7eff...), above programs and heaps, and inside what the thread and memory
// sanitizers treat as application memory. Guest mappings are kept out of [LX_BASE, LX_END).
#ifndef LX_LAYOUT_H
#define LX_LAYOUT_H

// A guest may be lxrun itself, whose own lxcore then lies below: the same objects linked to another
// place (lxcore-nested). So lxcore asks for its place by a symbol of the linker script.
#define LX_PLACE 0x7e9000000000
#define LX_PLACE_NESTED 0x7e8000000000
#define LX_SIZE 0x1000000000
#define LX_GATE LX_PLACE                       // where rewritten sites jump to (include/rewrite.h)
#define LX_GATE_CPUID (LX_PLACE + 0x400)       // and those that are a cpuid
#if !defined __ASSEMBLER__ && !defined LX_BASE // as the fuzzers have it, which are usual programs
extern const char lxcore_text_start[] __attribute__((visibility("hidden")));
#define LX_BASE ((unsigned long)lxcore_text_start)
#endif
#define LX_END (LX_BASE + LX_SIZE)
// The image holds the first thread's block (loader/lxcore.ld); those of others lie so near that one
// page of page tables serves all, and the shared memory not far away: fork copies page tables, and
// execve builds them.
#define LX_ARENA (LX_BASE + 0x100000)
#define LX_SHARED (LX_BASE + 0x1c0000) // in the arena, its first 64 KiB in that page, too

// One block per thread, aligned to its size, so that a handler finds the task from its stack
// pointer: [alternate signal stack | runtime stack | struct task]. The task and what most calls
// use of the stack, which grows down from it, are one page: after a fork each page that is written
// to costs a copy in the child, and a fault in the parent.
#define TASK_BLOCK 0x40000
#define TASK_AT (TASK_BLOCK - 0xb40) // the task in its block
#define TASK_ALTSTACK (-TASK_AT)     // from the task
#define TASK_ALTSTACK_SIZE 0x14000

// struct task, as assembly sees it through %gs (asserted in task/task.c).
#define T_SELF 0
#define T_STACK 8
#define T_NOTED 16 // the first of 8 bytes that are looked at together (task_attention())
#define T_KEEPS 18
#define T_WANTED 20
#define T_VDSO 24
#define T_R15 32
#define T_R14 40
#define T_R13 48
#define T_R12 56
#define T_RBP 64
#define T_RBX 72
#define T_R11 80
#define T_R10 88
#define T_R9 96
#define T_R8 104
#define T_RAX 112
#define T_RCX 120
#define T_RDX 128
#define T_RSI 136
#define T_RDI 144
#define T_ORIG_RAX 152
#define T_RIP 160
#define T_EFLAGS 168
#define T_RSP 176
#define T_INSIDE 184
#define T_GUEST_GS 192

// struct sigcontext_64 (asserted in trap/signal.c).
#define SC_R12 32
#define SC_R13 40
#define SC_R14 48
#define SC_R15 56
#define SC_RBP 80
#define SC_RBX 88
#define SC_RAX 104
#define SC_RSP 120
#define SC_RIP 128

// The segments of user code (asm/segment.h).
#define USER_CS 0x33
#define USER_DS 0x2b

// Bits of the flags register that lxcore has to do with (asm/processor-flags.h).
#define EFLAGS_TF 0x100   // trap after each instruction
#define EFLAGS_DF 0x400   // string instructions go down
#define EFLAGS_RF 0x10000 // set while an instruction is resumed
#define EFLAGS_AC 0x40000 // misaligned accesses fault

// Bits of T_KEEPS: what guests have set, and is rare.
#define KEEPS_GS 1     // arch_prctl(ARCH_SET_GS)
#define KEEPS_SUD 2    // prctl(PR_SET_SYSCALL_USER_DISPATCH)
#define KEEPS_TRACED 4 // another guest traces it (ptrace(2))
#define KEEPS_STOP 8   // and wants it to stop at the door's exit

// Internal results of the dispatcher, which end at the door. The guest's call is made again, after
// the handler of a signal that came before an interruptible host call:
#define LX_ERESTART 512
// or the host is to make it, as it is:
#define LX_PASS_ON (-0x7fffffff)

#endif
