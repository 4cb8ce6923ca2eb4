// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    testb $1, (%rdi)
    jz 1f
    JUMP_PAD(1, 2)
    TRAP
b1: ret
    PAD(1)
    .byte 0x00, 0x00, 0x00, 0x00 // the rest of the nopw
1:  add (%rdi), %rdi
    JUMP_PAD(2, 2)
    TRAP
b2: ret
    PAD(2)
    PAD(3)
    PAD(4)
    PAD(5)
    nop
third:
    JUMP_PAD(3, 3)
    TRAP
b3: push %rbx
    TRAP
l6:
    push %rbx
    JUMP_PAD(4, 4)
    TRAP
b4: push %rbx
    mov %rsi, 8(%rdi)
    TRAP
l7:
    push %rbx
    mov (%rdi), %edi
    TRAP
l8:
    push %rbx
    movups %xmm0, (%rdi)
    TRAP
l9:
    push %rbx
    movups (%rsp), %xmm0
    TRAP
l10:
    add (%rdi), %rsi
    JUMP_PAD(5, 2)
    TRAP
b5: add (%rdi), %rsi
    xor %edi, %edi
    TRAP
l11:
    call third
    .fill 8, 1, 0x90
    ud2
    int3; int3; int3; int3
    jmp third

    SLOTS
    SLOT(1, b1, 2, xor %eax, %eax)
    SLOT(2, b2, 2, mov %edx, %eax)
    SLOT(3, b3, 3, mov %r8, %rax)
    SLOT(4, b4, 4, mov (%rsp), %rdi)
    SLOT(5, b5, 2, xor %edi, %edi)
    SLOT_BARE(6, l6)
    SLOT_BARE(7, l7)
    SLOT_BARE(8, l8)
    SLOT_BARE(9, l9)
    SLOT_BARE(10, l10)
    SLOT_BARE(11, l11)
