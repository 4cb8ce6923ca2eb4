// SPDX-License-Identifier: MIT
#include "rewritten.inc"
#define TRAP_CPUID .byte 0xf4, 0xa2
    JUMP(1, 5)
    TRAP
b1: xor %eax, %eax
    TRAP_CPUID
b2: JUMP(2, 5)
    TRAP_CPUID
b3: JUMP(3, 7)
    TRAP_CPUID
b4: mov %rbx, %rdi
    JUMP(4, 5)
    TRAP
b5: ret
    cpuid

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT_CPUID(2, b3, 5, mov $0xa20f, %edx)
    SLOT_CPUID(3, b4, 7, mov $4, %eax; xor %ecx, %ecx)
    SLOT(4, b5, 5, mov $60, %eax)
    SLOT_CPUID(5, b2, 0)
