// SPDX-License-Identifier: MIT
// Engine `sud`: syscall user dispatch (Documentation/admin-guide/syscall-user-dispatch.rst). Every
// system call from outside the host-call section raises SIGSYS, which trap/engine.c takes. The
// kernel keeps it per thread and clears it at clone and execve.
#include <linux/prctl.h>

#include "host.h"
#include "trap.h"

long trap_arm_sud(void)
{
    // No selector byte: the allowed range alone decides, so nothing is toggled at run time.
    return host_prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)hostcall_start,
                      hostcall_end - hostcall_start, 0);
}
