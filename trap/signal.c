// SPDX-License-Identifier: MIT
// Signals, as the host delivers them: lxcore's handler. lxcore owns every host handler and the
// host's alternate stack; the guest's dispositions are records (struct sighand). docs/signals.md is
// the chapter on the subject.
//
// A host signal finds the thread in one of four places:
//   guest code            the guest's frame is built at once, on the guest's stack
//   the door's exit       the same, with the registers that the door was about to load
//   an uaccess function   (faults only) the copy goes on at its fix-up and reports EFAULT
//   elsewhere in lxcore   the signal is noted; everything else is blocked in the interrupted
//                         frame, so there is never a second one; the door's exit delivers it
// What delivering means for the guest is in trap/deliver.c.
#include <linux/signal.h>

#include <asm/sigcontext.h>

#include "deliver.h"
#include "host.h"
#include "memory.h"
#include "signal.h"
#include "tracee.h"
#include "trap.h"
#include "uaccess.h"
#include "vdso.h"
#include "vectors.h"

#define EFLAGS_FIXED 0x2UL // always set in the register

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

static bool in_own_text(const struct task *t, u64 pc)
{
    return t->vdso_sp || (pc >= (u64)lxcore_text_start && pc < (u64)lxcore_text_end);
}

// Slots, and jumps to them that stand by themselves, are lxcore's too: they lead to the door, and
// what comes there is noted. So is the host's vDSO where lxcore has called it.
static bool in_lxcore(const struct task *t, u64 pc)
{
    return in_own_text(t, pc) || memory_in_slots(pc) || memory_is_pad(pc);
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
        signal_put_off(t, sig, info);
        return;
    }
    if (was && was != NOTED_STOP && was != (u32)sig) // the same: a tracer noted it, and was killed
        signal_put_off(t, (int)was, &t->noted_info);
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
    u64 mask = signal_guest_mask(t, uc->sigmask);
    if (signal_deliver(t, info, r, &uc->mc, &mask, fault))
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
// where guest memory is touched, as its code is to tell whether pc is lxcore's. A second one finds
// lxcore then, touches none, and is gone at once.
static void let_faults_in(const struct task *t, int sig, u64 pc)
{
    const u64 faults = SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS);
    bool from_guest = !in_own_text(t, pc) || between(pc, door_check, door_end);
    if ((SIGSET_BIT(sig) & faults) && from_guest)
        host_sigprocmask(SIG_UNBLOCK, &faults, NULL);
}

// Ends a lazy mask, of which `lazy` was what the host had not been told: whatever has come, the
// handler's return makes it real. True: it is a signal that the guest blocks, and lies in the
// host's queue again.
static bool end_lazy_mask(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc,
                          u64 lazy)
{
    uc->sigmask |= lazy;
    t->real_mask |= lazy;
    if (!(lazy & SIGSET_BIT(sig)))
        return false;
    signal_put_back(t, sig, info);
    return true;
}

// Signals by which lxcore's threads speak to each other, and to themselves. True: it was one.
static bool take_own(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc)
{
    if (tracee_is_stop(t, sig, info))
        return true; // its tracer is gone, as stop() finds
    if (sig != SIGSYS)
        return false;
    if (task_is_kick(t, info))
        kicked(t, uc);
    else if (t->dying)
        die_in_guest(t, uc);
    else
        return false;
    return true;
}

// A system call of the guest's, or what rewritten text does in place of one. True: it was that.
static bool take_call(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc,
                      bool fault)
{
    if (sig == SIGSYS && trap_is_dispatch(t, info) && !is_forged(uc->mc.ip)) {
        if (t->vdso_sp) {
            serve_vdso(info, &uc->mc);
            return true;
        }
        trap_sigsys(info, &uc->mc);
        leave_for_noted(t, uc);
        return true;
    }
    if (sig != SIGSEGV || !fault || in_lxcore(t, uc->mc.ip))
        return false;
    const u8 site = trap_site(&uc->mc);
    if (site == SITE_CALL) {
        trap_redirect(&uc->mc, uc->mc.ip + 2);
        leave_for_noted(t, uc);
        return true;
    }
    if ((site == SITE_CPUID && trap_cpuid(t, &uc->mc)) || trap_at_guard(t, &uc->mc) ||
        trap_at_copy(t, &uc->mc)) {
        struct regs r;
        regs_from_context(&r, &uc->mc);
        if (!t->noted && (t->keeps & KEEPS_STOP))
            t->noted = NOTED_STOP; // its tracer's step ends here
        if (t->noted)
            leave_by_door(t, uc, &r);
        return true;
    }
    return false;
}

static void take_at_exit(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc,
                         bool fault)
{
    if (sig == SIGTRAP && fault && (t->regs.eflags & EFLAGS_TF)) {
        // A guest that steps itself: the flag bit is in force already. Go on in the guest; the
        // trap comes behind its next instruction.
        regs_to_context(&uc->mc, &t->regs);
        return;
    }
    if (t->noted && signal_is_always(sig)) {
        signal_put_off(t, sig, info);
        return;
    }
    if (t->noted == (u32)sig) { // by its tracer, which was killed before it let the thread go on
        uc->sigmask = ~SIG_ALWAYS;
        uc->mc.ip = (u64)door_return;
        return;
    }
    signal_settle_call(t, sig, t->trace.unsettled);
    struct regs r = t->regs;
    signal_in_guest(t, sig, info, uc, &r, fault);
}

static void take_in_guest(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc,
                          bool fault)
{
    if (sig == SIGSYS && dispatch_lost(&uc->mc)) {
        trap_redirect(&uc->mc, uc->mc.ip);
        note(t, sig, info, uc);
        return;
    }
    struct regs r;
    regs_from_context(&r, &uc->mc);
    signal_in_guest(t, sig, info, uc, &r, fault);
}

static void fault_in_lxcore(struct task *t, int sig, const siginfo_t *info, struct kucontext *uc)
{
    if (sig != SIGTRAP && memory_in_slots(uc->mc.ip)) {
        fault_in_slot(t, sig, info, uc);
    } else if (sig == SIGTRAP && (uc->mc.flags & EFLAGS_TF)) {
        // A guest that steps itself has come by a rewritten site: as trap_redirect() has it.
        t->step = EFLAGS_TF;
        uc->mc.flags &= ~(u64)EFLAGS_TF;
    } else if (sig == SIGTRAP) {
        note(t, sig, info, uc); // of a step by a tracer that was killed; lxcore raises none
    } else if ((sig != SIGSEGV && sig != SIGBUS) || !fix_up(t, uc)) {
        crash(t, sig, info, uc);
    }
}

// What is no signal of the guest's comes first; then it matters where the thread was.
static void take_signal(struct task *t, int sig, siginfo_t *info, struct kucontext *uc)
{
    bool fault = is_fault(sig, info) && !is_forged(uc->mc.ip);
    u64 lazy = signal_lazy(t); // before a second fault is let in, whose handler changes that

    if (uc->mc.flags & EFLAGS_AC)
        signal_clear_ac(); // the kernel leaves it set, and not all here is aligned
    let_faults_in(t, sig, uc->mc.ip);
    if (sig == SIGSYS && t->wanted)
        task_arm_kicked(t); // by any: where one waits already, the kernel drops a second one
    if ((lazy && end_lazy_mask(t, sig, info, uc, lazy)) || take_own(t, sig, info, uc))
        return;
    if (t->kept == (u32)sig)
        signal_take_kept(t, sig, info);
    if (take_call(t, sig, info, uc, fault))
        return;
    if (between(uc->mc.ip, door_check, door_end)) {
        take_at_exit(t, sig, info, uc, fault);
    } else if (!in_lxcore(t, uc->mc.ip)) {
        take_in_guest(t, sig, info, uc, fault);
    } else if (fault) {
        fault_in_lxcore(t, sig, info, uc);
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
