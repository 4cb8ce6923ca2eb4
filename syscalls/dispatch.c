// SPDX-License-Identifier: MIT
// The dispatcher: from the door to one row of the table and back. Reads in numbered stages; it is
// all that happens between a guest's `syscall` and its handler.
#include "host.h"
#include "signal.h"
#include "syscall_rows.h"
#include "task.h"
#include "trap.h"

#define X32_BIT 0x40000000u

// Names a refused call once for each process image, with -v.
static void tell_refused(const struct task *t, unsigned nr, const struct syscall_row *row)
{
    static u64 told[SYSCALL_ROWS / 64 + 1]; // only ever gains bits; a lost race tells twice
    if (!t->instance->verbose || (told[nr / 64] >> nr % 64 & 1))
        return;
    told[nr / 64] |= 1UL << nr % 64;
    log_line("refused: %s (errno %d)", row->name, row->error);
}

// Do the call's descriptors name one of lxcore's own? For the guest that number is closed.
static bool names_reserved_fd(const struct task *t, const struct syscall_row *row, const u64 *a)
{
    s32 first = t->files->reserved;
    for (unsigned mask = row->fd_mask; mask; mask &= mask - 1) {
        u32 fd = (u32)a[__builtin_ctz(mask)];
        if (fd - (u32)first < RESERVED_COUNT)
            return true;
    }
    return false;
}

void dispatch(struct task *t)
{
    struct regs *r = &t->regs;
    unsigned nr = (unsigned)r->orig_rax;
    const u64 a[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    long result = -ENOSYS;

    r->eflags |= t->step; // 0 but for a guest that steps itself
    t->step = 0;
    // 1. A signal that came before the call goes first; the call is made after its handler.
    if (t->noted) {
        result = -LX_ERESTART;
    } else if (nr < SYSCALL_ROWS && syscall_rows[nr].name) {
        // 2. The row is the whole truth of the call.
        const struct syscall_row *row = &syscall_rows[nr];
        // 3. Descriptors of lxcore's own are not there.
        if (row->fd_mask && names_reserved_fd(t, row, a)) {
            result = -EBADF;
        } else {
            // 4. Serve.
            switch (row->how) {
            case HOW_PASSED:
                result = host_call_intr(nr, (long)a[0], (long)a[1], (long)a[2], (long)a[3],
                                        (long)a[4], (long)a[5]);
                break;
            case HOW_EMULATED:
            case HOW_TRANSLATED:
                result = row->call(t, a);
                break;
            case HOW_REFUSED:
                tell_refused(t, nr, row);
                result = -row->error;
                break;
            }
        }
    }
    // 5. Back to the guest: behind its `syscall`, or at it when the call is to be made again.
    if (result == -LX_ERESTART)
        r->rip -= 2;
    else
        r->rax = (u64)result;
}
