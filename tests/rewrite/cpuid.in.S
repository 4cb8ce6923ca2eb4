// SPDX-License-Identifier: MIT
// clean
// A cpuid that is known to be one is a site like a system call; others, and what only looks so, stay.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    xor %eax, %eax
    cpuid                       // cpuid
    mov $0xa20f, %edx           // 0f a2
    cpuid                       // cpuid
    mov $4, %eax
    xor %ecx, %ecx
    cpuid                       // cpuid
    mov %rbx, %rdi
    mov $60, %eax
    syscall                     // moved
    ret
    .size _start, . - _start
    cpuid                       // not reached
