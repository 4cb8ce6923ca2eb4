// SPDX-License-Identifier: MIT
// Syscall user dispatch for the guest (syscalls/userdispatch.c).
#ifndef LX_USERDISPATCH_H
#define LX_USERDISPATCH_H

#include "task.h"

// prctl(PR_SET_SYSCALL_USER_DISPATCH): 0 or -errno.
long user_dispatch_set(struct task *t, u64 mode, uptr from, u64 size, uptr selector);
// With KEEPS_SUD: raises SIGSYS in the guest, and does not come back, where the guest wants to
// dispatch the call in t->regs itself. 0: it does not; -LX_ERESTART.
long user_dispatch_call(struct task *t);

#endif
