// SPDX-License-Identifier: MIT
// clean
// A cpuid that is known to be one becomes a trap; others, and what only looks so, stay.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    xor %eax, %eax
    cpuid                       // a trap
    mov $0xa20f, %edx           // 0f a2
    cpuid
    mov %rbx, %rdi
    mov $60, %eax
    syscall                     // moved
    ret
    .size _start, . - _start
    cpuid                       // not reached
