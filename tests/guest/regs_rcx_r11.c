// SPDX-License-Identifier: MIT
// After a system call RCX holds the address of the next instruction and R11 the flags, as the
// `syscall` instruction leaves them.
// covers: getppid, read, openat
#include "check.h"
#include "regs.h"

int main(void)
{
    static const int nrs[] = {SYS_getppid, SYS_read, SYS_openat, SYS_close, 9999};
    uint64_t r[NREGS];

    for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
        regs_fill(r, i);
        r[RAX] = nrs[i];
        r[RFLAGS] = 0x202 | 0x8d5; // CF PF AF ZF SF OF
        regs_call(r);
        CHECK_EQ(r[RCX], (uint64_t)regs_next);
        // Bit 1 is no flag, always set; lxrun's door leaves it clear (trap/signal.c,
        // dispatch_lost).
        CHECK_EQ(r[R11] | 2, 0x202 | 0x8d5);
    }
    return done();
}
