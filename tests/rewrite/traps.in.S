// SPDX-License-Identifier: MIT
// What looks like a window and is none. There is no filler for a short jump (the functions touch),
// so that all of these stay.
    .globl _start
    .type _start, @function
_start:
    movl $0x10, %fs:-0x48(%rsp) // 64 c7 44 24 b8 10 00 00 00: ends like mov $0x10, %eax
    syscall                     // left: an instruction before it touches memory
    mov $0xb8b8b8b8b8b8b8b8, %rbx
    add (%rdi), %eax
    syscall                     // left: an instruction before it touches memory
    push %rbx
    syscall                     // left: an instruction before it changes the stack pointer
    sub $8, %rsp
    syscall                     // left: an instruction before it changes the stack pointer
    lea _start(%rip), %esi
    syscall                     // left: an instruction before it refers to its own address
    mov number(%rip), %eax
    syscall                     // left: an instruction before it refers to its own address
    endbr64
    syscall                     // left: a target of indirect branches right before it
    rdtsc
    syscall                     // left: an instruction before it is not known to be harmless
    div %ecx                    // may fault
    syscall                     // left: an instruction before it is not known to be harmless
    mov %fs, %eax
    syscall                     // left: an instruction before it is not known to be harmless
    jz 1f
    syscall                     // left: a branch or another system call right before it
1:  syscall                     // left: a branch or another system call right before it
    call *%rdx
    syscall                     // left: a branch or another system call right before it
    mov $15, %eax
    syscall                     // left: returns from a signal
    mov $15, %rax
    syscall                     // left: returns from a signal
    mov $15, %eax
    mov %r8, %rdi
    mov %r9, %rsi
    syscall                     // left: returns from a signal
    mov $39, %eax
    rex.w
    syscall                     // left: has a prefix

    // The middle of an instruction is no system call: no site at all.
    mov $0x050f, %eax
    mov $0x9090050f90909090, %rdx
    movl $0x90050f, (%rdi)

    // A branch into the window, forward and backward.
    xor %edi, %edi
    jz 2f
    xor %esi, %esi
    xor %edx, %edx
2:  mov %r8, %rax
    syscall                     // left: a branch may go between the instructions before it
    mov %r9, %rsi
3:  mov %r8, %rax
    syscall                     // left: a branch may go between the instructions before it
    jns 3b

    // A jump table, reached through a lea elsewhere.
    lea table(%rip), %rdx
    movslq (%rdx,%rdi,4), %rax
    add %rdx, %rax
    jmp *%rax
4:  mov %r9, %rsi
5:  mov %r8, %rax
    syscall                     // left: a branch may go between the instructions before it
    ret

    // Data between functions, which nothing leads to.
    .byte 0xb8, 39, 0, 0, 0, 0x0f, 0x05 // left: not reached from a known start

    .type begin, @function      // the instructions before it are another function's
begin:
    mov %r8, %rax
    .globl inner
    .type inner, @function
inner:
    mov %r8, %rax
    syscall                     // left: the function begins too shortly before it
    ret

    // A jump to nowhere known.
    .type indirect, @function
indirect:
    mov %r8, %rdi
    mov %r9, %rax
    syscall                     // left: the function jumps to where no table says
    jmp *%rax

    .section .rodata
number:
    .long 39
    .balign 4
table:
    .long 4b - table, 5b - table
