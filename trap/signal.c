// SPDX-License-Identifier: MIT
// Signals. lxcore owns every host handler and the host's alternate stack; the guest's dispositions
// are records (struct sighand). docs/signals.md is the chapter on the subject.
//
// A host signal finds the thread in one of four places:
//   guest code            the guest's frame is built at once, on the guest's stack
//   the door's exit       the same, with the registers that the door was about to load
//   an uaccess function   (faults only) the copy goes on at its fix-up and reports EFAULT
//   elsewhere in lxcore   the signal is noted; everything else is blocked in the interrupted
//                         frame, so there is never a second one; the door's exit delivers it
#include <linux/audit.h>
#include <linux/signal.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "host.h"
#include "memory.h"
#include "siginfo.h"
#include "signal.h"
#include "tracee.h"
#include "trap.h"
#include "uaccess.h"
#include "vdso.h"
#include "vectors.h"

#define EFLAGS_FIXED 0x2UL // always set in the register
#define EFLAGS_TF 0x100UL
#define EFLAGS_DF 0x400UL
#define EFLAGS_RF 0x10000UL
#define EFLAGS_AC 0x40000UL
// What a frame may change of the flags (FIX_EFLAGS in the kernel): AC OF DF TF SF ZF AF PF CF RF.
#define EFLAGS_IN_FRAME 0x50dd5UL
#define UC_FLAGS (UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS)
#define RED_ZONE 128

// The kernel's struct ucontext and rt_sigframe (arch/x86/include/asm/sigframe.h).
struct kucontext {
    u64 flags;
    uptr link;
    uptr ss_sp;
    s32 ss_flags;
    u32 pad;
    u64 ss_size;
    struct sigcontext_64 mc;
    u64 sigmask;
};

struct sigframe {
    uptr restorer;
    struct kucontext uc;
    siginfo_t info;
};

_Static_assert(sizeof(struct kucontext) == 304, "kernel's ucontext");
_Static_assert(sizeof(struct sigframe) == 440, "kernel's rt_sigframe");
#define AT(field, offset)                                                                          \
    _Static_assert(offsetof(struct sigcontext_64, field) == (offset), #field " as assembly sees "  \
                                                                             "it")
AT(r12, SC_R12);
AT(r13, SC_R13);
AT(r14, SC_R14);
AT(r15, SC_R15);
AT(bp, SC_RBP);
AT(bx, SC_RBX);
AT(ax, SC_RAX);
AT(sp, SC_RSP);
AT(ip, SC_RIP);

_Noreturn void door_return(void); // leaves lxcore, with t->regs
extern const char door_again[], door_check[], door_end[];
void signal_clear_ac(void);
_Noreturn void signal_resume(const struct sigcontext_64 *c);
extern const struct fixup fixups[], fixups_end[];
extern const char vdso_fixup[];
extern const char lxcore_text_end[];

// Slots, and jumps to them that stand by themselves, are lxcore's too: they lead to the door, and
// what comes there is noted. So is the host's vDSO where lxcore has called it.
static bool in_lxcore(const struct task *t, u64 pc)
{
    return t->vdso_sp || (pc >= (u64)lxcore_text_start && pc < (u64)lxcore_text_end) ||
           memory_in_slots(pc) || memory_is_pad(pc);
}

static bool between(u64 pc, const char *from, const char *to)
{
    return pc >= (u64)from && pc < (u64)to;
}

// A program may queue itself a signal that says to come from the kernel (rt_sigqueueinfo(2)). It
// arrives behind the host call that sends it or unblocks it, where nothing faults by itself.
static bool is_forged(u64 pc)
{
    return between(pc, hostcall_start, hostcall_end);
}

// Signals that the kernel sends for what an instruction did.
static bool is_fault(int sig, const siginfo_t *info)
{
    return info->si_code > 0 &&
           (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP);
}

void signal_die(struct task *t, int sig)
{
    struct ksigaction dfl = {0};
    u64 set = SIGSET_BIT(sig);
    HOST4(__NR_rt_sigaction, sig, &dfl, NULL, 8);
    HOST3(__NR_tgkill, t->proc->tgid, t->tid, sig);
    host_sigprocmask(SIG_UNBLOCK, &set, NULL);
    host_exit_group(128 + sig);
}

static void regs_from_context(struct regs *r, const struct sigcontext_64 *c)
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

static void regs_to_context(struct sigcontext_64 *c, const struct regs *r)
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

// Builds the guest's frame for sig and turns r into the handler's first state. fpstate: host
// memory to copy, or 0. Returns -EFAULT when the stack is bad; the frame's mask is `mask`.
static long build_frame(struct task *t, struct regs *r, const struct ksigaction *sa,
                        const siginfo_t *info, uptr fpstate, const struct sigcontext_64 *fault,
                        u64 mask)
{
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
    if (fault) {
        f.uc.mc.err = fault->err;
        f.uc.mc.trapno = fault->trapno;
        f.uc.mc.cr2 = fault->cr2;
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

// Puts a virtual signal aside as pending, as if it were blocked.
static void put_off(struct task *t, int sig, const siginfo_t *info)
{
    t->sig_pending |= SIGSET_BIT(sig);
    t->pending_info[signal_always_index(sig)] = *info;
}

// What happens to one signal that has arrived for the guest. Returns the guest's new mask in
// *mask, and whether r was changed to run a handler. Forced signals cannot be put off.
static bool deliver(struct task *t, int sig, const siginfo_t *info, struct regs *r, uptr fpstate,
                    const struct sigcontext_64 *fault, u64 *mask, bool forced)
{
    struct sighand *h = t->sighand;
    struct ksigaction sa = h->action[sig - 1];
    if (forced && (sa.handler == (uptr)SIG_IGN || (*mask & SIGSET_BIT(sig))))
        signal_die(t, sig);
    u64 blocked = t->has_wait_mask ? t->wait_mask : *mask;
    if (!forced && (blocked & SIGSET_BIT(sig)) && signal_is_always(sig)) {
        if (sa.handler != (uptr)SIG_IGN)
            put_off(t, sig, info);
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
    if (build_frame(t, r, &sa, info, fpstate, fault, *mask)) {
        if (sig == SIGSEGV)
            signal_die(t, SIGSEGV);
        siginfo_t segv = {0};
        segv.si_signo = SIGSEGV;
        segv.si_code = SI_KERNEL;
        return deliver(t, SIGSEGV, &segv, r, fpstate, fault, mask, true);
    }
    if (sa.flags & SA_RESETHAND) {
        lock_take(&h->lock);
        h->action[sig - 1].handler = (uptr)SIG_DFL;
        signal_set_host_action(t, sig);
        lock_drop(&h->lock);
    }
    *mask |= sa.mask & ~SIG_UNBLOCKABLE;
    if (!(sa.flags & SA_NODEFER))
        *mask |= SIGSET_BIT(sig);
    return true;
}

// The guest's mask, from a real one and the virtual bits.
static u64 guest_mask(const struct task *t, u64 real)
{
    return (real & ~SIG_ALWAYS) | (t->sigmask & SIG_ALWAYS);
}

u64 signal_call_off(u64 pc, bool again)
{
    if ((pc >= (u64)host_intr_begin && pc <= (u64)host_intr_syscall) ||
        (again && pc == (u64)host_intr_done))
        return (u64)host_intr_abort;
    if ((pc >= (u64)host_pass && pc <= (u64)host_pass_syscall) ||
        (again && pc == (u64)host_pass_done))
        return (u64)door_again;
    return between(pc, door_check, door_end) ? (u64)door_return : pc;
}

// Notes sig for the door's exit. One of SIG_ALWAYS cannot be blocked and may come second: of two,
// that one waits as a pending signal.
static void note(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc)
{
    u64 pc = uc->mc.ip;
    // The place is claimed first: a SIGSYS that comes before the rest is written finds it taken.
    u32 was = __atomic_exchange_n(&t->noted, (u32)sig, __ATOMIC_ACQ_REL);
    if (was && signal_is_always(sig)) {
        t->noted = was;
        put_off(t, sig, info);
        return;
    }
    if (was && was != NOTED_STOP && was != (u32)sig) // the same: a tracer noted it, and was killed
        put_off(t, (int)was, &t->noted_info);
    t->noted_info = *info;
    // One of SIG_ALWAYS may come while lxcore itself has the others blocked.
    u64 real = signal_real_mask(uc->sigmask);
    t->noted_mask = real == signal_real_mask(~0UL) ? signal_real_mask(t->sigmask) : real;
    uc->sigmask = ~SIG_ALWAYS;
    uc->mc.ip = signal_call_off(pc, false);
}

// A noted signal has mostly found the thread behind a host call, or sent it to the end of one.
// There it goes on without a return of the host's: all signals are blocked, and stay so.
static void resume(int sig, const struct kucontext *uc)
{
    u64 pc = uc->mc.ip;
    bool at_end = pc == (u64)host_call_done || pc == (u64)host_intr_done ||
                  pc == (u64)host_intr_abort || pc == (u64)host_pass_done || pc == (u64)door_again;
    if (at_end && !signal_is_always(sig) && vectors_load_host(uc->mc.fpstate))
        signal_resume(&uc->mc);
}

static u64 fixup_address(const int *field)
{
    return (u64)field + (u64)*field;
}

static bool fix_up(const struct task *t, struct kucontext *uc)
{
    u64 pc = uc->mc.ip;
    if (t->vdso_sp) {
        vdso_give_up();
        uc->mc.ip = (u64)vdso_fixup;
        return true;
    }
    for (const struct fixup *f = fixups; f < fixups_end; f++)
        if (pc >= fixup_address(&f->from) && pc < fixup_address(&f->to)) {
            uc->mc.ip = fixup_address(&f->at);
            return true;
        }
    return false;
}

static _Noreturn void crash(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc)
{
    log_line("internal error: signal %d (code %d, address %lx) in the runtime at %lx, call %ld, "
             "pid %u",
             sig, info->si_code, (unsigned long)info->si_addr, (unsigned long)uc->mc.ip,
             (long)t->regs.orig_rax, t->tid);
    signal_die(t, sig);
}

// Did the kernel drop a dispatch because a foreign SIGSYS was already pending? Then the thread
// stands behind a `syscall` whose registers are as the instruction left them; the door's own
// returns leave bit 1 of R11 clear, which the instruction never does.
static bool dispatch_lost(const struct sigcontext_64 *c)
{
    u8 insn[2];
    return c->cx == c->ip && (c->r11 & EFLAGS_FIXED) &&
           !copy_from_guest(insn, c->ip - 2, sizeof insn) && insn[0] == 0x0f && insn[1] == 0x05;
}

// The host's vDSO, called by lxcore, cannot read the clock source and asks the kernel: the call
// that it made is made from where the engine lets it pass.
static void serve_vdso(const siginfo_t *info, struct sigcontext_64 *c)
{
    vdso_give_up();
    c->ip = (u64)info->_sifields._sigsys._call_addr;
    c->ax = (u64)HOST6(info->_sifields._sigsys._syscall, c->di, c->si, c->dx, c->r10, c->r8, c->r9);
}

// The guest's handler begins where the host's ends, without a return of the host's, which takes as
// long as six calls: the vectors are as the kernel gives them to a handler, the mask is one call.
static _Noreturn void enter_handler(struct task *t, const struct regs *r, u64 mask)
{
    t->regs = *r;
    signal_enter_mask(t, mask);
    door_return();
}

// A second signal came while this handler ran: the door's exit delivers it.
static void leave_by_door(struct task *t, struct kucontext *uc, const struct regs *r)
{
    t->regs = *r;
    t->noted_mask = uc->sigmask;
    uc->sigmask = ~SIG_ALWAYS;
    uc->mc.ip = (u64)door_return;
}

// A call that a tracer has to do with ends with that signal.
static void settle(struct task *t, int sig, bool unsettled)
{
    const struct ksigaction *sa = &t->sighand->action[sig - 1];
    if (!signal_is_handler(sa->handler))
        sa = NULL;
    tracee_called_off(t, sa);
    if (unsettled)
        tracee_restart(t, sa);
}

// A signal that found the thread in guest code (or at the door's exit, with registers r).
static void signal_in_guest(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc,
                            struct regs *r, bool fault)
{
    if (fault && signal_is_always(sig) && t->sighand->action[sig - 1].handler == (uptr)SIG_DFL &&
        !(t->sigmask & SIGSET_BIT(sig))) {
        // Dies of the same fault again, with the kernel's own core dump; of one in a slot, at the
        // program's instruction.
        struct ksigaction dfl = {0};
        HOST4(__NR_rt_sigaction, sig, &dfl, NULL, 8);
        t->trace.pass = (u8)sig; // a tracer has seen it
        if (!memory_in_slots(uc->mc.ip) || memory_put_back(uc->mc.ip))
            regs_to_context(&uc->mc, r);
        return;
    }
    u64 mask = guest_mask(t, uc->sigmask);
    if (deliver(t, sig, info, r, uc->mc.fpstate, &uc->mc, &mask, fault))
        enter_handler(t, r, mask);
    regs_to_context(&uc->mc, r);
    t->sigmask = mask;
    uc->sigmask = t->real_mask = signal_real_mask(mask);
    if (t->noted)
        leave_by_door(t, uc, r);
}

// Another thread wants this one to arm. That is no signal of the guest's, and whatever was going on
// goes on.
static void kicked(struct task *t, struct kucontext *uc)
{
    struct regs r = t->regs;
    bool at_exit = between(uc->mc.ip, door_check, door_end);
    if (!t->noted || (in_lxcore(t, uc->mc.ip) && !at_exit))
        return;
    if (!at_exit)
        regs_from_context(&r, &uc->mc);
    leave_by_door(t, uc, &r);
}

// A moved instruction has faulted: it read a bad stack, or what a program has protected in order to
// know. That is the guest's fault, told with the guest's own address.
static void fault_in_slot(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc)
{
    struct regs r;
    regs_from_context(&r, &uc->mc);
    r.eflags |= t->step; // where the guest goes on is no call's end
    t->step = 0;
    if (t->noted) {
        // Another signal came before, in this slot. It goes first, by the door, as if the thread
        // had not been at this instruction yet; back from its handler, the fault comes again.
        t->regs = r;
        uc->mc.flags &= ~(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC);
        uc->mc.ip = (u64)door_return;
        return;
    }
    r.rip = memory_slot_origin(uc->mc.ip);
    signal_in_guest(t, sig, info, uc, &r, true);
}

// A trapped call goes to the door. A second signal that came while this handler ran is delivered
// there first.
static void leave_for_noted(struct task *t, struct kucontext *uc)
{
    if (t->noted) {
        t->noted_mask = uc->sigmask;
        uc->sigmask = ~SIG_ALWAYS;
    }
}

// The thread has sent itself a signal that will end the process. It goes on behind its call, where
// the signal finds it, so that a core file has the guest's registers, and not lxcore's.
static void die_in_guest(struct task *t, struct kucontext *uc)
{
    siginfo_t info = {.si_signo = (int)t->dying, .si_code = SI_TKILL};
    info.si_pid = (s32)t->proc->tgid;
    info.si_uid = (u32)t->instance->host_uid;
    t->dying = 0;
    t->inside = 0;
    regs_to_context(&uc->mc, &t->regs);
    uc->sigmask = t->real_mask = signal_real_mask(t->sigmask);
    HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, info.si_signo, &info); // blocked here
}

// A fault finds lxcore's handler with SIGSEGV and SIGBUS blocked, as another process may send them
// faster than they are taken, and frame upon frame would fill the alternate stack. They must come
// where guest memory is touched. A second one finds lxcore then, touches none, and is gone at once.
static void let_faults_in(const struct task *t, int sig, u64 pc)
{
    const u64 faults = SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS);
    bool from_guest = !in_lxcore(t, pc) || memory_in_slots(pc) || between(pc, door_check, door_end);
    if ((SIGSET_BIT(sig) & faults) && from_guest)
        host_sigprocmask(SIG_UNBLOCK, &faults, NULL);
}

static void take_signal(struct task *t, int sig, siginfo_t *info, struct kucontext *uc)
{
    bool fault = is_fault(sig, info) && !is_forged(uc->mc.ip);
    u64 lazy = signal_lazy(t);
    struct regs r;

    if (uc->mc.flags & EFLAGS_AC)
        signal_clear_ac(); // the kernel leaves it set, and not all here is aligned
    let_faults_in(t, sig, uc->mc.ip);
    if (sig == SIGSYS && t->wanted)
        task_arm_kicked(t); // by any: where one waits already, the kernel drops a second one
    if (lazy) {
        // Whatever has come, the handler's return makes the mask real.
        uc->sigmask |= lazy;
        t->real_mask |= lazy;
        if (lazy & SIGSET_BIT(sig)) {
            signal_put_back(t, sig, info);
            return;
        }
    }
    if (tracee_is_stop(t, sig, info))
        return; // its tracer is gone, as stop() finds
    if (sig == SIGSYS && task_is_kick(t, info)) {
        kicked(t, uc);
        return;
    }
    if (sig == SIGSYS && t->dying) {
        die_in_guest(t, uc);
        return;
    }
    if (t->kept == (u32)sig)
        signal_take_kept(t, sig, info);
    if (sig == SIGSYS && trap_is_dispatch(t, info) && !is_forged(uc->mc.ip)) {
        if (t->vdso_sp) {
            serve_vdso(info, &uc->mc);
            return;
        }
        trap_sigsys(info, &uc->mc);
        leave_for_noted(t, uc);
        return;
    }
    if (sig == SIGSEGV && fault && !in_lxcore(t, uc->mc.ip) && trap_at_site(&uc->mc)) {
        trap_redirect(&uc->mc, uc->mc.ip + 2);
        leave_for_noted(t, uc);
        return;
    }
    if (sig == SIGSEGV && fault && !in_lxcore(t, uc->mc.ip) && trap_at_copy(t, &uc->mc)) {
        regs_from_context(&r, &uc->mc);
        if (t->noted)
            leave_by_door(t, uc, &r);
        return;
    }
    if (between(uc->mc.ip, door_check, door_end)) {
        if (sig == SIGTRAP && fault && (t->regs.eflags & EFLAGS_TF)) {
            // A guest that steps itself: the flag bit is in force already. Go on in the guest; the
            // trap comes behind its next instruction.
            regs_to_context(&uc->mc, &t->regs);
            return;
        }
        if (t->noted && signal_is_always(sig)) {
            put_off(t, sig, info);
            return;
        }
        if (t->noted ==
            (u32)sig) { // by its tracer, which was killed before it let the thread go on
            uc->sigmask = ~SIG_ALWAYS;
            uc->mc.ip = (u64)door_return;
            return;
        }
        settle(t, sig, t->trace.unsettled);
        r = t->regs;
        signal_in_guest(t, sig, info, uc, &r, fault);
    } else if (!in_lxcore(t, uc->mc.ip)) {
        if (sig == SIGSYS && dispatch_lost(&uc->mc)) {
            trap_redirect(&uc->mc, uc->mc.ip);
            note(t, sig, info, uc);
            return;
        }
        regs_from_context(&r, &uc->mc);
        signal_in_guest(t, sig, info, uc, &r, fault);
    } else if (fault && sig != SIGTRAP && memory_in_slots(uc->mc.ip)) {
        fault_in_slot(t, sig, info, uc);
    } else if (fault && sig == SIGTRAP && (uc->mc.flags & EFLAGS_TF)) {
        // A guest that steps itself has come by a rewritten site: as trap_redirect() has it.
        t->step = EFLAGS_TF;
        uc->mc.flags &= ~EFLAGS_TF;
    } else if (fault && sig == SIGTRAP) {
        note(t, sig, info, uc); // of a step by a tracer that was killed; lxcore raises none
    } else if (fault) {
        if ((sig != SIGSEGV && sig != SIGBUS) || !fix_up(t, uc))
            crash(t, sig, info, uc);
    } else {
        note(t, sig, info, uc);
        resume(sig, uc);
    }
}

// The host handler of every signal. Runs on the block's alternate stack with every signal blocked
// but SIG_ALWAYS. The kernel's return from it leaves the GS base as it is: a guest with one of its
// own is given it here, and by the door's exit. That may be interrupted, too, by one of SIG_ALWAYS.
static void signal_handler(int sig, siginfo_t *info, struct kucontext *uc)
{
    struct task *t = task_of_stack();
    u64 pc = uc->mc.ip, gs = task_check_gs(t);
    take_signal(t, sig, info, uc);
    if (!(t->keeps & KEEPS_GS))
        return;
    if (uc->mc.ip != pc)
        gs = in_lxcore(t, uc->mc.ip) ? (u64)t : t->guest_gs;
    __asm__ volatile("wrgsbase %0" : : "r"(gs));
}

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
    u64 mask = guest_mask(t, t->noted_mask);
    struct ksigaction sa = {0};
    if (sig) {
        sa = t->sighand->action[sig - 1];
        settle(t, sig, unsettled);
        handled = deliver(t, sig, &info, &t->regs, 0, NULL, &mask, false);
    } else if (unsettled && !(t->keeps & KEEPS_STOP)) {
        tracee_restart(t, NULL);
    }
    if (handled) {
        if (t->trace.at_exit == AT_EXIT_READY) // of a step, which ends here
            t->trace.at_exit = AT_EXIT_STEPPED;
        vectors_clear(t);
        // A wait's own mask stays in force under the handler; the frame has saved the one before.
        if (t->has_wait_mask)
            mask = t->wait_mask | sa.mask | (sa.flags & SA_NODEFER ? 0 : SIGSET_BIT(sig));
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
    if (t->noted)
        deliver_noted(t);
    else if (t->keeps & KEEPS_STOP)
        tracee_attend(t);
    if (!t->noted && !(t->keeps & KEEPS_STOP))
        t->trace.restart = 0;
}

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
    u64 before = t->sigmask,
        mask = before | sa->mask | (sa->flags & SA_NODEFER ? 0 : SIGSET_BIT(sig));
    // One that came before goes first. One that comes from here on interrupts the handler.
    long r = signal_set_mask(t, mask);
    if (r)
        return r;
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_pid = (s32)t->proc->tgid;
    u64 after = before;
    t->regs.rax = 0; // the call's result
    deliver(t, sig, &info, &t->regs, 0, NULL, &after, false);
    vectors_clear(t);
    if (after != mask) // there was no room for the frame
        force_mask(t, after);
    door_return();
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

void signal_force(struct task *t, int sig, int code, uptr addr)
{
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_addr = (void *)addr;
    if (tracee_is(t) && !(sig = tracee_signal(t, sig, &info)))
        return;
    u64 mask = t->noted ? guest_mask(t, t->noted_mask) : t->sigmask;
    deliver(t, sig, &info, &t->regs, 0, NULL, &mask, true);
    vectors_clear(t);
    force_mask(t, mask);
}

long signal_in_place_of_call(struct task *t, int code, int error)
{
    const int sig = SIGSYS;
    const struct ksigaction *sa = &t->sighand->action[sig - 1];
    siginfo_t info = {.si_signo = sig, .si_code = code, .si_errno = error};
    info._sifields._sigsys._call_addr = (void *)t->regs.rip;
    info._sifields._sigsys._syscall = (int)t->regs.orig_rax;
    info._sifields._sigsys._arch = AUDIT_ARCH_X86_64;
    u64 after = t->sigmask,
        mask = after | sa->mask | (sa->flags & SA_NODEFER ? 0 : SIGSET_BIT(sig));
    long r = signal_set_mask(t, mask);
    if (r)
        return r;
    deliver(t, sig, &info, &t->regs, 0, NULL, &after, true);
    vectors_clear(t);
    if (after != (mask & ~SIG_UNBLOCKABLE)) // there was no room for the frame
        force_mask(t, after);
    door_return();
}

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

static _Noreturn void bad_frame(struct task *t)
{
    t->regs.rax = 0; // as the result of a call
    signal_force(t, SIGSEGV, SI_KERNEL, 0);
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

long signal_set_host_action(struct task *t, int sig)
{
    const struct ksigaction *g = &t->sighand->action[sig - 1];
    struct ksigaction host = {
        .handler = g->handler, .flags = SA_RESTORER, .restorer = (uptr)host_restorer};
    if (signal_is_caught(sig, g)) {
        host.handler = (uptr)signal_handler;
        host.flags |= SA_SIGINFO | SA_ONSTACK;
        host.mask = ~SIG_ALWAYS;
        t->sighand->caught |= SIGSET_BIT(sig);
    } else {
        t->sighand->caught &= ~SIGSET_BIT(sig);
    }
    host.flags |= g->flags & SIG_HOST_FLAGS;
    // Each of SIG_ALWAYS waits while its handler runs, or a storm of it would fill the alternate
    // stack with frames; see let_faults_in().
    return HOST4(__NR_rt_sigaction, sig, &host, NULL, 8);
}

void signal_init(struct task *t)
{
    signal_set_host_action(t, SIGSYS);
    signal_set_host_action(t, SIGSEGV);
    signal_set_host_action(t, SIGBUS);
}
