// SPDX-License-Identifier: MIT
#include "rewritten.inc"
#define TRAP_CPUID .byte 0xf4, 0xa2
    JUMP(1, 5)
    TRAP
b1: rdtsc
    TRAP_CPUID
b2: JUMP(2, 5)
    TRAP_CPUID
b3: JUMP_HOST(3, 10, 4)
    TRAP_CPUID
b4: test %eax, %eax
    je 1f
    JUMP_PAD(4, 2)
    TRAP_CPUID
b5:
1:  mov %rbx, %rdi
    JUMP(5, 5)
    TRAP
b6: ret
    cpuid

    SLOTS
    SLOT(1, b1, 5, mov $39, %eax)
    SLOT_CPUID(2, b3, 5, mov $0xa20f, %edx)
    SLOT_CPUID(3, b4, 10, movaps %xmm0, 0x50(%rsp); movaps %xmm0, 0x60(%rsp))
    SLOT_CPUID(4, b5, 2, mov %edi, %eax)
    SLOT(5, b6, 5, mov $60, %eax)
    SLOT_CPUID(6, b2, 0)
