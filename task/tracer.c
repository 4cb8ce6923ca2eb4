// SPDX-License-Identifier: MIT
// See include/tracer.h. The guest's tracer is the host's, too: each stop of a traced thread comes
// to its wait, and is one of three kinds (docs/ptrace.md):
//   made by lxcore     the thread stands in lxcore, where it says what the guest is to see
//   in guest code      the host's stop is the guest's, registers and all
//   in lxcore          the thread is sent to the door's exit, where it will stop by itself
// Which threads are traced: task/tracees.c.
#include <linux/ptrace.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <asm/ptrace-abi.h>

#include "tracees.h"

#include "host.h"
#include "signal.h"
#include "tracee.h"
#include "tracer.h"
#include "trap.h"

#include "rewrite.h"

#define CODE_SECCOMP 1 // si_code of SIGSYS
#define CODE_USER_DISPATCH 2
#define MASK_SIZE 8
#define COPIED offsetof(struct task, temps)

long tracer_host(long request, u32 tid, uptr addr, uptr data)
{
    return HOST4(__NR_ptrace, request, tid, addr, data);
}

// ---- Its memory ----

long tracer_peek(const struct tracee *e, uptr at, void *to, size_t n)
{
    struct iovec mine = {to, n}, its = {(void *)at, n};
    long r = HOST6(__NR_process_vm_readv, e->tid, &mine, 1, &its, 1, 0);
    return r == (long)n ? 0 : r < 0 ? r : -EFAULT;
}

long tracer_poke(const struct tracee *e, uptr at, const void *from, size_t n)
{
    struct iovec mine = {(void *)from, n}, its = {(void *)at, n};
    long r = HOST6(__NR_process_vm_writev, e->tid, &mine, 1, &its, 1, 0);
    return r == (long)n ? 0 : r < 0 ? r : -EFAULT;
}

long tracer_look(u32 tid, struct tracee *e)
{
    e->tid = tid;
    e->at = 0;
    long r = tracer_host(PTRACE_GETREGS, tid, 0, (uptr)&e->host);
    if (r)
        return r;
    uptr at = e->host.gs_base;
    // Of a new thread or a new image, GS is another's or none.
    if (at >= LX_BASE && at < LX_END && at % TASK_BLOCK == TASK_AT &&
        !tracer_peek(e, at, &e->task, COPIED) && (uptr)e->task.self == at && e->task.tid == tid)
        e->at = at;
    return 0;
}

static bool in_lxcore(const struct tracee *e)
{
    return (e->at && e->task.vdso_sp) || (e->host.rip >= (u64)LX_BASE && e->host.rip < (u64)LX_END);
}

bool tracer_in_stop(const struct tracee *e)
{
    return e->at && e->task.trace.stop;
}

static long cont(const struct tracee *e, u32 sig)
{
    return tracer_host(PTRACE_CONT, e->tid, 0, sig);
}

static void poke_trace(struct tracee *e)
{
    const struct trace *s = &e->task.trace;
    if (s->at_exit || s->pends)
        e->task.keeps |= KEEPS_STOP;
    TRACER_POKE(e, trace);
    TRACER_POKE(e, keeps);
}

static void set_at_exit(struct tracee *e, enum trace_at_exit what)
{
    e->task.trace.at_exit = (u8)what;
    poke_trace(e);
}

// Is its task not the caller's yet? It may have been that of a tracer that is dead.
static bool is_new(const struct task *t, const struct tracee *e)
{
    return e->at && (!(e->task.keeps & KEEPS_TRACED) || e->task.trace.tracer != t->proc->tgid);
}

// What stays from one tracer to the next.
static struct trace of_its_call(const struct trace *s)
{
    return (struct trace){.in_call = s->in_call,
                          .unsettled = s->unsettled,
                          .restart = s->restart,
                          .pends = s->pends & PENDS_MASK,
                          .mask = s->mask};
}

// The signal that a thread goes on with if nobody sees the stop that it is about to make.
static u8 unseen(const struct trace *s)
{
    return s->stop == TRACE_SIGNAL || s->again == TRACE_SIGNAL ? (u8)s->status : 0;
}

// Makes it the guest's traced thread, which the host's it has become.
static void begin(struct task *t, struct tracee *e, u32 options, bool seized)
{
    // It may not have come on yet from its last stop for another tracer, which may be dead.
    u8 sig = e->task.trace.stop || e->task.trace.again ? unseen(&e->task.trace) : e->task.trace.sig;
    e->task.trace = of_its_call(&e->task.trace);
    e->task.trace.sig = sig;
    e->task.trace.options = options;
    e->task.trace.tracer = t->proc->tgid;
    e->task.trace.seized = (u8)seized;
    e->task.trace.fresh = 1;
    e->task.keeps |= KEEPS_TRACED;
    TRACER_POKE(e, trace);
    TRACER_POKE(e, keeps);
}

// ---- Stops in lxcore ----

static bool is_restart(s64 code)
{
    return code == -512 || code == -513 || code == -514 || code == -516;
}

// A tracer that has had the guest do something else has put the registers of a sleep back: the host
// would make that again by restart_syscall(2), and knows nothing of it. It begins anew, as where
// lxcore makes it again (tracee_restart()); with a handler both end by EINTR.
static void begin_anew(struct tracee *e)
{
    struct user_regs *r = &e->host;
    if (in_lxcore(e) || (s32)r->orig_rax < 0 || (s64)r->rax != -516)
        return;
    r->rax = (u64)-514; // ERESTARTNOHAND
    tracer_host(PTRACE_SETREGS, e->tid, 0, (uptr)r);
}

// A call that is about to be made, or to be made again, is not; and what the door's exit has looked
// at is looked at again. As note() in trap/signal.c does it, but for what the kernel would have
// done about the call: the thread is told.
static void call_off(struct tracee *e)
{
    struct user_regs *r = &e->host;
    bool again = (s64)r->orig_rax >= 0 && is_restart((s64)r->rax);
    u64 to = signal_call_off(r->rip, again);
    if (to == r->rip)
        return;
    if (again)
        e->task.trace.restart = (u16) - (s64)r->rax;
    TRACER_POKE(e, trace);
    r->rip = to;
    r->orig_rax = ~0UL;
    tracer_host(PTRACE_SETREGS, e->tid, 0, (uptr)r);
}

// The thread finds sig noted, and in lxcore all blocked, as if its handler had noted it. The caller
// may be killed at any step: a call is called off before all is blocked, and with what is noted the
// thread comes to the door's exit by itself.
static void note(struct tracee *e, u32 sig)
{
    u64 mask = 0, all = ~SIG_ALWAYS;
    tracer_host(PTRACE_GETSIGMASK, e->tid, MASK_SIZE, (uptr)&mask);
    mask = signal_real_mask(mask) | signal_lazy(&e->task);
    e->task.noted_mask = mask == signal_real_mask(~0UL) ? signal_real_mask(e->task.sigmask) : mask;
    e->task.noted = (u16)sig;
    TRACER_POKE(e, noted_mask);
    TRACER_POKE(e, noted);
    if (!in_lxcore(e))
        return; // whose handler does the same
    call_off(e);
    tracer_host(PTRACE_SETSIGMASK, e->tid, MASK_SIZE, (uptr)&all);
}

// The thread is to stop at the door's exit, and is sent there. A new one stops there anyway. info:
// of the SIGSTOP that it is to stop for; or NULL.
static void bring_out(struct tracee *e, u8 pends, const siginfo_t *info)
{
    if (info) {
        e->task.trace.stop_code = info->si_code;
        e->task.trace.stop_pid = info->si_pid;
        e->task.trace.stop_uid = info->si_uid;
        e->task.trace.stop_value = (u64)info->si_ptr;
    }
    if (e->task.trace.at_exit != AT_EXIT_NEW)
        e->task.trace.pends |= pends;
    e->task.keeps |= KEEPS_STOP;
    poke_trace(e);
    if (!e->task.noted)
        note(e, NOTED_STOP);
    if (!in_lxcore(e)) {
        siginfo_t kick = task_kick_info((struct task *)e->at);
        u32 tgid;
        if (!tracer_peek(e, (uptr)&e->task.proc->tgid, &tgid, sizeof tgid))
            HOST4(__NR_rt_tgsigqueueinfo, tgid, e->tid, SIGSYS, &kick);
    }
    cont(e, 0);
}

bool tracer_on_way(const struct tracee *e)
{
    return e->at && !e->task.trace.stop && in_lxcore(e);
}

long tracer_set_mask_later(struct tracee *e, u64 mask)
{
    e->task.trace.mask = mask;
    e->task.trace.pends |= PENDS_MASK;
    poke_trace(e);
    if (!e->task.noted)
        note(e, NOTED_STOP);
    return 0;
}

static bool is_caught(const struct tracee *e, u32 sig)
{
    u64 caught = 0;
    tracer_peek(e, (uptr)&e->task.sighand->caught, &caught, sizeof caught);
    return caught & SIGSET_BIT(sig);
}

static void in_runtime(struct tracee *e, u32 sig, const siginfo_t *info)
{
    const u64 bit = SIGSET_BIT(sig);
    if (sig == SIGSTOP) {
        bring_out(e, PENDS_SIGSTOP, info);
    } else if (bit & SIG_ALWAYS) {
        cont(e, sig); // the handler knows
    } else if (info->si_code > 0 && sig == SIGTRAP) {
        // A step that has led here, or a watched word that a copy has touched, as the kernel may.
        if (e->task.trace.mode == TRACE_STEP)
            set_at_exit(e, AT_EXIT_STEPPED);
        cont(e, 0);
    } else if ((signal_blocked(&e->task) & bit) || (e->task.noted && e->task.noted != NOTED_STOP)) {
        cont(e, sig); // blocked lazily, or the handler knows
    } else if (is_caught(e, sig)) {
        call_off(e); // the handler notes it, once, whatever becomes of the caller
        cont(e, sig);
    } else {
        e->task.noted_info = *info;
        TRACER_POKE(e, noted_info);
        note(e, sig);
        cont(e, 0);
    }
}

// ---- Stops in guest code ----

static bool is_engines(const struct task *t, const siginfo_t *info)
{
    return info->si_code == (t->engine == ENGINE_SECCOMP ? CODE_SECCOMP : CODE_USER_DISPATCH);
}

static bool is_dispatch(const struct tracee *e, const siginfo_t *info)
{
    return is_engines(&e->task, info) || task_is_kick((const struct task *)e->at, info);
}

// A rewritten call that was come to by a way that nobody knew, or a cpuid (trap/engine.c).
static bool is_site(const struct tracee *e, const siginfo_t *info)
{
    u8 insn[2];
    return info->si_code == SI_KERNEL && !tracer_peek(e, e->host.rip, insn, sizeof insn) &&
           insn[0] == REWRITE_TRAP && (insn[1] == 0x05 || insn[1] == 0xa2);
}

static bool is_own(struct tracee *e, u32 sig, const siginfo_t *info)
{
    if ((sig == SIGSYS && is_dispatch(e, info)) || (sig == SIGSEGV && is_site(e, info))) {
        if (e->task.trace.mode == TRACE_STEP)
            set_at_exit(e, AT_EXIT_STEPPED);
        return true;
    }
    return info->si_code <= 0 && (e->task.sigmask & SIGSET_BIT(sig)); // blocked lazily
}

// ---- All stops ----

// One without a task: a new child before its first instruction, which will stop by itself, or one
// that was there before, and is on the way into its own process or program.
static void not_ready(const struct tracee *e, u32 sig, u32 event)
{
    bool new = !tracees_has(e->tid);
    bool stop = event == PTRACE_EVENT_STOP || sig == SIGSTOP;
    cont(e, stop || event || sig == SIGTRAP ? 0 : sig);
    if (!stop || new)
        return;
    // The tracer waits for this one: once more, a little later.
    HOST0(__NR_sched_yield);
    if (event)
        tracer_host(PTRACE_INTERRUPT, e->tid, 0, 0);
    else
        HOST2(__NR_tkill, e->tid, SIGSTOP);
}

// One whose GS base is its own, in its own code: no more of it is known, and no call is seen.
static bool has_own_gs(const struct tracee *e)
{
    return e->host.gs_base && (e->host.gs_base < LX_BASE || e->host.gs_base >= LX_END) &&
           !in_lxcore(e);
}

static bool own_gs_stopped(struct task *t, const struct tracee *e, u32 sig, u32 event)
{
    siginfo_t info;
    if (event && sig == SIGTRAP && tracees_take(e->tid, SEIZED_QUIETLY)) {
        cont(e, 0);
        return false;
    }
    if (event || sig != SIGSYS || tracer_host(PTRACE_GETSIGINFO, e->tid, 0, (uptr)&info) ||
        !is_engines(t, &info))
        return true;
    cont(e, sig);
    return false;
}

// The thread is about to leave by the door. Its registers are those of the guest, from now on on
// the host, and it makes one step.
static void step_out(struct tracee *e)
{
    struct user_regs r;
    tracer_regs(e, &r);
    r.gs_base = e->host.gs_base;
    r.orig_rax = ~0UL;
    e->task.trace.stop = TRACE_RUNS;
    e->task.inside = 0;
    TRACER_POKE(e, trace);
    TRACER_POKE(e, inside);
    tracer_host(PTRACE_SETREGS, e->tid, 0, (uptr)&r);
    tracer_host(PTRACE_SINGLESTEP, e->tid, 0, 0);
}

// The group has stopped, which is the guest's to see at once. A stop that the thread was about to
// make itself comes behind it.
static bool of_group(struct tracee *e)
{
    struct trace *s = &e->task.trace;
    if (s->stop == TRACE_READY)
        s->at_exit = AT_EXIT_READY;
    else if (s->stop)
        s->again = s->stop;
    s->stop = TRACE_RUNS;
    poke_trace(e);
    return true;
}

bool tracer_stopped(struct task *t, u32 tid, u32 *status)
{
    struct tracee e;
    siginfo_t info;
    u32 sig = *status & 0xff, event = *status >> 8;
    if (tracer_look(tid, &e))
        return true; // not traced, or by another thread
    if (event && event != PTRACE_EVENT_STOP)
        return true;
    if (!e.at && has_own_gs(&e))
        return own_gs_stopped(t, &e, sig, event);
    if (!e.at) {
        not_ready(&e, sig, event);
        tracer_know(tid);
        return false;
    }
    tracer_know(tid);
    if (is_new(t, &e)) {
        u32 with = tracees_take(tid, ~SEIZED_QUIETLY);
        begin(t, &e, with & ~SEIZED, with || event);
        if (with)
            tracer_host(PTRACE_SETOPTIONS, tid, 0, with & HOST_OPTIONS);
    }
    struct trace *s = &e.task.trace;
    if (event) {
        bool quietly = tracees_take(tid, SEIZED_QUIETLY);
        if (sig != SIGTRAP)
            return of_group(&e);
        if (!in_lxcore(&e) && !s->fresh && !quietly)
            return true;
        bring_out(&e, quietly ? 0 : PENDS_INTERRUPT, NULL);
        return false;
    }
    if (tracer_host(PTRACE_GETSIGINFO, tid, 0, (uptr)&info))
        return of_group(&e);
    if (s->stop && sig == SIGSYS && info.si_code == TRACEE_STOP_CODE) {
        if (s->stop == TRACE_READY) {
            step_out(&e);
            return false;
        }
        *status = s->status;
        return true;
    }
    if (s->pass == sig) {
        s->pass = 0;
        TRACER_POKE(&e, trace);
        cont(&e, sig);
    } else if (sig == SIGSTOP && s->fresh) {
        bring_out(&e, PENDS_SIGSTOP, &info);
    } else if (in_lxcore(&e)) {
        in_runtime(&e, sig, &info);
    } else if (is_own(&e, sig, &info)) {
        cont(&e, sig);
    } else {
        return true;
    }
    return false;
}

// ---- What its tracer does with it ----

// Its task is gone (PTRACE_EVENT_EXIT): what is set has no effect, on Linux neither.
bool tracer_is_ending(const struct tracee *e)
{
    return !e->at && in_lxcore(e);
}

void tracer_regs(const struct tracee *e, struct user_regs *r)
{
    *r = e->host;
    if (tracer_is_ending(e)) // lxcore's own are nobody's to see
        *r = (struct user_regs){.orig_rax = e->host.orig_rax,
                                .rdi = e->host.rdi,
                                .eflags = e->host.eflags,
                                .fs_base = e->host.fs_base,
                                .cs = USER_CS,
                                .ss = USER_DS};
    if (!e->at)
        return;
    r->gs_base = e->task.keeps & KEEPS_GS ? e->task.guest_gs : 0;
    if (!in_lxcore(e))
        return;
    const struct regs *g = &e->task.regs;
    memcpy(r, g, offsetof(struct user_regs, cs));
    r->eflags = g->eflags;
    r->rsp = g->rsp;
    r->cs = USER_CS;
    r->ss = USER_DS;
}

// What a tracer may set of the flags (arch/x86/kernel/ptrace.c: FLAG_MASK).
#define EFLAGS_SETTABLE 0x54dd5UL

long tracer_set_regs(struct tracee *e, const struct user_regs *r)
{
    struct regs *g = &e->task.regs;
    struct user_regs h = e->host;
    if (tracer_is_ending(e))
        return 0;
    if (!e->at || r->gs_base != (e->task.keeps & KEEPS_GS ? e->task.guest_gs : 0))
        return -EIO;
    if (in_lxcore(e)) {
        memcpy(g, r, offsetof(struct user_regs, cs));
        g->eflags = (g->eflags & ~EFLAGS_SETTABLE) | (r->eflags & EFLAGS_SETTABLE);
        g->rsp = r->rsp;
        long error = TRACER_POKE(e, regs);
        if (error || h.fs_base == r->fs_base)
            return error;
        h.fs_base = r->fs_base;
    } else {
        h = *r;
        h.gs_base = e->host.gs_base;
    }
    return tracer_host(PTRACE_SETREGS, e->tid, 0, (uptr)&h);
}

void tracer_wants_text(struct task *t, struct tracee *e)
{
    struct trace *s = &e->task.trace;
    siginfo_t info;
    u32 status;
    bool interrupted = false;
    if (!tracer_in_stop(e) || t->engine != ENGINE_REWRITE || s->own_text)
        return;
    s->asked = s->own_text = 1;
    s->stop = TRACE_RUNS;
    if (TRACER_POKE(e, trace) || cont(e, 0))
        return;
    for (;;) { // till it stands there again; its end is for the guest's wait
        info = (siginfo_t){0};
        long r =
            HOST5(__NR_waitid, P_PID, e->tid, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL, NULL);
        if (r == -EINTR) // one of the caller's signals, which is noted by now
            continue;
        if (r || (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED))
            return;
        status = (u32)info.si_status;
        if (!tracer_stopped(t, e->tid, &status))
            continue;
        if (!tracer_look(e->tid, e) && tracer_in_stop(e))
            break;
        // Another stop came first. It will come again, of a group too, if the thread was seized.
        interrupted = true;
        cont(e, 0);
    }
    HOST5(__NR_waitid, P_PID, e->tid, &info, WSTOPPED | WNOHANG | __WALL, NULL);
    if (interrupted)
        tracer_host(PTRACE_INTERRUPT, e->tid, 0, 0);
}

long tracer_go_on(struct task *t, struct tracee *e, enum trace_mode mode, u32 sig)
{
    struct trace *s = &e->task.trace;
    u8 stop = s->stop;
    bool outside = !in_lxcore(e), step = mode == TRACE_STEP;
    if (!e->at)
        return cont(e, sig);
    s->mode = (u8)mode;
    s->tracer = t->proc->tgid;
    s->stop = TRACE_RUNS;
    if (stop)
        s->sig = (u8)sig;
    if (s->at_exit == AT_EXIT_READY || s->at_exit == AT_EXIT_STEPPED) { // of the step before
        s->at_exit = AT_EXIT_NOTHING;
        if (!s->pends)
            e->task.keeps &= (u8)~KEEPS_STOP;
    }
    if (step && (!outside || (sig && is_caught(e, sig)))) {
        s->at_exit = stop == TRACE_ENTRY || !stop ? AT_EXIT_STEPPED : AT_EXIT_READY;
        e->task.keeps |= KEEPS_STOP;
        step = false;
    }
    TRACER_POKE(e, trace);
    TRACER_POKE(e, keeps);
    begin_anew(e);
    return tracer_host(step ? PTRACE_SINGLESTEP : PTRACE_CONT, e->tid, 0, stop ? 0 : sig);
}

long tracer_detach(struct tracee *e, u32 sig)
{
    u8 stop = 0, pends = 0;
    if (e->at) {
        stop = e->task.trace.stop;
        pends = e->task.trace.pends;
        u8 given = stop ? (u8)sig : unseen(&e->task.trace);
        e->task.trace = of_its_call(&e->task.trace);
        e->task.trace.sig = given;
        e->task.keeps &= (u8)~KEEPS_TRACED;
        if (!e->task.trace.unsettled && !e->task.trace.pends)
            e->task.keeps &= (u8)~KEEPS_STOP;
        TRACER_POKE(e, trace);
        TRACER_POKE(e, keeps);
    }
    tracer_forget(e->tid);
    if (pends & PENDS_SIGSTOP) // which nobody has seen
        HOST2(__NR_tkill, e->tid, SIGSTOP);
    begin_anew(e);
    return tracer_host(PTRACE_DETACH, e->tid, 0, stop ? 0 : sig);
}
