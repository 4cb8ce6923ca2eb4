// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    JUMP(1, 8)
    syscall
b1: JUMP(2, 7)
    syscall
b2: JUMP(3, 7)
    syscall
b3: JUMP(4, 6)
    syscall
b4: JUMP(5, 6)
    syscall
b5: JUMP(6, 7)
    syscall
b6: JUMP(7, 5)
    syscall
b7: JUMP(8, 6)
    syscall
b8: JUMP(9, 7)
    syscall
b9: JUMP(10, 16)
    syscall
b10:
    JUMP(11, 7)
    syscall
b11:
    JUMP(12, 7)
    syscall
b12:
    JUMP(13, 6)
    syscall
b13:
    JUMP(14, 7)
    syscall
b14:
    JUMP(15, 6)
    syscall
b15:
    JUMP(16, 7)
    syscall
b16:
    JUMP(17, 6)
    syscall
b17:
    JUMP(18, 5)
    syscall
b18:
    JUMP(19, 5)
    syscall
b19:
    JUMP(20, 5)
    syscall
b20:
    JUMP(21, 5)
    syscall
b21:
    mov %rax, word(%rip)
    syscall
    movups %xmm0, word(%rip)
    syscall
    mov 8(%rdi), %rsp
    mov %edx, %eax
    syscall
    movq %xmm0, %rsp
    syscall
    mov %rax, %fs:8(%rdi)
    syscall
    mov %fs:0x28, %rax
    syscall
    ds mov %rax, 8(%rdi)
    syscall
    mov %esi, 0x10101010
    syscall
    movabs %eax, 0x1020304050607080
    syscall
    add %rax, 0x100(%rdi)
    syscall
    add 0x100(%rdi), %rax
    syscall
    xchg %rax, 0x100(%rdi)
    syscall
    cmpl $5, 0x100(%rdi)
    syscall
    cmove 0x100(%rdi), %rax
    syscall
    bts %rax, 0x100(%rdi)
    syscall
    vmovups %ymm0, 0x100(%rdi)
    syscall
    movsd %xmm0, 0x100(%rdi)
    syscall
    rep movsb
    mov %edx, %eax
    syscall
    mov %rax, 8(%edi)
    syscall
    mov %ds, 0x100(%rdi)
    syscall
    movq 0x100(%rdi), %mm0
    syscall
    mov %rsi, 8(%rdi)
    syscall
    ret

    .data
word:
    .quad 0, 0

    SLOTS
    SLOT(1, b1, 8, movl $0x10, -0x48(%rsp))
    SLOT(2, b2, 7, mov %rbx, (%rbx); mov %rbx, 0x10(%rbx))
    SLOT(3, b3, 7, movups %xmm0, 0x2d8(%rbx))
    SLOT(4, b4, 6, mov %rsi, 8(%rdi); mov %edx, %eax)
    SLOT(5, b5, 6, mov %edx, %eax; mov %rsi, 8(%rdi))
    SLOT(6, b6, 7, mov %rsi, 0x100(%rdi))
    SLOT(7, b7, 5, mov %r15b, -1(%r13,%r12,4))
    SLOT(8, b8, 6, movw $0x203, 8(%rdi))
    SLOT(9, b9, 7, movb $1, 0x100(%rdi))
    SLOT(10, b10, 16, movq $-1, 0x100(%rdi,%r9,8); mov %rsi, 8(%rdi))
    SLOT(11, b11, 7, mov %esi, 0x100(,%rcx,4))
    SLOT(12, b12, 7, mov 0x100(%rdi), %rdi)
    SLOT(13, b13, 6, movzbl (%rdi), %eax; movslq (%rsi), %rsi)
    SLOT(14, b14, 7, movsbl (%rdi), %eax; movzwl 8(%rsi), %esi)
    SLOT(15, b15, 6, mov %rsp, 8(%rdi); mov %edx, %eax)
    SLOT(16, b16, 7, movaps 8(%rdi), %xmm1; movaps %xmm1, %xmm2)
    SLOT(17, b17, 6, movdqu %xmm9, 8(%rdi))
    SLOT(18, b18, 5, movdqa 8(%rdi), %xmm1)
    SLOT(19, b19, 5, movq %xmm0, 8(%rdi))
    SLOT(20, b20, 5, movd 8(%rdi), %xmm0)
    SLOT(21, b21, 5, movq %xmm0, %rsi)
