// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    ret

    .balign 16
    JUMP(1, 5)
    TRAP
b1: JUMP(2, 5)
    TRAP
b2: ret
    .balign 16
    mov $39, %eax
    syscall
    ret

    .balign 16
    xor %edi, %edi
    xor %esi, %esi
    cltd
    TRAP
l6:
    JUMP(3, 5)
    TRAP
b3: ret

    .balign 16
    JUMP(4, 5)
    TRAP
b4: ret

    .balign 16
    nop
    nop
    JUMP(5, 7)
    TRAP
b5:
    .balign 16
    nop
    nop
    mov $39, %rax
    syscall

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT(2, b2, 5, xor %edi, %edi; xor %esi, %esi; nop)
    SLOT(3, b3, 5, mov $39, %eax)
    SLOT(4, b4, 5, mov $39, %eax)
    SLOT(5, b5, 7, mov $15, %rax)
    SLOT_BARE(6, l6)
