// SPDX-License-Identifier: MIT
// The host's vDSO (vdso(7)): clocks without a system call (host/vdso.c).
#ifndef LX_VDSO_H
#define LX_VDSO_H

#include <stdbool.h>

#include "types.h"

enum vdso_function {
    VDSO_CLOCK_GETTIME,
    VDSO_GETTIMEOFDAY,
    VDSO_TIME,
    VDSO_GETCPU,
    VDSO_FUNCTIONS
};

// At start: where the image lies, as AT_SYSINFO_EHDR tells; 0: there is none.
void vdso_init(uptr image);
// Calls a function with pointers to lxcore's own memory. -ENOSYS when there is none, the vDSO
// cannot do it without a system call, or these are the first calls of a process; any other result
// is the function's.
long vdso_call(enum vdso_function f, long a, long b, long c);
// The vDSO is not called any more in this address space.
void vdso_give_up(void);
// The guest is about to change what is mapped there.
void vdso_changed(uptr addr, size_t len);

#endif
