// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    JUMP(1, 5)
    syscall
b1: cmp $-4095, %rax
    jae 1f
    JUMP(2, 5)
    syscall
b2: cmp $-4096, %rax
    ja 1f
    JUMP(3, 5)
    syscall
b3: cmp $-4096, %eax
    ja 1f
    JUMP(4, 5)
    syscall
b4: test %rax, %rax
    JUMP(5, 5)
    syscall
b5: test %eax, %eax
    JUMP(6, 5)
    syscall
b6: mov %rax, %rbx
    JUMP(7, 5)
    syscall
b7: mov %eax, %edx
    neg %edx
    JUMP(8, 5)
    syscall
b8: mov (%rsp), %rdi
1:
    JUMP(9, 5)
    syscall
b9: pop %rdx
    pop %rsi
    ret

    .balign 16
    JUMP(10, 5)
    syscall
b10:
    ret
    .balign 16

    mov %rdi, %rdx
    JUMP(11, 6)
    syscall
b11:
    ret
    int3
    int3

    JUMP(12, 6)
    syscall
b12:
    JUMP(13, 5)
    syscall
b13:
    JUMP(14, 7)
    syscall
b14:
    JUMP(15, 6)
    syscall
b15:
    JUMP(16, 5)
    syscall
b16:
    ret

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
