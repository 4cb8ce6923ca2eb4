// SPDX-License-Identifier: MIT
// From a signal that has arrived to the guest's handler, and back from it: the guest's frame, its
// alternate stack, rt_sigreturn. Who calls: lxcore's handler, which found the guest in its own code
// (trap/signal.c); the door's exit, for what was noted in lxcore (signal_attend()); and calls that
// end by a signal. docs/signals.md is the chapter.
#include <linux/audit.h>
#include <linux/signal.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "deliver.h"
#include "host.h"
#include "memory.h"
#include "siginfo.h"
#include "signal.h"
#include "tracee.h"
#include "uaccess.h"
#include "vectors.h"

// What a frame may change of the flags (FIX_EFLAGS in the kernel): AC OF DF TF SF ZF AF PF CF RF.
#define EFLAGS_IN_FRAME 0x50dd5UL
#define UC_FLAGS (UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS)
#define RED_ZONE 128

// The kernel's struct rt_sigframe (arch/x86/include/asm/sigframe.h).
struct sigframe {
    uptr restorer;
    struct kucontext uc;
    siginfo_t info;
};

_Static_assert(sizeof(struct sigframe) == 440, "kernel's rt_sigframe");
_Noreturn void door_return(void); // leaves lxcore, with t->regs

// ---- To a handler ----

void regs_from_context(struct regs *r, const struct sigcontext_64 *c)
{
    *r = (struct regs){.r15 = c->r15,
                       .r14 = c->r14,
                       .r13 = c->r13,
                       .r12 = c->r12,
                       .rbp = c->bp,
                       .rbx = c->bx,
                       .r11 = c->r11,
                       .r10 = c->r10,
                       .r9 = c->r9,
                       .r8 = c->r8,
                       .rax = c->ax,
                       .rcx = c->cx,
                       .rdx = c->dx,
                       .rsi = c->si,
                       .rdi = c->di,
                       .orig_rax = c->ax,
                       .rip = c->ip,
                       .eflags = c->flags,
                       .rsp = c->sp};
}

void regs_to_context(struct sigcontext_64 *c, const struct regs *r)
{
    c->r15 = r->r15, c->r14 = r->r14, c->r13 = r->r13, c->r12 = r->r12;
    c->bp = r->rbp, c->bx = r->rbx, c->r11 = r->r11, c->r10 = r->r10;
    c->r9 = r->r9, c->r8 = r->r8, c->ax = r->rax, c->cx = r->rcx;
    c->dx = r->rdx, c->si = r->rsi, c->di = r->rdi;
    c->ip = r->rip, c->flags = r->eflags, c->sp = r->rsp;
}

bool signal_on_altstack(const struct task *t, uptr sp)
{
    return !(t->altstack.flags & SS_AUTODISARM) && t->altstack.size && sp > t->altstack.sp &&
           sp - t->altstack.sp <= t->altstack.size;
}

// Builds the guest's frame for *info and turns r into the handler's first state. host: as for
// signal_deliver(). mask: what the frame says, for the handler's return. 0, or -EFAULT: the stack
// is bad.
static long build_frame(struct task *t, struct regs *r, const struct ksigaction *sa,
                        const siginfo_t *info, const struct sigcontext_64 *host, u64 mask)
{
    uptr fpstate = host ? host->fpstate : 0;
    size_t xsize = vectors_size(t, fpstate);
    uptr sp = r->rsp - RED_ZONE;
    bool nested = signal_on_altstack(t, r->rsp);
    if ((sa->flags & SA_ONSTACK) && t->altstack.size && !nested)
        sp = t->altstack.sp + t->altstack.size;
    uptr fp = (sp - xsize) & ~63UL;
    uptr at = ((fp - sizeof(struct sigframe)) & ~15UL) - 8;
    // A frame that would run out of the altstack it began on is a bad stack (signal(7)).
    if ((nested || ((sa->flags & SA_ONSTACK) && t->altstack.size)) &&
        !(at > t->altstack.sp && at - t->altstack.sp <= t->altstack.size))
        return -EFAULT;
    if (!(sa->flags & SA_RESTORER))
        return -EFAULT;

    struct sigframe f = {.restorer = sa->restorer};
    f.uc.flags = UC_FLAGS;
    f.uc.ss_sp = t->altstack.sp;
    f.uc.ss_flags = (int)t->altstack.flags;
    f.uc.ss_size = t->altstack.size;
    regs_to_context(&f.uc.mc, r);
    if (memory_in_slots(r->rip)) // see fault_in_slot(), signal_return()
        f.uc.mc.ip = memory_slot_origin(r->rip);
    f.uc.mc.cs = USER_CS;
    f.uc.mc.ss = USER_DS;
    f.uc.mc.fpstate = fp;
    f.uc.mc.oldmask = mask;
    if (host) {
        f.uc.mc.err = host->err;
        f.uc.mc.trapno = host->trapno;
        f.uc.mc.cr2 = host->cr2;
    }
    f.uc.sigmask = mask;
    f.info = *info;
    siginfo_to_guest(t, &f.info);
    if (vectors_save(t, fp, fpstate, xsize) || copy_to_guest(at, &f, sizeof f))
        return -EFAULT;
    if (t->altstack.flags & SS_AUTODISARM)
        t->altstack = (struct stack){.flags = SS_DISABLE};
    r->rdi = (u64)info->si_signo;
    r->rsi = at + offsetof(struct sigframe, info);
    r->rdx = at + offsetof(struct sigframe, uc);
    r->rax = 0;
    r->rsp = at;
    r->rip = sa->handler;
    r->eflags &= ~(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
    return 0;
}

// What a handler blocks besides, while it runs.
static u64 blocked_by(const struct ksigaction *sa, int sig)
{
    return (sa->mask | (sa->flags & SA_NODEFER ? 0 : SIGSET_BIT(sig))) & ~SIG_UNBLOCKABLE;
}

void signal_put_off(struct task *t, int sig, const siginfo_t *info)
{
    t->sig_pending |= SIGSET_BIT(sig);
    t->pending_info[signal_always_index(sig)] = *info;
}

bool signal_deliver(struct task *t, const siginfo_t *info, struct regs *r,
                    const struct sigcontext_64 *host, u64 *mask, bool forced)
{
    const int sig = info->si_signo;
    struct sighand *h = t->sighand;
    struct ksigaction sa = h->action[sig - 1];
    if (forced && (sa.handler == (uptr)SIG_IGN || (*mask & SIGSET_BIT(sig))))
        signal_die(t, sig);
    u64 blocked = t->has_wait_mask ? t->wait_mask : *mask;
    if (!forced && (blocked & SIGSET_BIT(sig)) && signal_is_always(sig)) {
        if (sa.handler != (uptr)SIG_IGN)
            signal_put_off(t, sig, info);
        return false;
    }
    if (sa.handler == (uptr)SIG_IGN)
        return false;
    if (sa.handler == (uptr)SIG_DFL) {
        if (signal_is_always(sig))
            signal_die(t, sig);
        // The action changed after the signal came, or a tracer had to see it first: give it back
        // to the kernel, whose own default action is in force by now.
        if (tracee_is(t)) {
            if (SIGSET_BIT(sig) & SIG_DEFAULT_IGNORES)
                return false;
            t->trace.pass = (u8)sig;
        }
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, sig, info);
        return false;
    }
    // A mask of sigsuspend and its like is over: the frame saves the one before it.
    if (build_frame(t, r, &sa, info, host, *mask)) {
        if (sig == SIGSEGV)
            signal_die(t, SIGSEGV);
        const siginfo_t segv = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
        return signal_deliver(t, &segv, r, host, mask, true);
    }
    if (sa.flags & SA_RESETHAND) {
        lock_take(&h->lock);
        h->action[sig - 1].handler = (uptr)SIG_DFL;
        signal_set_host_action(t, sig);
        lock_drop(&h->lock);
    }
    *mask |= blocked_by(&sa, sig);
    return true;
}

void signal_settle_call(struct task *t, int sig, bool unsettled)
{
    const struct ksigaction *sa = &t->sighand->action[sig - 1];
    if (!signal_is_handler(sa->handler))
        sa = NULL;
    tracee_called_off(t, sa);
    if (unsettled)
        tracee_restart(t, sa);
}

// ---- At the door's exit ----

static void deliver_noted(struct task *t)
{
    const u64 all = ~SIG_ALWAYS;
    if (t->noted == NOTED_STOP)
        host_sigprocmask(SIG_BLOCK, &all, NULL); // its tracer may have been killed before
    int sig = t->noted == NOTED_STOP ? 0 : (int)t->noted;
    siginfo_t info = t->noted_info;
    bool unsettled = tracee_is_unsettled(t), handled = false;
    if (sig && tracee_is(t))
        tracee_interrupted(t);
    if (sig && tracee_is(t))
        sig = tracee_signal(t, sig, &info);
    u64 mask = signal_guest_mask(t, t->noted_mask);
    struct ksigaction sa = {0};
    if (sig) {
        sa = t->sighand->action[sig - 1];
        signal_settle_call(t, sig, unsettled);
        handled = signal_deliver(t, &info, &t->regs, NULL, &mask, false);
    } else if (unsettled && !(t->keeps & KEEPS_STOP)) {
        tracee_restart(t, NULL);
    }
    if (handled) {
        if (t->trace.at_exit == AT_EXIT_READY) // of a step, which ends here
            t->trace.at_exit = AT_EXIT_STEPPED;
        vectors_clear(t);
        // A wait's own mask stays in force under the handler; the frame has saved the one before.
        if (t->has_wait_mask)
            mask = t->wait_mask | blocked_by(&sa, sig);
    }
    t->has_wait_mask = 0;
    t->sigmask = mask;
    t->noted = 0;
    signal_check_pending(t);
    signal_enter_mask(t, mask);
}

void signal_attend(struct task *t)
{
    if (t->wanted)
        task_arm_wanted(t);
    if (t->noted && (t->noted == NOTED_STOP || !tracee_begins(t)))
        deliver_noted(t);
    else if (t->keeps & KEEPS_STOP)
        tracee_attend(t);
    if (!t->noted && !(t->keeps & KEEPS_STOP))
        t->trace.restart = 0;
}

void signal_check_pending(struct task *t)
{
    signal_check_pending_under(t, t->sigmask);
}

void signal_check_pending_under(struct task *t, u64 mask)
{
    u64 ready = t->sig_pending & ~mask;
    if (!ready || t->noted)
        return;
    // Real signals are kept out while the virtual one becomes the noted one.
    u64 all = ~SIG_ALWAYS;
    host_sigprocmask(SIG_BLOCK, &all, NULL);
    if (t->noted)
        return;
    int sig = __builtin_ctzl(ready) + 1;
    t->sig_pending &= ~SIGSET_BIT(sig);
    t->noted_info = t->pending_info[signal_always_index(sig)];
    t->noted_mask = signal_real_mask(t->sigmask);
    t->noted = (u32)sig;
}

// ---- In place of a call, and for one that the thread sends itself ----

// The mask of a handler that was forced: a noted signal leaves it to the door's exit.
static void force_mask(struct task *t, u64 mask)
{
    if (t->noted) {
        t->sigmask = mask;
        t->noted_mask = signal_real_mask(mask);
    } else {
        signal_force_mask(t, mask);
    }
}

// What the kernel does with such a signal is to find this handler. Those that take others out of
// the queues, and the virtual ones, are the host's; so are real-time ones, of which a limit counts,
// and all where another thread could take it or change the action.
long signal_to_self(struct task *t, int sig, int code)
{
    const u64 never = SIG_ALWAYS | SIG_UNBLOCKABLE | SIG_JOB;
    if (tracee_is(t) || sig < 1 || sig > 31 || (SIGSET_BIT(sig) & (never | t->sigmask)))
        return 0;
    const struct ksigaction *sa = &t->sighand->action[sig - 1];
    if (code == SI_TKILL && (SIGSET_BIT(sig) & SIG_DUMPS_CORE) && sa->handler == (uptr)SIG_DFL &&
        !t->noted && !t->wanted) {
        t->regs.rax = 0; // the call's result
        t->dying = (u32)sig;
        HOST3(__NR_tgkill, t->proc->tgid, t->tid, SIGSYS); // see die_in_guest()
    }
    if (t->proc->eager_masks & EAGER_SHARED)
        return 0;
    if (!signal_is_caught(sig, sa))
        return 0;
    u64 before = t->sigmask, mask = before | blocked_by(sa, sig);
    // One that came before goes first. One that comes from here on interrupts the handler.
    long r = signal_set_mask(t, mask);
    if (r)
        return r;
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_pid = (s32)t->proc->tgid;
    u64 after = before;
    t->regs.rax = 0; // the call's result
    signal_deliver(t, &info, &t->regs, NULL, &after, false);
    vectors_clear(t);
    if (after != mask) // there was no room for the frame
        force_mask(t, after);
    door_return();
}

long signal_in_place_of_call(struct task *t, int code, int error)
{
    const int sig = SIGSYS;
    const struct ksigaction *sa = &t->sighand->action[sig - 1];
    siginfo_t info = {.si_signo = sig, .si_code = code, .si_errno = error};
    info._sifields._sigsys._call_addr = (void *)t->regs.rip;
    info._sifields._sigsys._syscall = (int)t->regs.orig_rax;
    info._sifields._sigsys._arch = AUDIT_ARCH_X86_64;
    u64 after = t->sigmask, mask = after | blocked_by(sa, sig);
    long r = signal_set_mask(t, mask);
    if (r)
        return r;
    signal_deliver(t, &info, &t->regs, NULL, &after, true);
    vectors_clear(t);
    if (after != mask) // there was no room for the frame
        force_mask(t, after);
    door_return();
}

// ---- The alternate stack, and the way back ----

// A process that may use AMX needs room for its state in every frame.
static bool frame_fits(const struct task *t, size_t size)
{
    const size_t frame = sizeof(struct sigframe) + 15 + 63; // with its alignment, the vector area's
    return !t->proc->tile_size || size > frame + t->proc->tile_size;
}

long signal_set_altstack(struct task *t, struct stack new, uptr sp)
{
    u32 mode = new.flags & ~SS_AUTODISARM;
    if (signal_on_altstack(t, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    // No change is no error: where no stack was ever set, a frame names one of no size and no flag,
    // and what the handler set stays behind its return.
    if (new.sp == t->altstack.sp &&new.size == t->altstack.size &&new.flags == t->altstack.flags)
        return 0;
    if (mode == SS_DISABLE)
        new.sp = new.size = 0;
    else if (new.size < MINSIGSTKSZ || !frame_fits(t, new.size))
        return -ENOMEM;
    t->altstack = new;
    return 0;
}

// SIGSEGV in place of the return, at the registers as they are by now.
static _Noreturn void bad_frame(struct task *t)
{
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    t->regs.rax = 0; // as the result of a call
    if (tracee_is(t) && !tracee_signal(t, SIGSEGV, &info))
        door_return();
    u64 mask = t->noted ? signal_guest_mask(t, t->noted_mask) : t->sigmask;
    signal_deliver(t, &info, &t->regs, NULL, &mask, true);
    vectors_clear(t);
    force_mask(t, mask);
    door_return();
}

long signal_return(struct task *t)
{
    struct kucontext uc;
    if (copy_from_guest(&uc, t->regs.rsp, sizeof uc))
        bad_frame(t);
    // A signal that came before and is blocked by the new mask goes first, and the call is made
    // again. Any other one from here on is delivered at the door's exit, on the stack that the
    // frame names.
    long r = signal_set_mask(t, uc.sigmask);
    if (r)
        return r;
    // As Linux 6.12 has it: before the registers, so that a stack in use by the handler stays.
    signal_set_altstack(t, (struct stack){uc.ss_sp, (u32)uc.ss_flags, uc.ss_size}, t->regs.rsp);
    u64 eflags = t->regs.eflags;
    regs_from_context(&t->regs, &uc.mc);
    t->regs.eflags = (eflags & ~EFLAGS_IN_FRAME) | (uc.mc.flags & EFLAGS_IN_FRAME);
    t->regs.rip = memory_window_slot(uc.mc.ip);
    if (vectors_load(t, uc.mc.fpstate))
        bad_frame(t);
    if (tracee_is(t)) {
        t->regs.orig_rax = ~0UL; // none is to be restarted
        tracee_leave(t, (long)t->regs.rax);
    }
    door_return();
}
