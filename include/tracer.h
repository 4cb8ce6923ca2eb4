// SPDX-License-Identifier: MIT
// Threads that the caller traces (ptrace(2)): what their stops are for the guest, and their
// registers (task/tracer.c); and which they are (task/tracees.c). docs/ptrace.md is the chapter.
#ifndef LX_TRACER_H
#define LX_TRACER_H

#include "task.h"

// struct user_regs_struct of the kernel's ABI; what it has in common with struct regs comes first.
struct user_regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    u64 rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
    u64 fs_base, gs_base, ds, es, fs, gs;
};

// Those of which the host tells by itself.
#define HOST_OPTIONS                                                                               \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE |    \
     PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)
// A thread that is seized is made the guest's traced one when it stops. Children that it makes
// before are not followed.
#define HOST_OPTIONS_AT_ONCE (PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

// A thread in a stop, from tracer_look(). Of `task` only what lies before `temps` is a copy.
struct tracee {
    u32 tid;
    uptr at;               // its struct task; 0: it has none yet
    struct user_regs host; // its registers on the host
    struct task task;
};

// ---- Stops, and the thread in one (task/tracer.c) ----

// ptrace(2), on the host: the result or -errno.
long tracer_host(long request, u32 tid, uptr addr, uptr data);
// Reads a stopped thread. 0, or -ESRCH: it is none, not stopped, or not the caller's to trace.
long tracer_look(u32 tid, struct tracee *e);
// A wait has shown thread tid stopped; *status is the wait status without its low byte. False: the
// guest's wait goes on, for the stop was lxcore's own affair, and the thread runs again.
bool tracer_stopped(struct task *t, u32 tid, u32 *status);
// Is it in a stop that lxcore made (enum trace_stop)?
bool tracer_in_stop(const struct tracee *e);
// Does it stand in lxcore, and in no stop that lxcore has made? The guest's mask may be on its way
// to the host there, or in a handler's frame: such a thread sets its new one by itself, which
// tracer_set_mask_later() asks it for. 0.
bool tracer_on_way(const struct tracee *e);
long tracer_set_mask_later(struct tracee *e, u64 mask);
// Is it past its last guest code and its task?
bool tracer_is_ending(const struct tracee *e);
// Its registers, as the guest has them; the other way round: 0, or -EIO.
void tracer_regs(const struct tracee *e, struct user_regs *r);
long tracer_set_regs(struct tracee *e, const struct user_regs *r);
// Its memory at address `at`: n bytes from it, or to it. 0 or -errno.
long tracer_peek(const struct tracee *e, uptr at, void *to, size_t n);
long tracer_poke(const struct tracee *e, uptr at, const void *from, size_t n);
// Writes a field of its task, as it stands in the copy.
#define TRACER_POKE(e, field)                                                                      \
    tracer_poke(e, (e)->at + offsetof(struct task, field), &(e)->task.field, sizeof(e)->task.field)
// The tracer is about to look at its text, to change it, or to step: it takes back its own, from
// now on, if it is in a stop that lxcore made.
void tracer_wants_text(struct task *t, struct tracee *e);
// Lets it go on, as PTRACE_CONT and its like, or for good. sig: 0, or the signal that it takes. 0
// or -errno.
long tracer_go_on(struct task *t, struct tracee *e, enum trace_mode mode, u32 sig);
long tracer_detach(struct tracee *e, u32 sig);

// ---- Which threads are traced (task/tracees.c) ----

// The caller has begun to trace thread tid; does not any more, or it is dead.
void tracer_know(u32 tid);
void tracer_forget(u32 tid);
// It has seized it (PTRACE_SEIZE): the thread is asked to stop for lxcore alone, which may come
// later.
void tracer_seized(struct task *t, u32 tid, u32 options);
// PTRACE_INTERRUPT of such a one, for the guest. 0 or -errno.
long tracer_interrupt(struct task *t, u32 tid);
// Lets those go on that have stopped for lxcore alone.
void tracer_attend(struct task *t);
// The same for thread tid, which the guest thinks to be stopped. Has it gone on?
bool tracer_still_runs(struct task *t, u32 tid);
// Where the caller waits for one of its traced threads, another may be needed: has it any but tid?
bool tracer_has_other(u32 tid);

#endif
