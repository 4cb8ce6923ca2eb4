// SPDX-License-Identifier: MIT
// The guest's own seccomp filters (task/filter.c). What becomes of a call by them: seccomp.h.
#ifndef LX_FILTER_H
#define LX_FILTER_H

#include <linux/filter.h>

#include "task.h"

// Adds the filter that *program, copied from the guest, says where to find; to the process's other
// threads too with SECCOMP_FILTER_FLAG_TSYNC in flags. 0 or -errno; with TSYNC the id of a thread
// that has filters which the caller has not (SECCOMP_FILTER_FLAG_TSYNC_ESRCH: -ESRCH).
long filter_attach(struct task *t, const struct sock_fprog *program, u32 flags);
// What the filters say of the call in t->regs: SECCOMP_RET_*, with its data.
u32 filter_run(const struct task *t);
u32 filter_count(const struct task *t);

// Gives a CLONE_VM child of t's, which may be announced but does not run yet, what t has.
void filter_inherit(struct task *t, struct task *c);
// t ends.
void filter_release(struct task *t);
// Taken while filters go from one thread to another. For who may find it held by a dead one.
struct lock *filter_lock(void);

// A descriptor from which the image after execve has the filters again; -1: there are none; or
// -errno.
long filter_to_exec(const struct task *t);
// Closes fd. Does not come back without the filters.
void filter_from_exec(struct task *t, s32 fd);

#endif
