// SPDX-License-Identifier: MIT
// clean
// shared
// A library: its slots lie below address 0.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    lea 1f(%rip), %rdx          // a place that is jumped to in another way
    jmp *%rdx
    xor %edi, %edi
1:  mov %r8, %rax
    syscall                     // left: a branch may go between
    ret
    .size _start, . - _start
