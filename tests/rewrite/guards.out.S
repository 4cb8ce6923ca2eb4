// SPDX-License-Identifier: MIT
#include "rewritten.inc"
    JUMP(1, 5)
    TRAP
l1: ret
    .balign 4096
    .ascii "table\x0f\x05"
    .balign 4096
    mov $39, %eax
    ret
    .balign 4096
    .long 0x340f
    .balign 4096
    .fill 4096, 1, 0x90
    .fill 4095, 1, 0x90
    .byte 0xcd
    .byte 0x80
    .fill 4095, 1, 0x90
    ret

    SLOTS
    SLOT(1, l1, 5, mov $39, %eax)
