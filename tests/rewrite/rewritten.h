// SPDX-License-Identifier: MIT
// For the NAME.out.S: what include/rewrite.h says rewritten code looks like.

// A window of so many bytes that jumps to slot n.
#define JUMP(n, length) jmp slot##n; .fill length - 5, 1, 0xcc
// A short one, and the pad that it jumps to.
#define JUMP_PAD(n, length) jmp pad##n; .fill length - 2, 1, 0xcc
#define PAD(n) pad##n: jmp slot##n

// The slots. back: label behind the site's syscall; then the instructions of the window.
#define SLOTS .section .slots, "ax"; gate: .quad 0x7e9000000000; .balign 32, 0
#define SLOT(n, back, length, ...) \
    slot##n: __VA_ARGS__; lea back(%rip), %rcx; jmp *gate(%rip); \
    .fill 31 - (. - slot##n), 1, 0xcc; .byte length
