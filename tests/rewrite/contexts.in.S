// SPDX-License-Identifier: MIT
// clean
// What stands before and behind syscall in real programs (glibc, musl, Go). Nothing behind it
// matters, since it stays; all of these can be moved.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    cmp $-4095, %rax            // 48 3d 01 f0 ff ff
    jae 1f
    mov $39, %eax
    syscall                     // moved
    cmp $-4096, %rax            // 48 3d 00 f0 ff ff
    ja 1f
    mov $39, %eax
    syscall                     // moved
    cmp $-4096, %eax            // 3d 00 f0 ff ff
    ja 1f
    mov $39, %eax
    syscall                     // moved
    test %rax, %rax             // 48 85 c0
    mov $39, %eax
    syscall                     // moved
    test %eax, %eax             // 85 c0
    mov $39, %eax
    syscall                     // moved
    mov %rax, %rbx              // 48 89 c3
    mov $39, %eax
    syscall                     // moved
    mov %eax, %edx              // 89 c2 f7 da
    neg %edx
    mov $39, %eax
    syscall                     // moved
    mov (%rsp), %rdi            // 48 8b 3c 24
1:
    mov $39, %eax
    syscall                     // moved
    pop %rdx                    // 5a 5e c3
    pop %rsi
    ret

    .balign 16
    .type padded, @function
padded:
    mov $39, %eax
    syscall                     // moved
    ret                         // c3 and filler
    .balign 16

    .type go, @function         // runtime/internal/syscall.Syscall6 begins about so
go:
    mov %rdi, %rdx
    mov %rcx, %r10
    mov %rbx, %rdi
    syscall                     // moved
    ret                         // c3 cc cc
    int3
    int3

    .type moves, @function      // musl: the number is in a register
moves:
    mov %r14, %rdi              // 4c 89 f7
    mov %rcx, %r10              // 49 89 ca
    syscall                     // moved
    xor %eax, %eax              // 31 c0
    mov %rcx, %r10
    syscall                     // moved
    mov $60, %rax               // 48 c7 c0
    syscall                     // moved
    xor %edi, %edi
    lea -1(%rdi,%rdi,2), %edx   // lea touches no memory
    syscall                     // moved
    cltq
    nopl (%rax)                 // and nopl none either
    syscall                     // moved
    ret

    .type marked, @function     // built with -fcf-protection: the mark stays where it is
marked:
    endbr64
    mov $39, %eax
    syscall                     // moved
    syscall                     // left: a branch or another system call right before it
    mov $39, %eax               // the second of two, which comes back to the first's end
    syscall                     // moved
    ret
    int3
