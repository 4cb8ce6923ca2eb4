// SPDX-License-Identifier: MIT
// clean
// A cpuid that is known to be one is a site like a system call; others, and what only looks so, stay.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    rdtsc                       // not known to be harmless
    cpuid                       // cpuid
    mov $0xa20f, %edx           // 0f a2
    cpuid                       // cpuid
    movaps %xmm0, 0x50(%rsp)
    movaps %xmm0, 0x60(%rsp)
    cpuid                       // cpuid
    test %eax, %eax
    je 1f
    mov %edi, %eax
    cpuid                       // cpuid: its pad is in the window of the one before
1:  mov %rbx, %rdi
    mov $60, %eax
    syscall                     // moved
    ret
    .size _start, . - _start
    cpuid                       // not reached
