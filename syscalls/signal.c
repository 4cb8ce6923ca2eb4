// SPDX-License-Identifier: MIT
// Signal calls that concern the caller: actions, masks, stacks, waiting. Sending is in kill.c;
// delivery is in trap/deliver.c, and why three signals have virtual states, in docs/signals.md
// (rule 2).
#include <linux/errno.h>
#include <linux/signal.h>

#include "fs.h"
#include "host.h"
#include "siginfo.h"
#include "signal.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

#define SIGSET_SIZE 8
#define SA_EXPOSE_TAGBITS_ 0x800
// The flags that Linux keeps; a program finds out about the others by reading them back.
#define SA_KNOWN                                                                                   \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_RESTORER | SA_EXPOSE_TAGBITS_)

// Stores a new action. Lock held, if the record is shared.
static long set_action(struct task *t, int sig, struct ksigaction *now, struct ksigaction *new)
{
    bool same = signal_same_on_host(sig, now, new);
    if (!same && signal_lazy(t)) {
        long r = signal_make_real(t);
        if (r)
            return r;
    }
    new->flags &= SA_KNOWN;
    new->mask &= ~SIG_UNBLOCKABLE;
    *now = *new;
    if (!same)
        signal_set_host_action(t, sig);
    if (signal_is_handler(new->handler))
        return 0;
    if (new->handler == (uptr)SIG_IGN)
        t->sig_pending &= ~SIGSET_BIT(sig);
    // A pending one is gone.
    if (t->kept == (u32)sig &&
        (new->handler == (uptr)SIG_IGN || (SIG_DEFAULT_IGNORES & SIGSET_BIT(sig))))
        t->kept = 0;
    return 0;
}

static long change_action(struct task *t, int sig, uptr act, uptr oldact)
{
    struct sighand *h = t->sighand;
    struct ksigaction new, old;
    if (act && copy_from_guest(&new, act, sizeof new))
        return -EFAULT;
    if (sig < 1 || sig > 64 || (act && (SIG_UNBLOCKABLE & SIGSET_BIT(sig))))
        return -EINVAL;
    struct ksigaction *now = &h->action[sig - 1];
    // Only this thread itself can make the record a shared one.
    bool shared = __atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) > 1;
    if (shared)
        lock_take(&h->lock);
    if (oldact)
        old = *now;
    long r = act ? set_action(t, sig, now, &new) : 0;
    if (shared)
        lock_drop(&h->lock);
    return !r && oldact ? copy_to_guest(oldact, &old, sizeof old) : r;
}

// What programs do often, a handler in the place of a handler in a record that is not shared, is
// done here by registers alone; change_action() does all of it.
long sys_rt_sigaction(struct task *t, int sig, uptr act, uptr oldact, size_t sigsetsize)
{
    const struct ksigaction *from = (const struct ksigaction *)act;
    struct sighand *h = t->sighand;
    long r = 0;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (sig < 1 || sig > 64 || !act || oldact || !guest_range_ok(act, sizeof *from) ||
        __atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) > 1)
        return change_action(t, sig, act, oldact);
    uptr handler = word_from_guest(&from->handler, &r);
    u64 flags = word_from_guest(&from->flags, &r);
    u64 restorer = word_from_guest(&from->restorer, &r);
    u64 mask = word_from_guest(&from->mask, &r);
    struct ksigaction *now = &h->action[sig - 1];
    if (!r && signal_is_handler(handler) && signal_is_handler(now->handler) &&
        !((now->flags ^ flags) & SIG_HOST_FLAGS)) {
        now->handler = handler;
        now->flags = flags & SA_KNOWN;
        now->restorer = restorer;
        now->mask = mask & ~SIG_UNBLOCKABLE;
        return 0;
    }
    return change_action(t, sig, act, 0);
}

long sys_rt_sigprocmask(struct task *t, int how, uptr set, uptr oldset, size_t sigsetsize)
{
    u64 old = t->sigmask, new = old, arg;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (set) {
        if (copy_from_guest(&arg, set, sizeof arg))
            return -EFAULT;
        arg &= ~SIG_UNBLOCKABLE;
        switch (how) {
        case SIG_BLOCK:
            new |= arg;
            break;
        case SIG_UNBLOCK:
            new &= ~arg;
            break;
        case SIG_SETMASK:
            new = arg;
            break;
        default:
            return -EINVAL;
        }
        long r = new == old ? 0 : signal_set_mask(t, new);
        if (r)
            return r;
    }
    // Linux too has changed the mask by the time that it finds oldset bad.
    return oldset ? copy_to_guest(oldset, &old, sizeof old) : 0;
}

long sys_rt_sigpending(struct task *t, uptr set, size_t sigsetsize)
{
    u64 pending;
    if (sigsetsize > SIGSET_SIZE)
        return -EINVAL;
    long r = HOST2(__NR_rt_sigpending, &pending, SIGSET_SIZE);
    if (r)
        return r;
    pending = (pending | t->sig_pending) & t->sigmask;
    return copy_to_guest(set, &pending, sigsetsize);
}

long sys_rt_sigreturn(struct task *t)
{
    return signal_return(t);
}

// The host restarts its own calls below lxcore. A guest's own has nothing to restart: every return
// from a handler has made it so.
long sys_restart_syscall(struct task *t)
{
    (void)t;
    return -EINTR;
}

_Static_assert(sizeof(struct stack) == 24 && offsetof(struct stack, size) == 16, "stack_t");

long sys_sigaltstack(struct task *t, uptr ss, uptr old_ss)
{
    struct stack new, old = t->altstack;
    u32 state = signal_on_altstack(t, t->regs.rsp) ? SS_ONSTACK : 0;
    old.flags = (old.flags & SS_AUTODISARM) | (old.size ? state : SS_DISABLE);
    if (ss) {
        if (copy_from_guest(&new, ss, sizeof new))
            return -EFAULT;
        long r = signal_set_altstack(t, new, t->regs.rsp);
        if (r)
            return r;
    }
    return old_ss ? copy_to_guest(old_ss, &old, sizeof old) : 0;
}

// ---- Waiting with a mask of the call's own ----

// Begins a wait under guest mask `set`. -EINTR: a virtual pending signal is free under it and has
// ended the wait; -LX_ERESTART: a signal came before.
static long wait_begin(struct task *t, u64 set)
{
    u64 before = t->sig_pending;
    signal_wait_begin(t, set);
    if (!(before & ~set))
        return 0;
    signal_check_pending_under(t, set);
    return signal_wait_end(t, before & ~t->sig_pending ? -EINTR : -LX_ERESTART);
}

// A signal set argument: `mask` is the guest's, `real` without lxcore's own, `set` what the host
// gets.
struct wait_set {
    u64 mask, real;
    uptr set;
};

// 1: there is a mask; 0: none, or one that the host refuses by itself, when its turn has come (a
// bad timeout is before it); or an error to return.
static long get_wait_set(struct task *t, struct wait_set *w, uptr set, size_t size)
{
    w->set = set;
    if (!set || size != SIGSET_SIZE)
        return 0;
    if (copy_from_guest(&w->mask, set, sizeof w->mask)) {
        w->set = BAD_ADDRESS; // lest it be readable by then, and block what lxcore needs
        return 0;
    }
    w->set = (uptr)&w->real;
    w->mask &= ~SIG_UNBLOCKABLE;
    w->real = signal_real_mask(w->mask);
    long r = wait_begin(t, w->mask);
    return r ? r : 1;
}

long sys_rt_sigsuspend(struct task *t, uptr mask, size_t sigsetsize)
{
    struct wait_set w;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (!mask)
        return -EFAULT;
    long r = get_wait_set(t, &w, mask, sigsetsize);
    if (r <= 0)
        return r ? r : -EFAULT;
    return signal_wait_end(t, HOST_INTR2(__NR_rt_sigsuspend, &w.real, SIGSET_SIZE));
}

long sys_ppoll(struct task *t, uptr fds, unsigned int nfds, uptr timeout, uptr sigmask,
               size_t sigsetsize)
{
    struct wait_set w;
    long r = get_wait_set(t, &w, sigmask, sigsetsize);
    if (r < 0)
        return r;
    if (files_beyond_limit(t, nfds))
        nfds = ~0u; // beyond the host's, too
    long result = HOST_INTR5(__NR_ppoll, fds, nfds, timeout, w.set, sigsetsize);
    return r ? signal_wait_end(t, result) : result;
}

// The last argument of pselect6 and io_pgetevents: six arguments leave no room for the size.
struct set_and_size {
    uptr set;
    size_t size;
};

// As get_wait_set; *out is what the host gets instead of arg.
static long get_packed_set(struct task *t, struct wait_set *w, uptr arg, struct set_and_size *out)
{
    *out = (struct set_and_size){0, 0};
    if (!arg)
        return 0;
    if (copy_from_guest(out, arg, sizeof *out))
        return -EFAULT;
    long r = get_wait_set(t, w, out->set, out->size);
    out->set = w->set;
    return r;
}

long sys_pselect6(struct task *t, int nfds, uptr readfds, uptr writefds, uptr exceptfds,
                  uptr timeout, uptr sigmask)
{
    struct wait_set w;
    struct set_and_size pack;
    long r = get_packed_set(t, &w, sigmask, &pack);
    if (r < 0)
        return r;
    long result = HOST_INTR6(__NR_pselect6, nfds, readfds, writefds, exceptfds, timeout, &pack);
    return r ? signal_wait_end(t, result) : result;
}

long sys_io_pgetevents(struct task *t, unsigned long ctx, long min_nr, long nr, uptr events,
                       uptr timeout, uptr sigmask)
{
    struct wait_set w;
    struct set_and_size pack;
    long r = get_packed_set(t, &w, sigmask, &pack);
    if (r < 0)
        return r;
    long result = HOST_INTR6(__NR_io_pgetevents, ctx, min_nr, nr, events, timeout, &pack);
    return r ? signal_wait_end(t, result) : result;
}

// epoll_pwait and epoll_pwait2 differ in the type of timeout only.
static long epoll_wait_masked(struct task *t, int nr, int epfd, uptr events, int maxevents,
                              long timeout, uptr sigmask, size_t sigsetsize)
{
    struct wait_set w;
    long r = get_wait_set(t, &w, sigmask, sigsetsize);
    if (r < 0)
        return r;
    long result = HOST_INTR6(nr, epfd, events, maxevents, timeout, w.set, sigsetsize);
    return r ? signal_wait_end(t, result) : result;
}

long sys_epoll_pwait(struct task *t, int epfd, uptr events, int maxevents, int timeout,
                     uptr sigmask, size_t sigsetsize)
{
    return epoll_wait_masked(t, NR_epoll_pwait, epfd, events, maxevents, timeout, sigmask,
                             sigsetsize);
}

long sys_epoll_pwait2(struct task *t, int epfd, uptr events, int maxevents, uptr timeout,
                      uptr sigmask, size_t sigsetsize)
{
    return epoll_wait_masked(t, NR_epoll_pwait2, epfd, events, maxevents, (long)timeout, sigmask,
                             sigsetsize);
}

// ---- Taking signals without a handler ----

static long give_info(struct task *t, siginfo_t *info, uptr to)
{
    siginfo_to_guest(t, info);
    return to && copy_to_guest(to, info, sizeof *info) ? -EFAULT : info->si_signo;
}

long sys_rt_sigtimedwait(struct task *t, uptr set, uptr info, uptr timeout, size_t sigsetsize)
{
    struct __kernel_timespec ts;
    siginfo_t got = {0};
    u64 mask;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (copy_from_guest(&mask, set, sizeof mask) ||
        (timeout && copy_from_guest(&ts, timeout, sizeof ts)))
        return -EFAULT;
    if (timeout && (ts.tv_sec < 0 || (u64)ts.tv_nsec >= 1000000000))
        return -EINVAL;
    u64 ready = t->sig_pending & mask;
    if (ready) {
        int sig = __builtin_ctzl(ready) + 1;
        got = t->pending_info[signal_always_index(sig)];
        t->sig_pending &= ~SIGSET_BIT(sig);
        return give_info(t, &got, info);
    }
    u64 real = signal_real_mask(mask);
    long r = HOST_INTR4(__NR_rt_sigtimedwait, &real, &got, timeout ? &ts : NULL, SIGSET_SIZE);
    if (r == -EINTR && t->noted && (SIGSET_BIT(t->noted) & SIG_ALWAYS & mask)) {
        // One of those that the host never blocks has ended the wait that was for it.
        got = t->noted_info;
        t->noted = 0;
        signal_unblock(t);
        return give_info(t, &got, info);
    }
    if (r <= 0)
        return r;
    signal_take_kept(t, (int)r, &got);
    return give_info(t, &got, info);
}

long sys_signalfd4(struct task *t, int fd, uptr mask, size_t sizemask, int flags)
{
    u64 set;
    if (sizemask != SIGSET_SIZE)
        return -EINVAL;
    if (copy_from_guest(&set, mask, sizeof set))
        return -EFAULT;
    set = signal_real_mask(set);
    t->proc->eager_masks |= EAGER_SIGNALFD;
    t->kept = 0; // it cannot be told any more when the host's one is taken
    return HOST4(__NR_signalfd4, fd, &set, SIGSET_SIZE, flags);
}

long sys_signalfd(struct task *t, int fd, uptr mask, size_t sizemask)
{
    return sys_signalfd4(t, fd, mask, sizemask, 0);
}
