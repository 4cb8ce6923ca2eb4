// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    mov %r9, %r8
    JUMP(1, 5)
    syscall
b1: JUMP(2, 5)
    syscall
b2: JUMP(3, 5)
    syscall
b3: JUMP(4, 5)
    syscall
b4: mov %fs:8(%rsp), %rax
    syscall
    add 8(%rsp), %rax
    syscall
    ret

    SLOTS
    SLOT(1, b1, 5, mov 8(%rsp), %r9)
    SLOT(2, b2, 5, movzwl 2(%rsp), %eax)
    SLOT(3, b3, 5, mov %rax, -8(%rsp))
    SLOT(4, b4, 5, mov 8(%rsp,%rcx), %rax)
