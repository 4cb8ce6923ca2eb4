// SPDX-License-Identifier: MIT
// The guest's signal mask on the host, at once or lazily (docs/signals.md, "Lazy masks").
//
// A lazy mask is t->sigmask alone: the host still lets the signals through, and the handler that
// takes one puts it back. What is put back must lie in the host's queues as if it had never been
// taken, so only these are lazy:
//   - standard signals: of those a queue keeps one, so that order among equals does not arise (a
//     real-time signal would come behind its followers);
//   - with lxcore's handler: any other action would be taken;
//   - none that the kernel forces on a thread, looks for in a mask, or removes when another comes
//     (SIGCONT and the stop signals);
// and only while no other thread could take it, no timer counts how late it is taken (POSIX timers
// count overruns until then, interval timers start again), and no signalfd reads it.
#include <linux/signal.h>

#include "host.h"
#include "signal.h"

#define SIG_STANDARD 0x7fffffffUL
#define SIG_FORCED (SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGILL) | SIGSET_BIT(SIGTRAP))
#define SIG_LAZY (SIG_STANDARD & ~(SIG_ALWAYS | SIG_UNBLOCKABLE | SIG_FORCED | SIG_JOB))

// May these be blocked without telling the host?
static bool can_be_lazy(const struct task *t, u64 more)
{
    return !more ||
           (!t->proc->eager_masks && !t->kept && !(more & ~(t->sighand->caught & SIG_LAZY)));
}

// The record first, then what the host must let through. A signal may come between any two
// instructions; its handler makes the host's mask that of the record.
static long set_record(struct task *t, u64 set)
{
    u64 old = t->sigmask, real = signal_real_mask(set);
    __atomic_store_n(&t->sigmask, set, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    u32 noted = __atomic_load_n(&t->noted, __ATOMIC_RELAXED);
    if (!noted && (__atomic_load_n(&t->real_mask, __ATOMIC_RELAXED) & ~real)) {
        if (!HOST_INTR4(__NR_rt_sigprocmask, SIG_SETMASK, &real, NULL, 8))
            t->real_mask = real;
        noted = __atomic_load_n(&t->noted, __ATOMIC_RELAXED);
    }
    if (!noted)
        return 0;
    // One that the new mask blocks came before the record changed: its handler goes first.
    if (noted != NOTED_STOP && (real & SIGSET_BIT(noted))) {
        t->sigmask = old;
        return -LX_ERESTART;
    }
    t->noted_mask = real;
    return 0;
}

static long set_at_once(struct task *t, u64 set)
{
    u64 real = signal_real_mask(set);
    long r = signal_lazy(t) ? signal_make_real(t) : 0;
    if (!r)
        r = HOST_INTR4(__NR_rt_sigprocmask, SIG_SETMASK, &real, NULL, 8);
    if (r)
        return r;
    t->sigmask = set;
    t->real_mask = real;
    return 0;
}

long signal_set_mask(struct task *t, u64 set)
{
    set &= ~SIG_UNBLOCKABLE;
    bool lazily = can_be_lazy(t, signal_real_mask(set) & ~t->real_mask);
    long r = lazily ? set_record(t, set) : set_at_once(t, set);
    if (!r && t->sig_pending)
        signal_check_pending(t);
    return r;
}

long signal_make_real(struct task *t)
{
    u64 real = signal_real_mask(t->sigmask);
    long r = HOST_INTR4(__NR_rt_sigprocmask, SIG_SETMASK, &real, NULL, 8);
    if (!r)
        t->real_mask = real;
    return r;
}

bool signal_all_blocked(const struct task *t)
{
    return t->real_mask == signal_real_mask(~0UL);
}

long signal_block_all(struct task *t)
{
    u64 all = ~SIG_ALWAYS;
    if (signal_all_blocked(t)) // as C libraries have it around clone
        return __atomic_load_n(&t->noted, __ATOMIC_RELAXED) ? -LX_ERESTART : 0;
    return HOST_INTR4(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

void signal_force_mask(struct task *t, u64 set)
{
    u64 real = signal_real_mask(set);
    host_sigprocmask(SIG_SETMASK, &real, NULL);
    t->sigmask = set;
    t->real_mask = real;
}

// A signal that comes before the host call is noted, which leaves everything blocked: the door's
// exit then sets the mask.
void signal_enter_mask(struct task *t, u64 set)
{
    u64 real = signal_real_mask(set);
    t->sigmask = set;
    t->real_mask = real;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&t->noted, __ATOMIC_RELAXED))
        t->noted_mask = real;
    else
        HOST_INTR4(__NR_rt_sigprocmask, SIG_SETMASK, &real, NULL, 8);
}

void signal_unblock(struct task *t)
{
    signal_force_mask(t, t->sigmask);
}

// The kernel has one queue for the thread and one for the process, and does not say which a signal
// came from. Only tkill's are the thread's for sure; others are taken for the process's. (Another
// process can send other codes to a thread by rt_tgsigqueueinfo or F_SETOWN_EX; with one thread the
// difference is one of order.)
static bool to_thread(const siginfo_t *info)
{
    return info->si_code == SI_TKILL;
}

// In the handler, with everything blocked. If another one has taken its place in the queue since,
// Linux would have dropped that: what this one said is kept for when it is taken.
void signal_put_back(struct task *t, int sig, const siginfo_t *info)
{
    t->kept = (u32)sig;
    t->kept_info = *info;
    if (to_thread(info))
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, sig, info);
    else
        HOST3(__NR_rt_sigqueueinfo, t->proc->tgid, sig, info);
}

void signal_take_kept(struct task *t, int sig, siginfo_t *info)
{
    if (t->kept != (u32)sig || to_thread(info) != to_thread(&t->kept_info))
        return;
    *info = t->kept_info;
    t->kept = 0;
}
