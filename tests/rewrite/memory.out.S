// SPDX-License-Identifier: MIT
#include "rewritten.inc"
_start:
    JUMP(1, 8)
    TRAP
b1: JUMP(2, 7)
    TRAP
b2: JUMP(3, 7)
    TRAP
b3: JUMP(4, 6)
    TRAP
b4: JUMP(5, 6)
    TRAP
b5: JUMP(6, 7)
    TRAP
b6: JUMP(7, 5)
    TRAP
b7: JUMP(8, 6)
    TRAP
b8: JUMP(9, 7)
    TRAP
b9: JUMP_HOST(10, 16, 22)
    TRAP
b10:
    JUMP(11, 7)
    TRAP
b11:
    JUMP(12, 7)
    TRAP
b12:
    JUMP(13, 6)
    TRAP
b13:
    JUMP(14, 7)
    TRAP
b14:
    JUMP(15, 6)
    TRAP
b15:
    JUMP(16, 7)
    TRAP
b16:
    JUMP(17, 6)
    TRAP
b17:
    JUMP(18, 5)
    TRAP
b18:
    JUMP(19, 5)
    TRAP
b19:
    JUMP(20, 5)
    TRAP
b20:
    JUMP(21, 5)
    TRAP
b21:
    mov %rax, word(%rip)
    TRAP
l22:
    movups %xmm0, word(%rip)
    TRAP
l23:
    mov 8(%rdi), %rsp
    JUMP_PAD(22, 2)
    TRAP
b22:
    movq %xmm0, %rsp
    TRAP
l25:
    mov %rax, %fs:8(%rdi)
    TRAP
l26:
    mov %fs:0x28, %rax
    TRAP
l27:
    ds mov %rax, 8(%rdi)
    TRAP
l28:
    mov %esi, 0x10101010
    TRAP
l29:
    movabs %eax, 0x1020304050607080
    TRAP
l30:
    add %rax, 0x100(%rdi)
    TRAP
l31:
    add 0x100(%rdi), %rax
    TRAP
l32:
    xchg %rax, 0x100(%rdi)
    TRAP
l33:
    cmpl $5, 0x100(%rdi)
    TRAP
l34:
    cmove 0x100(%rdi), %rax
    TRAP
l35:
    bts %rax, 0x100(%rdi)
    TRAP
l36:
    vmovups %ymm0, 0x100(%rdi)
    TRAP
l37:
    movsd %xmm0, 0x100(%rdi)
    TRAP
l38:
    rep movsb
    mov %edx, %eax
    TRAP
l39:
    mov %rax, 8(%edi)
    TRAP
l40:
    mov %ds, 0x100(%rdi)
    TRAP
l41:
    movq 0x100(%rdi), %mm0
    TRAP
l42:
    mov %rsi, 8(%rdi)
    TRAP
l43:
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
    SLOT(22, b22, 2, mov %edx, %eax)
    SLOT_BARE(23, l22)
    SLOT_BARE(24, l23)
    SLOT_BARE(25, l25)
    SLOT_BARE(26, l26)
    SLOT_BARE(27, l27)
    SLOT_BARE(28, l28)
    SLOT_BARE(29, l29)
    SLOT_BARE(30, l30)
    SLOT_BARE(31, l31)
    SLOT_BARE(32, l32)
    SLOT_BARE(33, l33)
    SLOT_BARE(34, l34)
    SLOT_BARE(35, l35)
    SLOT_BARE(36, l36)
    SLOT_BARE(37, l37)
    SLOT_BARE(38, l38)
    SLOT_BARE(39, l39)
    SLOT_BARE(40, l40)
    SLOT_BARE(41, l41)
    SLOT_BARE(42, l42)
    SLOT_BARE(43, l43)
