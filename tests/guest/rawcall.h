// SPDX-License-Identifier: MIT
// One system call with known addresses: raw_insn is the `syscall` instruction, raw_next the one
// after it. A signal handler that finds its saved RIP there knows that it interrupted this call.
// Errors come back as -errno; libc is not involved.
#ifndef GUEST_RAWCALL_H
#define GUEST_RAWCALL_H

long raw_call(long nr, long a, long b, long c, long d, long e, long f);
extern const char raw_insn[], raw_next[];

__asm__(".pushsection .text\n"
        ".globl raw_call, raw_insn, raw_next\n"
        ".hidden raw_call, raw_insn, raw_next\n"
        ".type raw_call, @function\n"
        "raw_call:\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    mov %rcx, %rdx\n"
        "    mov %r8, %r10\n"
        "    mov %r9, %r8\n"
        "    mov 8(%rsp), %r9\n"
        "raw_insn:\n"
        "    syscall\n"
        "raw_next:\n"
        "    ret\n"
        ".size raw_call, . - raw_call\n"
        ".popsection\n");

#define RAW_ARGS(nr, a, b, c, d, e, f, ...)                                                        \
    raw_call((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw(...) RAW_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif
