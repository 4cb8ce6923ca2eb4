// SPDX-License-Identifier: MIT
#include "rewritten.inc"
    JUMP(1, 5)
    TRAP
b1: lea 1f(%rip), %rdx
    jmp *%rdx
    xor %edi, %edi
1:  mov %r8, %rax
    TRAP
l2:
    ret

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT_BARE(2, l2)
