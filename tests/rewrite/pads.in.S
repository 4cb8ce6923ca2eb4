// SPDX-License-Identifier: MIT
// clean
// Windows too short for a jmp rel32: a jmp rel8 leads to filler that holds it, where there is any.
    .globl _start
    .type _start, @function
_start:                         // as read of glibc begins
    testb $1, (%rdi)
    jz 1f
    xor %eax, %eax
    syscall                     // moved
    ret
    .byte 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 // nopw: room for one jump
1:  add (%rdi), %rdi
    mov %edx, %eax
    syscall                     // moved
    ret
    .fill 21, 1, 0x90           // room for four
    .type third, @function
third:                          // a window at the start of a function
    mov %r8, %rax
    syscall                     // moved
    push %rbx
    syscall                     // left: an instruction before it changes the stack pointer
    push %rbx
    mov (%rsp), %rdi            // of memory, only this moves by a short jump
    syscall                     // moved
    push %rbx
    mov %rsi, 8(%rdi)
    syscall                     // left: an instruction before it changes the stack pointer
    push %rbx
    mov (%rdi), %edi
    syscall                     // left: an instruction before it changes the stack pointer
    push %rbx
    movups %xmm0, (%rdi)
    syscall                     // left: an instruction before it changes the stack pointer
    push %rbx
    movups (%rsp), %xmm0
    syscall                     // left: an instruction before it changes the stack pointer
    add (%rdi), %rsi
    xor %edi, %edi
    syscall                     // moved
    add (%rdi), %rsi
    xor %edi, %edi
    syscall                     // left: an instruction before it touches memory
    call third                  // what follows a call is run, should it return
    .fill 8, 1, 0x90
    ud2
    int3; int3; int3; int3      // one byte too few
    .type end, @function
end:
    jmp third
