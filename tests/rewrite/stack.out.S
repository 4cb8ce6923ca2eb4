// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    mov %r9, %r8
    JUMP(1, 5)
    TRAP
b1: JUMP(2, 5)
    TRAP
b2: JUMP(3, 5)
    TRAP
b3: JUMP(4, 5)
    TRAP
b4: mov %fs:8(%rsp), %rax
    TRAP
l5:
    add 8(%rsp), %rax
    TRAP
l6:
    ret

    SLOTS
    SLOT(1, b1, 5, mov 8(%rsp), %r9)
    SLOT(2, b2, 5, movzwl 2(%rsp), %eax)
    SLOT(3, b3, 5, mov %rax, -8(%rsp))
    SLOT(4, b4, 5, mov 8(%rsp,%rcx), %rax)
    SLOT_BARE(5, l5)
    SLOT_BARE(6, l6)
