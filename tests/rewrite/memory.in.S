// SPDX-License-Identifier: MIT
// clean
// Plain loads and stores move where the window has room for the jump; nothing else that touches memory.
    .globl _start
    .type _start, @function
_start:
    movl $0x10, -0x48(%rsp)     // c7 44 24 b8 10 00 00 00: ends like mov $0x10, %eax
    syscall                     // moved
    mov %rbx, (%rbx)            // as before arch_prctl of ld.so
    mov %rbx, 0x10(%rbx)
    syscall                     // moved
    movups %xmm0, 0x2d8(%rbx)   // as before set_robust_list of ld.so
    syscall                     // moved
    mov %rsi, 8(%rdi)           // the first of two
    mov %edx, %eax
    syscall                     // moved
    mov %edx, %eax              // the second
    mov %rsi, 8(%rdi)
    syscall                     // moved
    mov %rsi, 0x100(%rdi)
    syscall                     // moved
    mov %r15b, -1(%r13,%r12,4)
    syscall                     // moved
    movw $0x203, 8(%rdi)
    syscall                     // moved
    movb $1, 0x100(%rdi)
    syscall                     // moved
    movq $-1, 0x100(%rdi,%r9,8) // the longest run
    mov %rsi, 8(%rdi)
    syscall                     // moved
    mov %esi, 0x100(,%rcx,4)
    syscall                     // moved
    mov 0x100(%rdi), %rdi
    syscall                     // moved
    movzbl (%rdi), %eax
    movslq (%rsi), %rsi
    syscall                     // moved
    movsbl (%rdi), %eax
    movzwl 8(%rsi), %esi
    syscall                     // moved
    mov %rsp, 8(%rdi)
    mov %edx, %eax
    syscall                     // moved
    movaps 8(%rdi), %xmm1
    movaps %xmm1, %xmm2
    syscall                     // moved
    movdqu %xmm9, 8(%rdi)
    syscall                     // moved
    movdqa 8(%rdi), %xmm1
    syscall                     // moved
    movq %xmm0, 8(%rdi)
    syscall                     // moved
    movd 8(%rdi), %xmm0
    syscall                     // moved
    movq %xmm0, %rsi
    syscall                     // moved
    mov %rax, word(%rip)
    syscall                     // left: an instruction before it refers to its own address
    movups %xmm0, word(%rip)
    syscall                     // left: an instruction before it refers to its own address
    mov 8(%rdi), %rsp
    mov %edx, %eax              // by a pad inside the window of `movq`
    syscall                     // moved
    movq %xmm0, %rsp
    syscall                     // left: an instruction before it changes the stack pointer
    mov %rax, %fs:8(%rdi)
    syscall                     // left: an instruction before it touches memory
    mov %fs:0x28, %rax
    syscall                     // left: an instruction before it touches memory
    ds mov %rax, 8(%rdi)        // any segment's prefix
    syscall                     // left: an instruction before it touches memory
    mov %esi, 0x10101010        // no register
    syscall                     // left: an instruction before it touches memory
    movabs %eax, 0x1020304050607080
    syscall                     // left: an instruction before it touches memory
    add %rax, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    add 0x100(%rdi), %rax
    syscall                     // left: an instruction before it touches memory
    xchg %rax, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    cmpl $5, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    cmove 0x100(%rdi), %rax
    syscall                     // left: an instruction before it touches memory
    bts %rax, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    vmovups %ymm0, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    movsd %xmm0, 0x100(%rdi)
    syscall                     // left: an instruction before it touches memory
    rep movsb
    mov %edx, %eax
    syscall                     // left: an instruction before it touches memory
    mov %rax, 8(%edi)
    syscall                     // left: an instruction before it is not known to be harmless
    mov %ds, 0x100(%rdi)
    syscall                     // left: an instruction before it is not known to be harmless
    movq 0x100(%rdi), %mm0
    syscall                     // left: an instruction before it is not known to be harmless
    mov %rsi, 8(%rdi)           // too short, and no filler
    syscall                     // left: a branch or another system call right before it
    ret

    .data
word:
    .quad 0, 0
