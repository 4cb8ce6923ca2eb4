// SPDX-License-Identifier: MIT
#include "rewritten.inc"
    ret

    .balign 16
    JUMP(1, 5)
    TRAP
b1:
    JUMP(2, 5)
    TRAP
b2:
    ret

    .balign 16
    nop
    nop
    JUMP(3, 7)
    TRAP
b3:

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT(2, b2, 5, xor %edi, %edi; xor %esi, %esi; nop)
    SLOT(3, b3, 7, mov $15, %rax)
