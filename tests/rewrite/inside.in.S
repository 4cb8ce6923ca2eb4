// SPDX-License-Identifier: MIT
// clean
// Nothing is to be done with what lies in the middle of instructions.
    .globl _start
    .type _start, @function
_start:
    mov $0x050f, %eax           // 0f 05
    mov $0x340f, %ecx           // 0f 34
    mov $0x80cd, %edx           // cd 80
    movabs $0x80cd050f340f, %rax
    lea 0x80cd(%rdi), %rsi
    ret
