// SPDX-License-Identifier: MIT
// One system call with every general register chosen and every one seen afterwards.
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

#include <stdint.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, RFLAGS, NREGS };

// Loads all of r, executes `syscall` at regs_insn, stores all into r.
void regs_call(uint64_t r[NREGS]);
extern const char regs_insn[], regs_next[];

// The stores go to the stack, the only place that is still known after the call.
__asm__(".pushsection .text\n"
        ".globl regs_call, regs_insn, regs_next\n"
        ".hidden regs_call, regs_insn, regs_next\n"
        ".type regs_call, @function\n"
        "regs_call:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    push %rdi\n"
        "    sub $128, %rsp\n"
        "    mov 0(%rdi), %rax;   mov 8(%rdi), %rbx;    mov 16(%rdi), %rcx\n"
        "    mov 24(%rdi), %rdx;  mov 32(%rdi), %rsi;   mov 48(%rdi), %rbp\n"
        "    mov 56(%rdi), %r8;   mov 64(%rdi), %r9;    mov 72(%rdi), %r10\n"
        "    mov 80(%rdi), %r11;  mov 88(%rdi), %r12;   mov 96(%rdi), %r13\n"
        "    mov 104(%rdi), %r14; mov 112(%rdi), %r15\n"
        "    pushq 120(%rdi)\n"
        "    popfq\n"
        "    mov 40(%rdi), %rdi\n"
        "regs_insn:\n"
        "    syscall\n"
        "regs_next:\n"
        "    mov %rax, 0(%rsp);   mov %rbx, 8(%rsp);    mov %rcx, 16(%rsp)\n"
        "    mov %rdx, 24(%rsp);  mov %rsi, 32(%rsp);   mov %rdi, 40(%rsp)\n"
        "    mov %rbp, 48(%rsp);  mov %r8, 56(%rsp);    mov %r9, 64(%rsp)\n"
        "    mov %r10, 72(%rsp);  mov %r11, 80(%rsp);   mov %r12, 88(%rsp)\n"
        "    mov %r13, 96(%rsp);  mov %r14, 104(%rsp);  mov %r15, 112(%rsp)\n"
        "    pushfq\n"
        "    popq 120(%rsp)\n" // the address is computed after the pop
        "    pushq $0x202\n"
        "    popfq\n"
        "    mov 128(%rsp), %rdi\n"
        "    mov %rsp, %rsi\n"
        "    mov $16, %ecx\n"
        "    rep movsq\n"
        "    add $136, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        ".size regs_call, . - regs_call\n"
        ".popsection\n");

// Every register gets a value of its own; bit 63 set, so that no call takes one for a good pointer.
static inline void regs_fill(uint64_t r[NREGS], uint64_t seed)
{
    for (int i = 0; i < NREGS; i++)
        r[i] = 1ul << 63 | ((seed * 0x9e3779b97f4a7c15u >> 3) ^ (0x0101010101010101u * (i + 1)));
    r[RFLAGS] = 0x202;
}

#endif
