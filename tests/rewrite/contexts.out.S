// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    JUMP(1, 5)
    TRAP
b1: cmp $-4095, %rax
    jae 1f
    JUMP(2, 5)
    TRAP
b2: cmp $-4096, %rax
    ja 1f
    JUMP(3, 5)
    TRAP
b3: cmp $-4096, %eax
    ja 1f
    JUMP(4, 5)
    TRAP
b4: test %rax, %rax
    JUMP(5, 5)
    TRAP
b5: test %eax, %eax
    JUMP(6, 5)
    TRAP
b6: mov %rax, %rbx
    JUMP(7, 5)
    TRAP
b7: mov %eax, %edx
    neg %edx
    JUMP(8, 5)
    TRAP
b8: mov (%rsp), %rdi
1:
    JUMP(9, 5)
    TRAP
b9: pop %rdx
    pop %rsi
    ret

    .balign 16
    JUMP(10, 5)
    TRAP
b10:
    ret
    .balign 16

    mov %rdi, %rdx
    JUMP(11, 6)
    TRAP
b11:
    ret
    int3
    int3

    JUMP(12, 6)
    TRAP
b12:
    JUMP(13, 5)
    TRAP
b13:
    JUMP(14, 7)
    TRAP
b14:
    JUMP(15, 6)
    TRAP
b15:
    JUMP(16, 5)
    TRAP
b16:
    ret

    endbr64
    JUMP(17, 5)
    TRAP
b17:
    TRAP
b18:
    JUMP(18, 5)
    TRAP
b19:
    ret
    int3

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT(2, b2, 5, mov $39, %eax)
    SLOT(3, b3, 5, mov $39, %eax)
    SLOT(4, b4, 5, mov $39, %eax)
    SLOT(5, b5, 5, mov $39, %eax)
    SLOT(6, b6, 5, mov $39, %eax)
    SLOT(7, b7, 5, mov $39, %eax)
    SLOT(8, b8, 5, mov $39, %eax)
    SLOT(9, b9, 5, mov $39, %eax)
    SLOT(10, b10, 5, mov $39, %eax)
    SLOT(11, b11, 6, mov %rcx, %r10; mov %rbx, %rdi)
    SLOT(12, b12, 6, mov %r14, %rdi; mov %rcx, %r10)
    SLOT(13, b13, 5, xor %eax, %eax; mov %rcx, %r10)
    SLOT(14, b14, 7, mov $60, %rax)
    SLOT(15, b15, 6, xor %edi, %edi; lea -1(%rdi,%rdi,2), %edx)
    SLOT(16, b16, 5, cltq; nopl (%rax))
    SLOT(17, b17, 5, mov $39, %eax)
    SLOT(18, b19, 5, mov $39, %eax)
    SLOT_BARE(19, b18)
