// SPDX-License-Identifier: MIT
// The engines: how control gets from a guest's `syscall` to the door (trap/door.S).
#ifndef LX_TRAP_H
#define LX_TRAP_H

#include <asm/sigcontext.h>

#include "task.h"

// Makes the GS base t, by which the door and C find the task (task/task.c).
void task_set_gs(struct task *t);
// The same in a handler. Returns what it was, where the processor tells.
static inline u64 task_check_gs(struct task *t)
{
    u64 gs = (u64)t;
    if (t->proc->fsgsbase) {
        __asm__ volatile("rdgsbase %0" : "=r"(gs));
        if (gs == (u64)t)
            return gs;
    }
    task_set_gs(t);
    return gs;
}

// Makes the instance's engine catch what the calling thread's guest code calls. What an engine
// keeps over clone and execve is set up by trap_install(), once, in the instance's first process.
void trap_arm(struct task *t);
void trap_install(const struct task *t);
// The parts of single engines: 0 or -errno.
long trap_arm_sud(void);
long trap_install_seccomp(void);

// In the SIGSYS handler: did the engine send it? Then trap_sigsys() sends the thread to the door.
bool trap_is_dispatch(const struct task *t, const siginfo_t *info);
void trap_sigsys(const siginfo_t *info, struct sigcontext_64 *c);
// In the SIGSEGV handler, for a thread in guest code: is it at a site that traps by itself? The
// site's second byte; 0: it is not.
enum { SITE_CALL = 0x05, SITE_CPUID = 0xa2 };
u8 trap_site(const struct sigcontext_64 *c);
// A cpuid there is answered, as cpuid_serve() does, in the thread's registers. False: the fault is
// the guest's.
bool trap_cpuid(struct task *t, struct sigcontext_64 *c);
void cpuid_serve(struct instance *in, struct sigcontext_64 *c);
// The call from the door for one that came by a slot: the same in t->regs.
void cpuid_at_door(struct task *t);
// Has it run a copy that the program made of rewritten text? Then that is mended, and goes on.
bool trap_at_copy(const struct task *t, struct sigcontext_64 *c);
// Does it run pages that were thought to be none of code? Then they are, and all threads are armed.
bool trap_at_guard(struct task *t, const struct sigcontext_64 *c);
// Makes the thread of *c go on at the door, as at a `syscall` that next_pc is behind.
void trap_redirect(struct sigcontext_64 *c, u64 next_pc);

// The one call from the door: serves t->regs, which came with that number. Its result, or
// -LX_ERESTART, or LX_PASS_ON (syscalls/dispatch.c).
long dispatch(struct task *t, u64 nr);
// The same again where what was passed on has met a limit of descriptors.
long dispatch_full(struct task *t);

#endif
