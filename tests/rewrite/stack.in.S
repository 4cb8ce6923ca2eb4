// SPDX-License-Identifier: MIT
// clean
// Loads and stores on the stack, as before the call in glibc's syscall().
    .globl _start
    .type _start, @function
_start:
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall                     // moved
    movzwl 2(%rsp), %eax
    syscall                     // moved
    mov %rax, -8(%rsp)
    syscall                     // moved
    mov 8(%rsp,%rcx), %rax
    syscall                     // moved
    mov %fs:8(%rsp), %rax
    syscall                     // left: an instruction before it touches memory
    add 8(%rsp), %rax
    syscall                     // left: an instruction before it touches memory
    ret
