// SPDX-License-Identifier: MIT
// The other ways into the kernel: what has one is not clean, and so nothing is to be done here.
    .globl _start
    .type _start, @function
_start:
    int $0x80
    sysenter
    ret
