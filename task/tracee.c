// SPDX-License-Identifier: MIT
// See include/tracee.h. A stop is the host's: the thread sends itself a SIGSYS, which is never
// blocked, and which its tracer finds, knows by t->trace.stop, and takes out (task/tracer.c).
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "host.h"
#include "memory.h"
#include "rewritten.h"
#include "signal.h"
#include "tracee.h"

#ifndef PTRACE_O_TRACESECCOMP
#define PTRACE_O_TRACESECCOMP (1 << PTRACE_EVENT_SECCOMP)
#endif
#define TRAP_STEP 2 // si_code TRAP_TRACE
// include/linux/errno.h of the kernel: how a call that a signal ended is to be restarted.
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

static void clear(struct task *t, u8 bits)
{
    __atomic_fetch_and(&t->keeps, (u8)~bits, __ATOMIC_RELAXED);
}

// Nobody has let the thread go on: its tracer is gone. What a new one has begun meanwhile stays;
// that leaves s->stop 0.
static void lost(struct task *t)
{
    clear(t, KEEPS_TRACED);
    if (!__atomic_exchange_n(&t->trace.stop, TRACE_RUNS, __ATOMIC_ACQ_REL))
        __atomic_fetch_or(&t->keeps, KEEPS_TRACED | KEEPS_STOP, __ATOMIC_RELAXED);
}

// Stops. Returns the signal that the tracer lets the thread go on with; where there is none any
// more, the one that it would have seen.
static int stop(struct task *t, enum trace_stop what, u32 status, siginfo_t *info)
{
    struct trace *s = &t->trace;
    siginfo_t sent = {.si_signo = SIGSYS, .si_code = TRACEE_STOP_CODE};
    sent.si_ptr = t;
    if (!tracee_is(t))
        return what == TRACE_SIGNAL ? (int)status : 0;
    s->status = (u16)status;
    s->info = info;
    do {
        s->sig = s->asked = s->again = 0;
        __atomic_store_n(&s->stop, (u8)what, __ATOMIC_RELEASE);
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, SIGSYS, &sent);
        if (__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
            lost(t);
            return what == TRACE_SIGNAL ? (int)status : 0;
        }
        if (s->asked)
            rewritten_take_back(t);
    } while (s->asked || s->again);
    return s->sig;
}

bool tracee_is_stop(const struct task *t, int sig, const siginfo_t *info)
{
    return sig == SIGSYS && info->si_code == TRACEE_STOP_CODE && info->si_ptr == t;
}

bool tracee_possible(const struct task *t)
{
    // Its tracer is there already; or a task is not found, which is by GS.
    if (t->engine == ENGINE_PTRACE || (t->keeps & KEEPS_GS))
        return false;
    return !HOST6(__NR_process_vm_readv, t->tid, NULL, 0, NULL, 0, 0);
}

long tracee_begin(struct task *t)
{
    u32 parent = (u32)HOST0(__NR_getppid);
    // Process 1 is none that would trace.
    if (!tracee_possible(t) || parent == t->instance->supervisor || t->trace.with_exec)
        return -EPERM;
    // The tracer stands in its vfork, and could not let the thread go on from a stop for an
    // engine's SIGSYS: the host is told when there is a new program. Until then the guest would see
    // none but stops for signals, which hold both for good.
    bool later = t->vfork_child && !tracee_is(t);
    long r = later ? 0 : HOST4(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0);
    if (r)
        return r;
    t->instance->traces = 1;
    t->trace = (struct trace){.tracer = parent, .with_exec = later};
    if (!later)
        __atomic_fetch_or(&t->keeps, KEEPS_TRACED, __ATOMIC_RELAXED);
    return 0;
}

// ---- Calls ----

static u32 call_status(const struct task *t)
{
    return SIGTRAP | (t->trace.options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
}

static void stop_at_call(struct task *t, enum trace_stop what)
{
    int sig = stop(t, what, call_status(t), NULL);
    siginfo_t info = {.si_signo = sig, .si_code = SI_KERNEL}; // ptrace_report_syscall() there
    if (!sig)
        return;
    // Of those a code of the kernel's says what an instruction has done.
    if (SIGSET_BIT(sig) &
        (SIG_ALWAYS | SIGSET_BIT(SIGTRAP) | SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGILL)))
        HOST3(__NR_tgkill, t->proc->tgid, t->tid, sig);
    else
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, sig, &info);
}

bool tracee_enter(struct task *t, long *result)
{
    struct trace *s = &t->trace;
    t->regs.rax = (u64)-ENOSYS; // what the kernel shows there
    s->in_call = 1;
    s->restart = 0;
    if (s->mode != TRACE_SYSCALL && s->mode != TRACE_EMULATE)
        return false;
    bool emulates = s->mode == TRACE_EMULATE;
    stop_at_call(t, TRACE_ENTRY);
    *result = (long)t->regs.rax;
    return emulates || (s32)t->regs.orig_rax == -1;
}

void tracee_leave(struct task *t, long result)
{
    struct trace *s = &t->trace;
    if (result == -LX_ERESTART)
        result = -(long)(s->restart ? s->restart : ERESTARTNOINTR);
    s->restart = 0;
    t->regs.rax = (u64)result;
    s->unsettled = 1;
    __atomic_store_n(&s->in_call, 0, __ATOMIC_RELEASE); // from here on the registers may be seen
    if (s->mode == TRACE_SYSCALL && s->at_exit != AT_EXIT_NEW)
        stop_at_call(t, TRACE_LEAVE);
    // Otherwise with what there is to attend to.
    if (!__atomic_load_n(&t->noted, __ATOMIC_RELAXED) && !(t->keeps & KEEPS_STOP))
        tracee_restart(t, NULL);
}

static bool is_made_again(u16 code, const struct ksigaction *sa)
{
    return !sa || code == ERESTARTNOINTR || (code == ERESTARTSYS && (sa->flags & SA_RESTART));
}

void tracee_restart(struct task *t, const struct ksigaction *sa)
{
    struct regs *r = &t->regs;
    bool again = true;
    t->trace.unsettled = 0;
    if ((s32)r->orig_rax == -1)
        return;
    switch (-(s64)r->rax) {
    case ERESTARTSYS:
    case ERESTARTNOHAND:
    case ERESTART_RESTARTBLOCK:
        again = is_made_again((u16) - (s64)r->rax, sa);
        break;
    case ERESTARTNOINTR:
        break;
    default:
        return;
    }
    if (again)
        r->rip -= 2;
    r->rax = again ? r->orig_rax : (u64)-EINTR;
}

void tracee_called_off(struct task *t, const struct ksigaction *sa)
{
    struct regs *r = &t->regs;
    u16 code = t->trace.restart;
    bool at_call = r->rip == r->rcx - 2 && r->rax == r->orig_rax; // by door_again (trap/door.S)
    if (!code || t->trace.in_call)
        return;
    t->trace.restart = 0;
    if (!at_call || is_made_again(code, sa))
        return;
    r->rip = r->rcx;
    r->rax = (u64)-EINTR;
}

bool tracee_filter(struct task *t, u32 data)
{
    if (!tracee_is(t) || !(t->trace.options & PTRACE_O_TRACESECCOMP))
        return false;
    t->trace.message = data;
    stop(t, TRACE_EVENT, PTRACE_EVENT_SECCOMP << 8 | SIGTRAP, NULL);
    return true;
}

// ---- Signals ----

int tracee_signal(struct task *t, int sig, siginfo_t *info)
{
    struct trace *s = &t->trace;
    if (s->reported) {
        s->reported = 0;
        return sig;
    }
    int got = stop(t, TRACE_SIGNAL, (u32)sig, info);
    if (got && got != info->si_signo) { // kernel/signal.c: ptrace_signal()
        *info = (siginfo_t){.si_signo = got, .si_code = SI_USER};
        info->si_pid = (s32)s->tracer;
    }
    if (got && (signal_blocked(t) & SIGSET_BIT(got) & ~SIG_UNBLOCKABLE)) {
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, got, info);
        return 0;
    }
    return got;
}

// Has the door's exit deliver a signal that the tracer has seen.
static void give(struct task *t, int sig, const siginfo_t *info)
{
    u64 all = ~SIG_ALWAYS;
    host_sigprocmask(SIG_BLOCK, &all, NULL);
    if (__atomic_load_n(&t->noted, __ATOMIC_RELAXED)) {
        HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, sig, info);
        return;
    }
    t->noted_info = *info;
    t->noted_mask = signal_real_mask(t->sigmask);
    t->trace.reported = 1;
    t->noted = (u16)sig;
}

static void report(struct task *t, int sig, int code)
{
    siginfo_t info = {.si_signo = sig, .si_code = code};
    if (code > 0)
        info.si_addr = (void *)t->regs.rip;
    else
        info.si_pid = (s32)t->proc->tgid;
    sig = tracee_signal(t, sig, &info);
    if (sig)
        give(t, sig, &info);
}

// A SIGSTOP that the tracer has met in lxcore, or that a new thread begins with.
static void report_stop(struct task *t)
{
    struct trace *s = &t->trace;
    siginfo_t info = {.si_signo = SIGSTOP, .si_code = s->stop_code};
    info.si_pid = s->stop_pid;
    info.si_uid = s->stop_uid;
    info.si_ptr = (void *)s->stop_value;
    s->stop_code = s->stop_pid = 0;
    s->stop_uid = 0;
    s->stop_value = 0;
    int sig = tracee_signal(t, SIGSTOP, &info);
    if (sig)
        give(t, sig, &info);
}

static void stop_for_event(struct task *t, u32 event)
{
    stop(t, TRACE_EVENT, event << 8 | SIGTRAP, NULL);
}

static void after_exec(struct task *t)
{
    t->regs.orig_rax = __NR_execve;
    if (t->trace.options & PTRACE_O_TRACEEXEC)
        stop_for_event(t, PTRACE_EVENT_EXEC);
    else if (!t->trace.seized && !(t->sigmask & SIGSET_BIT(SIGTRAP)))
        report(t, SIGTRAP, SI_USER); // one that is blocked waits
    if (t->trace.mode == TRACE_SYSCALL)
        stop_at_call(t, TRACE_LEAVE);
}

static bool takes(struct trace *s, u8 pends)
{
    return __atomic_fetch_and(&s->pends, (u8)~pends, __ATOMIC_RELAXED) & pends;
}

// In the kernel's order (kernel/signal.c: get_signal()). The tracer may add to it at any
// instruction.
static u8 next_at_exit(struct trace *s)
{
    u8 what = __atomic_load_n(&s->at_exit, __ATOMIC_RELAXED);
    if (what != AT_EXIT_NEW && what != AT_EXIT_EXEC && takes(s, PENDS_INTERRUPT))
        return AT_EXIT_INTERRUPT;
    if ((what == AT_EXIT_NOTHING || what == AT_EXIT_READY) && takes(s, PENDS_SIGSTOP))
        return AT_EXIT_SIGSTOP;
    bool is = __atomic_compare_exchange_n(&s->at_exit, &what, AT_EXIT_NOTHING, false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return is ? what : AT_EXIT_NOTHING;
}

void tracee_interrupted(struct task *t)
{
    struct trace *s = &t->trace;
    if (s->at_exit != AT_EXIT_NEW && s->at_exit != AT_EXIT_EXEC && takes(s, PENDS_INTERRUPT))
        stop_for_event(t, PTRACE_EVENT_STOP);
}

void tracee_attend(struct task *t)
{
    struct trace *s = &t->trace;
    clear(t, KEEPS_STOP);
    s->fresh = 0;
    if (takes(s, PENDS_MASK)) {
        signal_enter_mask(t, s->mask);
        signal_check_pending(t);
    }
    u8 what = next_at_exit(s);
    if (__atomic_load_n(&s->at_exit, __ATOMIC_RELAXED) |
        __atomic_load_n(&s->pends, __ATOMIC_RELAXED))
        __atomic_fetch_or(&t->keeps, KEEPS_STOP, __ATOMIC_RELAXED);
    switch (what) {
    case AT_EXIT_NEW:
        if (s->seized)
            stop_for_event(t, PTRACE_EVENT_STOP);
        else
            report_stop(t);
        break;
    case AT_EXIT_EXEC:
        after_exec(t);
        break;
    case AT_EXIT_STEPPED:
        report(t, SIGTRAP, TRAP_STEP);
        break;
    case AT_EXIT_READY:
        tracee_restart(t, NULL);
        stop(t, TRACE_READY, 0, NULL); // the tracer lets it go on elsewhere
        break;
    case AT_EXIT_SIGSTOP:
        report_stop(t);
        break;
    case AT_EXIT_INTERRUPT:
        stop_for_event(t, PTRACE_EVENT_STOP);
        break;
    }
    if (!__atomic_load_n(&t->noted, __ATOMIC_RELAXED))
        tracee_restart(t, NULL);
}

// ---- New threads, processes and programs ----

// kernel/fork.c: kernel_clone()
bool tracee_follows(const struct task *t, const struct clone_request *q)
{
    u32 event = q->flags & CLONE_VFORK      ? PTRACE_EVENT_VFORK
                : q->exit_signal != SIGCHLD ? PTRACE_EVENT_CLONE
                                            : PTRACE_EVENT_FORK;
    if (!tracee_is(t))
        return false;
    return (q->flags & CLONE_PTRACE) ||
           (!(q->flags & CLONE_UNTRACED) && (t->trace.options & 1U << event));
}

void tracee_follow(struct task *c, const struct trace *from)
{
    c->trace = (struct trace){.options = from->options,
                              .tracer = from->tracer,
                              .seized = from->seized,
                              .own_text = from->own_text,
                              .at_exit = AT_EXIT_NEW};
    c->keeps |= KEEPS_TRACED | KEEPS_STOP;
}

void tracee_to_exec(const struct task *t, struct exec_trace *s)
{
    *s = (struct exec_trace){0};
    if (tracee_is(t) || t->trace.with_exec)
        *s = (struct exec_trace){.traced = 1,
                                 .begins = !tracee_is(t),
                                 .options = t->trace.options,
                                 .tracer = t->trace.tracer,
                                 .seized = t->trace.seized,
                                 .mode = t->trace.mode,
                                 .own_text = memory_keeps_text(),
                                 .former = t->tid};
}

void tracee_from_exec(struct task *t, const struct exec_trace *s)
{
    const u64 trap = SIGSET_BIT(SIGTRAP);
    const struct __kernel_timespec now = {0};
    siginfo_t sent = {.si_signo = SIGTRAP, .si_code = SI_USER};
    sent.si_pid = (s32)t->tid;
    if (!s->traced)
        return;
    if (s->begins &&
        ((u32)HOST0(__NR_getppid) != s->tracer || HOST4(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0)))
        return; // its tracer is gone
    if (s->own_text)
        memory_keep_text();
    t->trace = (struct trace){.options = s->options,
                              .tracer = s->tracer,
                              .seized = s->seized,
                              .mode = s->mode,
                              .own_text = s->own_text,
                              .message = s->former,
                              .at_exit = AT_EXIT_EXEC};
    t->keeps |= KEEPS_TRACED | KEEPS_STOP;
    // A blocked SIGTRAP waits: it is the host's own, for its execve of lxcore.
    if (s->seized || !(t->sigmask & trap))
        return;
    if (s->options & PTRACE_O_TRACEEXEC)
        HOST4(__NR_rt_sigtimedwait, &trap, NULL, &now, 8);
    if (s->begins)
        HOST4(__NR_rt_tgsigqueueinfo, t->tid, t->tid, SIGTRAP, &sent);
}
