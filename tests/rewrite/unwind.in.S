// SPDX-License-Identifier: MIT
// strip
// Without symbols: the functions are known by their unwind tables.
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
    mov $39, %eax               // and here nothing at all
    syscall                     // left: not reached from a known start
    ret

    .balign 16                  // a landing pad could be between two instructions
    .cfi_startproc
    .cfi_lsda 0, 0x1000
    xor %edi, %edi
    xor %esi, %esi
    cltd
    syscall                     // left: the function has landing pads
    mov $39, %eax
    syscall                     // moved
    ret
    .cfi_endproc

    .balign 16
    .cfi_startproc              // its end is too early, as clone3's of glibc is
    mov $39, %eax
    .cfi_endproc
    syscall                     // moved
    ret

    .balign 16
    nop
    .cfi_startproc              // begins a byte early, as __restore_rt of glibc does
    .cfi_signal_frame
    nop
    mov $15, %rax
    syscall                     // moved
    .cfi_endproc

    .balign 16
    nop
    .cfi_startproc              // not the bytes that a signal's return has
    .cfi_signal_frame
    nop
    mov $39, %rax
    syscall                     // left: returns from a signal
    .cfi_endproc
