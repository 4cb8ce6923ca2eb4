// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    testb $1, (%rdi)
    jz 1f
    JUMP_PAD(1, 2)
    syscall
b1: ret
    PAD(1)
    .byte 0x00, 0x00, 0x00, 0x00 // the rest of the nopw
1:  add (%rdi), %rdi
    JUMP_PAD(2, 2)
    syscall
b2: ret
    PAD(2)
    PAD(3)
    PAD(4)
    PAD(5)
    nop
third:
    JUMP_PAD(3, 3)
    syscall
b3: push %rbx
    syscall
    push %rbx
    JUMP_PAD(4, 4)
    syscall
b4: push %rbx
    mov %rsi, 8(%rdi)
    syscall
    push %rbx
    mov (%rdi), %edi
    syscall
    push %rbx
    movups %xmm0, (%rdi)
    syscall
    push %rbx
    movups (%rsp), %xmm0
    syscall
    add (%rdi), %rsi
    JUMP_PAD(5, 2)
    syscall
b5: add (%rdi), %rsi
    xor %edi, %edi
    syscall
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
