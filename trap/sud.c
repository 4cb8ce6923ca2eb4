// SPDX-License-Identifier: MIT
// Engine `sud`: syscall user dispatch (Documentation/admin-guide/syscall-user-dispatch.rst). Every
// system call from outside the host-call section raises SIGSYS, whose handler only moves the
// saved program counter to the door: translation never runs in signal context.
#include <linux/audit.h>
#include <linux/prctl.h>

#include "host.h"
#include "trap.h"

#define EFLAGS_TF 0x100u

extern const char door_enter[];

long trap_arm_sud(void)
{
    // No selector byte: the allowed range alone decides, so nothing is toggled at run time.
    return host_prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)hostcall_start,
                      hostcall_end - hostcall_start, 0);
}

void trap_redirect(struct sigcontext_64 *c, u64 next_pc)
{
    struct task *t = task_of_altstack();
    // A guest that steps itself must not step lxcore: the dispatcher puts the flag back.
    t->step = (u32)c->flags & EFLAGS_TF;
    c->flags &= ~(u64)EFLAGS_TF;
    c->cx = next_pc;
    c->ip = (u64)door_enter;
}

void trap_sud(const siginfo_t *info, struct sigcontext_64 *c)
{
    // The number and the next instruction come from siginfo: kernel restarts change the frame's.
    c->ax = (u64)(s64)info->_sifields._sigsys._syscall;
    if (info->_sifields._sigsys._arch == AUDIT_ARCH_X86_64)
        trap_redirect(c, (u64)info->_sifields._sigsys._call_addr);
    else
        c->ax = (u64)-38; // int 0x80: ENOSYS; see docs/syscalls.md
}
