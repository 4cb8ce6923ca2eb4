// SPDX-License-Identifier: MIT
// Signals: what the other folders may ask of trap/signal.c (the host's handlers), trap/deliver.c
// (the guest's) and trap/sigmask.c (masks).
#ifndef LX_SIGNAL_H
#define LX_SIGNAL_H

#include <linux/errno.h>

#include "task.h"

// Installs lxcore's handlers for the signals that it always takes. Once per address space.
void signal_init(struct task *t);
// What of a guest action's flags the host's has too (docs/signals.md, rule 3).
#define SIG_HOST_FLAGS (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT)
static inline bool signal_is_always(int sig)
{
    return SIG_ALWAYS & SIGSET_BIT(sig);
}
static inline bool signal_is_handler(uptr handler)
{
    return handler != (uptr)SIG_DFL && handler != (uptr)SIG_IGN;
}
// Has the host lxcore's handler for that action of the guest's?
static inline bool signal_is_caught(int sig, const struct ksigaction *g)
{
    return signal_is_handler(g->handler) || signal_is_always(sig);
}
// Do two guest actions of sig come to the same host disposition, so that changing one into the
// other needs no host call?
static inline bool signal_same_on_host(int sig, const struct ksigaction *a,
                                       const struct ksigaction *b)
{
    if ((a->flags ^ b->flags) & SIG_HOST_FLAGS)
        return false;
    if (signal_is_caught(sig, a) && signal_is_caught(sig, b))
        return true;
    // SIG_IGN, also set again, may throw pending signals away (sigaction(2)), as SIG_DFL does where
    // that ignores them.
    return a->handler == (uptr)SIG_DFL && b->handler == (uptr)SIG_DFL &&
           !(SIGSET_BIT(sig) & SIG_DEFAULT_IGNORES);
}
// Sets the host's disposition of sig to fit the guest's action in t->sighand. Lock held.
long signal_set_host_action(struct task *t, int sig);
// Makes `set` the guest mask, lazily where that is exact (trap/sigmask.c). -LX_ERESTART when a
// signal is noted: nothing has changed.
long signal_set_mask(struct task *t, u64 set);
// Makes the host's mask the guest's. 0, or -LX_ERESTART as above.
long signal_make_real(struct task *t);
// Around a host call that waits with a mask of its own (sigsuspend, ppoll, pselect6, epoll_pwait):
// `mask` is the guest's. end: passes result on.
static inline void signal_wait_begin(struct task *t, u64 mask)
{
    t->wait_mask = mask & ~SIG_UNBLOCKABLE;
    t->has_wait_mask = 1;
}
static inline long signal_wait_end(struct task *t, long result)
{
    if ((result != -EINTR && !t->trace.restart) || !t->noted)
        t->has_wait_mask = 0;
    return result;
}
// What the guest blocks now, in such a wait too.
static inline u64 signal_blocked(const struct task *t)
{
    return t->has_wait_mask ? t->wait_mask : t->sigmask;
}
// Blocks every signal that can be blocked, for a short stretch; -LX_ERESTART as above.
long signal_block_all(struct task *t);
// Does the guest itself block every signal that can be blocked, on the host too?
bool signal_all_blocked(const struct task *t);
// Makes `set` the mask here and on the host.
void signal_force_mask(struct task *t, u64 set);
// The same where everything is blocked on the host, on the way to the door's exit.
void signal_enter_mask(struct task *t, u64 set);
// Puts the real mask back to what t->sigmask says.
void signal_unblock(struct task *t);
// The real mask that goes with a guest mask.
static inline u64 signal_real_mask(u64 guest)
{
    return guest & ~(SIG_ALWAYS | SIG_UNBLOCKABLE);
}
// Signals that the guest blocks and the host does not. Only while guest code or a call that lxcore
// answers by itself runs; the dispatcher makes the mask real before any other.
static inline u64 signal_lazy(const struct task *t)
{
    return signal_real_mask(t->sigmask) & ~t->real_mask;
}
// A signal has come that is blocked lazily: puts it back, so that it is pending.
void signal_put_back(struct task *t, int sig, const siginfo_t *info);
// The same signal has come again, to a handler or a wait: *info becomes what it said first.
void signal_take_kept(struct task *t, int sig, siginfo_t *info);
// A signal that the calling thread sends itself, or its process, which has no other: delivers it
// at once, where that is exact, and does not come back; nor where it ends the process with a core
// file. 0: the host is to send it; -LX_ERESTART.
long signal_to_self(struct task *t, int sig, int code);
// Where a thread with something noted goes on that was found at pc in lxcore, so that no call is
// begun, nor made `again` as the kernel was about to have it, and the door's exit has a look.
u64 signal_call_off(u64 pc, bool again);
// Delivers the noted signal at the door's exit.
void signal_attend(struct task *t);
// Index of one of SIG_ALWAYS in t->pending_info.
static inline int signal_always_index(int sig)
{
    return sig == SIGSYS ? 0 : sig == SIGSEGV ? 1 : 2;
}
// After a change of mask or action: a virtual pending signal that is now free becomes noted.
void signal_check_pending(struct task *t);
// The same with another mask than the task's, for a wait.
void signal_check_pending_under(struct task *t, u64 mask);
// rt_sigreturn. Comes back only with -LX_ERESTART.
long signal_return(struct task *t);
// Is sp on the guest's alternate stack?
bool signal_on_altstack(const struct task *t, uptr sp);
// Makes `new` the guest's alternate stack, of which sp is perhaps in use (sigaltstack(2)).
long signal_set_altstack(struct task *t, struct stack new, uptr sp);
// Death by sig as the kernel's default action would have it, for faults that cannot be delivered.
_Noreturn void signal_die(struct task *t, int sig);
// SIGSYS in place of the call that the thread has made; code and error: si_code, si_errno. Comes
// back only with -LX_ERESTART: a signal has come before, whose handler goes first.
long signal_in_place_of_call(struct task *t, int code, int error);

#endif
