// SPDX-License-Identifier: MIT
// The dispatcher: from the door to one row of the table and back. Reads in numbered stages; it is
// all that happens between a guest's `syscall` and its handler.
#include "fs.h"
#include "host.h"
#include "seccomp.h"
#include "signal.h"
#include "syscall_rows.h"
#include "task.h"
#include "tracee.h"
#include "trap.h"
#include "userdispatch.h"
#include "watch.h"

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

// Do the call's descriptors name one of lxcore's own?
static inline __attribute__((always_inline)) bool
names_reserved_fd(const struct task *t, const struct syscall_row *row, const struct regs *r)
{
    const u64 a[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    s32 first = t->files->reserved;
    for (unsigned mask = row->fd_mask; mask; mask &= mask - 1) {
        u32 fd = (u32)a[__builtin_ctz(mask)];
        if (fd - (u32)first < t->files->reserved_count)
            return true;
    }
    return false;
}

static void count(struct stats *s, unsigned nr)
{
    __atomic_fetch_add(&s->calls[MIN(nr, STATS_CALLS - 1)], 1, __ATOMIC_RELAXED);
}

// Calls by which nobody learns of the caller: a forked child mostly makes no others.
static bool is_quiet(u64 nr)
{
    return nr == NR_set_robust_list || nr == NR_execve || nr == NR_exit_group;
}

// The result, or that the call is to be made again: it met a limit of descriptors that is not the
// guest's.
static long unless_full(struct task *t, long result)
{
    bool full = result == -EMFILE || result == -ETOOMANYREFS;
    if (full && files_call_again(t))
        result = -LX_ERESTART;
    if (t->low_over)
        files_go_up(t);
    return result;
}

// comes_back: the dispatcher has more to do behind the call.
static inline __attribute__((always_inline)) long
serve_row(struct task *t, const struct syscall_row *row, const struct regs *r, bool comes_back)
{
    switch (row->how) {
    case HOW_EMULATED:
        return row->call(t, r);
    case HOW_TRANSLATED:
        return unless_full(t, row->call(t, r));
    case HOW_PASSED:
        if (r->orig_rax == NR_read && t->files->maps && fd_maps(t, (int)r->rdi))
            return watch_read((int)r->rdi, r->rsi, r->rdx);
        if (r->orig_rax == NR_lseek && t->files->made)
            return procfs_lseek(t, (int)r->rdi, (long)r->rsi, (u32)r->rdx);
        if (r->orig_rax == NR_pread64 && t->files->made && !r->r10)
            procfs_made_anew(t, (int)r->rdi);
        if (comes_back)
            return unless_full(
                t, HOST_INTR6(r->orig_rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9));
        return unless_full(t, host_pass()); // to the guest, as in stage 5, or back: -EMFILE
    case HOW_REFUSED:
        tell_refused(t, (unsigned)r->orig_rax, row);
        return -row->error;
    }
    return -ENOSYS; // no such number
}

// For the guest a number of lxcore's own is closed: the call is made with one that is, since
// whether that matters, and what is wrong before it, the call knows (a path that begins at the root
// does not ask for the directory, nor an anonymous mmap for the file).
static __attribute__((noinline)) long serve_closed(struct task *t, const struct syscall_row *row,
                                                   struct regs *r)
{
    u64 guests[6], *a[6] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9};
    for (int i = 0; i < 6; i++)
        guests[i] = *a[i];
    for (unsigned mask = row->fd_mask; mask; mask &= mask - 1) {
        u64 *fd = a[__builtin_ctz(mask)];
        if ((u32)*fd - (u32)t->files->reserved < t->files->reserved_count)
            *fd = ~0UL;
    }
    long result =
        row->how == HOW_PASSED
            ? unless_full(t, HOST6(r->orig_rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9))
            : serve_row(t, row, r, false);
    for (int i = 0; i < 6; i++)
        *a[i] = guests[i];
    return result;
}

static inline __attribute__((always_inline)) long
serve(struct task *t, const struct syscall_row *row, struct regs *r, bool comes_back)
{
    // 3. What the host serves, it serves under the guest's mask; descriptors of lxcore's own are
    // not there.
    if (row->how != HOW_EMULATED && (signal_lazy(t) | t->unrecorded)) {
        if (t->unrecorded && !is_quiet(r->orig_rax))
            proc_need_record(t);
        long busy = signal_lazy(t) ? signal_make_real(t) : 0;
        if (busy)
            return busy;
    }
    if (row->fd_mask && names_reserved_fd(t, row, r))
        return serve_closed(t, row, r);
    // 4. Serve.
    return serve_row(t, row, r, comes_back);
}

// 1. What came before the call goes first: arming, which another thread asks for; a signal, after
// whose handler the call is made. A guest that dispatches calls itself may get it; its tracer sees
// it, and may change it; its filters may refuse it.
_Noreturn void door_return(void);

static __attribute__((noinline)) void dispatch_attended(struct task *t)
{
    struct regs *r = &t->regs;
    const u64 nr = r->orig_rax;
    long result;
    if (t->wanted)
        task_arm_wanted(t);
    if (t->noted || ((t->keeps & KEEPS_SUD) && user_dispatch_call(t))) {
        r->rip -= 2;
        return;
    }
    bool traced = tracee_is(t);
    if (!(traced && tracee_enter(t, &result)) && !(t->seccomp_mode && seccomp_call(t, &result)))
        result = (unsigned)r->orig_rax < SYSCALL_ROWS
                     ? serve(t, &syscall_rows[(unsigned)r->orig_rax], r, true)
                     : -ENOSYS;
    if (tracee_is(t)) {
        tracee_leave(t, result);
    } else if (result == -LX_ERESTART) {
        r->rip -= 2;
        r->rax = nr;
    } else {
        r->rax = (u64)result;
    }
    if (traced)
        door_return(); // which loads all registers
}

void dispatch(struct task *t)
{
    struct regs *r = &t->regs;
    unsigned nr = (unsigned)r->orig_rax;

    if (t->stats)
        count(t->stats, nr);
    if (t->step) { // a guest that steps itself
        r->eflags |= t->step;
        t->step = 0;
    }
    if (task_attention(t)) {
        dispatch_attended(t);
        return;
    }
    // 2. The row is the whole truth of the call.
    long result = nr < SYSCALL_ROWS ? serve(t, &syscall_rows[nr], r, false) : -ENOSYS;
    // 5. Back to the guest: behind its `syscall`, or at it when the call is to be made again.
    if (result == -LX_ERESTART)
        r->rip -= 2;
    else
        r->rax = (u64)result;
}
