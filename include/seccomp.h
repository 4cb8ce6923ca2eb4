// SPDX-License-Identifier: MIT
// seccomp(2) for the guest (syscalls/seccomp.c).
#ifndef LX_SECCOMP_H
#define LX_SECCOMP_H

#include "task.h"

// prctl(PR_SET_SECCOMP).
long seccomp_set_mode(struct task *t, unsigned long mode, uptr filter);
// With t->seccomp_mode, before a call is served. True: it is not to be, and *result is what the
// guest gets. Does not come back where thread or process end.
bool seccomp_call(struct task *t, long *result);

#endif
