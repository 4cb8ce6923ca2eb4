// SPDX-License-Identifier: MIT
// clean
// guards: 0x402000-0x403000 0x404000-0x407000
// What nothing leads to and looks like a system call makes its page a guard: it keeps its bytes.
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall                     // moved
    ret
    .size _start, . - _start
    .balign 4096                // 0x402000
    .ascii "table\x0f\x05"      // left: not reached
    .balign 4096                // code between two guards
    .type f, @function
f:  mov $39, %eax
    ret
    .size f, . - f
    .balign 4096                // 0x404000: one guard for pages with nothing but data between
    .long 0x340f
    .balign 4096
    .fill 4096, 1, 0x90
    .fill 4095, 1, 0x90
    .byte 0xcd                  // its second byte is in the next page, the load's last
    .byte 0x80
    .fill 4095, 1, 0x90
    .type g, @function
g:  ret
    .size g, . - g
