// SPDX-License-Identifier: MIT
// The engines: how control gets from a guest's `syscall` to the door (trap/door.S).
#ifndef LX_TRAP_H
#define LX_TRAP_H

#include <asm/sigcontext.h>

#include "task.h"

// The task of a handler that runs on the block's alternate stack. %gs is no witness: a guest can
// change it without a system call (architecture, door rule 3).
static inline struct task *task_of_altstack(void)
{
    return (struct task *)((uptr)__builtin_frame_address(0) & ~(uptr)(TASK_BLOCK - 1));
}

void task_set_gs(struct task *t);
static inline void task_check_gs(struct task *t)
{
    if (t->proc->fsgsbase) {
        u64 gs;
        __asm__ volatile("rdgsbase %0" : "=r"(gs));
        if (gs == (u64)t)
            return;
    }
    task_set_gs(t);
}

// Switches syscall user dispatch on for the calling thread. 0 or -errno (EINVAL before Linux 5.11).
long trap_arm_sud(void);
// In the SIGSYS handler: sends the thread to the door.
void trap_sud(const siginfo_t *info, struct sigcontext_64 *c);
void trap_redirect(struct sigcontext_64 *c, u64 next_pc);

// The one call from the door: serves t->regs (syscalls/dispatch.c).
void dispatch(struct task *t);

#endif
