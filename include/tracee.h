// SPDX-License-Identifier: MIT
// A thread that another guest traces, seen from itself (task/tracee.c; docs/ptrace.md).
#ifndef LX_TRACEE_H
#define LX_TRACEE_H

#include "clone.h"
#include "task.h"

// Of the SIGSYS by which a thread stops itself, with si_ptr its task: no code of the kernel's. It
// is known by that alone, for a tracer may be killed when it has taken back all else that tells of
// the stop.
#define TRACEE_STOP_CODE (-0x6c79)
static inline bool tracee_is(const struct task *t)
{
    return t->keeps & KEEPS_TRACED;
}
// Does the host let threads' memory be read, without which none can be traced?
bool tracee_possible(const struct task *t);
// PTRACE_TRACEME: 0 or -errno.
long tracee_begin(struct task *t);
// Is it a signal by which it has stopped itself, and which no tracer has taken out?
bool tracee_is_stop(const struct task *t, int sig, const siginfo_t *info);
// Before a call: may stop. True: it is not to be made, and *result is its result.
bool tracee_enter(struct task *t, long *result);
// Behind it, with its result or -LX_ERESTART: sets t->regs, and may stop. Also where the tracer has
// gone meanwhile.
void tracee_leave(struct task *t, long result);
// The same at the door's exit for a call that was not begun as a traced one, and called off by the
// tracer. It stands there as to be made again.
void tracee_called_off(struct task *t, const struct ksigaction *sa);
// A stop by PTRACE_INTERRUPT comes before a signal that is noted.
void tracee_interrupted(struct task *t);
// Has the call in t->regs been a traced one, which nobody has asked the following about?
static inline bool tracee_is_unsettled(const struct task *t)
{
    return t->trace.unsettled || tracee_is(t);
}
// The call in t->regs is to be made again if the kernel would: behind a signal with that action,
// NULL: none, or one without a handler (arch/x86/kernel/signal.c).
void tracee_restart(struct task *t, const struct ksigaction *sa);
// sig is about to be delivered. Returns the one that is instead, with its *info, or 0.
int tracee_signal(struct task *t, int sig, siginfo_t *info);
// A filter wants the tracer to see a call; false: there is none that would.
bool tracee_filter(struct task *t, u32 data);
// Is it about to stop for the first time, or for its new program? No signal is seen before that.
static inline bool tracee_begins(const struct task *t)
{
    const struct trace *s = &t->trace;
    return (t->keeps & KEEPS_STOP) && !(s->pends & PENDS_MASK) &&
           (s->at_exit == AT_EXIT_NEW || s->at_exit == AT_EXIT_EXEC);
}
// With KEEPS_STOP, at the door's exit.
void tracee_attend(struct task *t);
// Does a child made by that request begin traced by the caller's tracer? It does with
// tracee_follow(), whose `from` may be its own, a copy.
bool tracee_follows(const struct task *t, const struct clone_request *q);
void tracee_follow(struct task *c, const struct trace *from);
// Over an execve, by the old image and the new.
void tracee_to_exec(const struct task *t, struct exec_trace *s);
void tracee_from_exec(struct task *t, const struct exec_trace *s);

#endif
