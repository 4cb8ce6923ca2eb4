// SPDX-License-Identifier: MIT
// The dispatcher: from the door to one row of the table and back; all that happens between a
// guest's `syscall` and its handler. Read dispatch() first, which is the last but one. Its stages:
//   1. what came before the call goes first            dispatch_attended()
//   2. the row of the table: the whole truth of the call
//   3. what has to be right before the host serves it  wants_care(), serve_with_care()
//   4. the row is served in one of four ways           serve_row()
// The result goes back to the door (trap/door.S): a number or -errno for the guest; LX_PASS_ON, the
// host is to make the call as it is; or -LX_ERESTART, the guest's call is to be made again, after
// the handler of a signal. What is rare stands in functions of its own, so that dispatch() needs no
// frame on the stack (docs/costs.md).
#include "fs.h"
#include "host.h"
#include "procfs.h"
#include "seccomp.h"
#include "signal.h"
#include "syscall_rows.h"
#include "task.h"
#include "tracee.h"
#include "trap.h"
#include "userdispatch.h"
#include "watch.h"

_Noreturn void door_return(void); // leaves lxcore, with t->regs (trap/door.S)

// Names a refused call once for each process image, with -v.
static __attribute__((noinline)) long refuse(const struct task *t, const struct syscall_row *row)
{
    static u64 told[SYSCALL_ROWS / 64 + 1]; // only ever gains bits; a lost race tells twice
    unsigned nr = (unsigned)(row - syscall_rows);
    if (t->instance->verbose && !(told[nr / 64] >> nr % 64 & 1)) {
        told[nr / 64] |= 1UL << nr % 64;
        log_line("refused: %s (errno %d)", row->name, row->error);
    }
    return -row->error;
}

static inline bool is_reserved(const struct task *t, u64 fd)
{
    return (u32)fd - (u32)t->files->reserved < t->files->reserved_count;
}

// Do the call's descriptors name one of lxcore's own?
static bool names_reserved(const struct task *t, const struct syscall_row *row,
                           const struct regs *r)
{
    const u64 a[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    for (unsigned mask = row->fd_mask; mask; mask &= mask - 1)
        if (is_reserved(t, a[__builtin_ctz(mask)]))
            return true;
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

// The result of a call, or -LX_ERESTART: it met a limit of descriptors that is not the guest's, and
// is to be made again.
static long unless_full(struct task *t, long result)
{
    bool full = result == -EMFILE || result == -ETOOMANYREFS;
    if (full && files_call_again(t))
        result = -LX_ERESTART;
    if (t->low_over)
        files_go_up(t);
    return result;
}

static __attribute__((noinline)) long translate(struct task *t, const struct syscall_row *row,
                                                const struct regs *r)
{
    return unless_full(t, row->call(t, r));
}

// A call that is passed on, where some descriptor is not what the host takes it for.
static __attribute__((noinline)) long pass_if_plain(struct task *t, const struct regs *r)
{
    if (r->orig_rax == NR_read && t->files->has_mapped_watch && fd_is_mapped_watch(t, (int)r->rdi))
        return watch_read((int)r->rdi, r->rsi, r->rdx);
    if (r->orig_rax == NR_lseek && t->files->has_made_file)
        return procfs_lseek(t, (int)r->rdi, (long)r->rsi, (u32)r->rdx);
    if (r->orig_rax == NR_pread64 && t->files->has_made_file && !r->r10)
        procfs_made_anew(t, (int)r->rdi);
    return LX_PASS_ON;
}

// 4.
static inline __attribute__((always_inline)) long
serve_row(struct task *t, const struct syscall_row *row, const struct regs *r)
{
    switch (row->how) {
    case HOW_EMULATED:
        return row->call(t, r);
    case HOW_TRANSLATED:
        return translate(t, row, r);
    case HOW_PASSED:
        return t->files->has_mapped_watch | t->files->has_made_file ? pass_if_plain(t, r)
                                                                    : LX_PASS_ON;
    case HOW_REFUSED:
        return refuse(t, row);
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
        if (is_reserved(t, *fd))
            *fd = ~0UL;
    }
    long result =
        row->how == HOW_PASSED
            ? unless_full(t, HOST6(r->orig_rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9))
            : serve_row(t, row, r);
    for (int i = 0; i < 6; i++)
        *a[i] = guests[i];
    return result;
}

// 3. What the host serves, it serves under the guest's mask; descriptors of lxcore's own are not
// there.
static inline bool wants_care(const struct task *t, const struct syscall_row *row,
                              const struct regs *r)
{
    if (row->how != HOW_EMULATED && (signal_lazy(t) | t->unrecorded))
        return true;
    return row->fd_mask && (row->fd_mask > 1 || is_reserved(t, r->rdi));
}

static __attribute__((noinline)) long serve_with_care(struct task *t, const struct syscall_row *row,
                                                      struct regs *r)
{
    if (row->how != HOW_EMULATED) {
        if (t->unrecorded && !is_quiet(r->orig_rax))
            proc_need_record(t);
        long busy = signal_lazy(t) ? signal_make_real(t) : 0;
        if (busy)
            return busy;
    }
    if (names_reserved(t, row, r))
        return serve_closed(t, row, r);
    return serve_row(t, row, r);
}

// 1. What came before the call goes first: switching on the engine, which another thread asks for;
// a signal, after whose handler the call is made. A guest that dispatches calls itself may get it;
// its tracer sees it, and may change it; its filters may refuse it.
static __attribute__((noinline)) long dispatch_attended(struct task *t)
{
    struct regs *r = &t->regs;
    long result;
    if (t->wanted)
        task_arm_wanted(t);
    if (t->noted || ((t->keeps & KEEPS_SUD) && user_dispatch_call(t)))
        return -LX_ERESTART;
    bool traced = tracee_is(t);
    if (!(traced && tracee_enter(t, &result)) && !(t->seccomp_mode && seccomp_call(t, &result)))
        result = (unsigned)r->orig_rax < SYSCALL_ROWS
                     ? serve_with_care(t, &syscall_rows[(unsigned)r->orig_rax], r)
                     : -ENOSYS;
    if (result == LX_PASS_ON)
        result =
            unless_full(t, HOST_INTR6(r->orig_rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9));
    if (!traced && !tracee_is(t))
        return result;
    tracee_leave(t, result);
    door_return(); // which loads all registers
}

long dispatch(struct task *t, u64 number)
{
    unsigned nr = (unsigned)number;
    struct regs *r = &t->regs;

    if (t->stats)
        count(t->stats, nr);
    if (t->step) { // a guest that steps itself
        r->eflags |= t->step;
        t->step = 0;
    }
    if (task_attention(t)) // 1.
        return dispatch_attended(t);
    if (nr >= SYSCALL_ROWS) // also those with the x32 ABI's bit
        return -ENOSYS;
    const struct syscall_row *row = &syscall_rows[nr]; // 2.
    return wants_care(t, row, r) ? serve_with_care(t, row, r) : serve_row(t, row, r);
}

// From the door, where the host has answered EMFILE to a call that was passed on.
long dispatch_full(struct task *t)
{
    return unless_full(t, -EMFILE);
}
