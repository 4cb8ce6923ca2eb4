// SPDX-License-Identifier: MIT
// clean
// What loads an address relative to its own moves with that changed.
    .globl _start
    .type _start, @function
_start:
    lea message(%rip), %rsi
    syscall                     // moved
    mov %r8, %rdx
    lea _start(%rip), %r10
    syscall                     // moved
    lea 1f(%rip), %rdi
    mov %ebx, %eax
    syscall                     // moved
1:  lea message(%rip), %rsp
    syscall                     // left: an instruction before it refers to its own address
    ret

    .data
message:
    .quad 0
