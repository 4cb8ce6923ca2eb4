// SPDX-License-Identifier: MIT
// clean
// strip
// no sections
// Without section headers: the unwind tables are found by the program headers.
    .globl _start
_start:
    ret

    .balign 16
    .cfi_startproc              // nothing leads here but its FDE
    mov $39, %eax
    syscall                     // moved
    xor %edi, %edi
    xor %esi, %esi
    nop
    syscall                     // moved
    ret
    .cfi_endproc

    .balign 16
    nop
    .cfi_startproc
    .cfi_signal_frame
    nop
    mov $15, %rax
    syscall                     // moved
    .cfi_endproc
