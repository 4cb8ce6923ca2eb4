// SPDX-License-Identifier: MIT
#include "rewritten.inc"
#define TRAP_CPUID .byte 0xf4, 0xa2
    JUMP(1, 5)
    TRAP
b1: xor %eax, %eax
    TRAP_CPUID
b2: mov $0xa20f, %edx
    TRAP_CPUID
b3: mov %rbx, %rdi
    JUMP(2, 5)
    TRAP
b4: ret
    cpuid

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT(2, b4, 5, mov $60, %eax)
    SLOT_BARE(3, b2)
    SLOT_BARE(4, b3)
