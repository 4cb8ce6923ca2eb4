// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    JUMP(1, 7)
    TRAP
b1: mov %r8, %rdx
    JUMP(2, 7)
    TRAP
b2: JUMP(3, 9)
    TRAP
b3:
1:  lea message(%rip), %rsp
    TRAP
l4: ret

    .data
message:
    .quad 0

    SLOTS
    SLOT_RELATIVE(1, b1, 7, 3, lea message(%rip), %rsi)
    SLOT_RELATIVE(2, b2, 7, 3, lea _start(%rip), %r10)
    SLOT_RELATIVE(3, b3, 9, 3, lea b3(%rip), %rdi; mov %ebx, %eax)
    SLOT_BARE(4, l4)
