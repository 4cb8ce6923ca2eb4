// SPDX-License-Identifier: MIT
// What becomes of a signal that has arrived for the guest (trap/deliver.c). For trap/signal.c,
// which has found it there; the other folders have signal.h.
#ifndef LX_DELIVER_H
#define LX_DELIVER_H

#include <asm/sigcontext.h>

#include "task.h"

// The kernel's struct ucontext (arch/x86/include/uapi/asm/ucontext.h).
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

_Static_assert(sizeof(struct kucontext) == 304, "kernel's ucontext");

// The general registers, from a frame and into one.
void regs_from_context(struct regs *r, const struct sigcontext_64 *c);
void regs_to_context(struct sigcontext_64 *c, const struct regs *r);

// Does with *info what the guest's action for its signal asks for. r: the guest's registers, which
// become those that its handler begins with. host: in lxcore's handler, the context that the host
// has saved, for the vectors and the fault; else NULL. *mask: the guest's mask, which becomes that
// of the handler. forced: the signal cannot be blocked or ignored, the process would die. Returns
// whether a handler is to run; if not, r and *mask are as before.
bool signal_deliver(struct task *t, const siginfo_t *info, struct regs *r,
                    const struct sigcontext_64 *host, u64 *mask, bool forced);
// Puts one of SIG_ALWAYS aside as pending, as if it were blocked.
void signal_put_off(struct task *t, int sig, const siginfo_t *info);
// A call that a tracer has to do with is about to end by that signal. unsettled: its result in
// t->regs may be one that the kernel would have had restarted (struct trace).
void signal_settle_call(struct task *t, int sig, bool unsettled);

// The guest's mask, from one of the host and the virtual bits.
static inline u64 signal_guest_mask(const struct task *t, u64 real)
{
    return (real & ~SIG_ALWAYS) | (t->sigmask & SIG_ALWAYS);
}

#endif
