// SPDX-License-Identifier: MIT
// Inside of tracing: what task/tracer.c asks of the list of traced threads (task/tracees.c). The
// interface to the rest is include/tracer.h.
#ifndef LX_TASK_TRACEES_H
#define LX_TASK_TRACEES_H

#include <linux/ptrace.h>
#include <stdbool.h>

#include "types.h"

// What is kept of a thread that was seized, until it has stopped for the first time: its options
// (PTRACE_O_...) and SEIZED. SEIZED_QUIETLY: it is to stop in order that its task be found, which
// the guest has not asked for.
#define SEIZED (1U << 31)
#define SEIZED_QUIETLY (1U << 30)
_Static_assert(!((PTRACE_O_MASK) & (SEIZED | SEIZED_QUIETLY)), "options");

// Is the thread in the list?
bool tracees_has(u32 tid);
// Takes these bits away. What of them was set; 0 of a thread that is not in the list.
u32 tracees_take(u32 tid, u32 bits);

#endif
