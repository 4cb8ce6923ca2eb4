// SPDX-License-Identifier: MIT
// Making and ending tasks (task/clone.c).
#ifndef LX_CLONE_H
#define LX_CLONE_H

#include "task.h"

// Kinds of namespaces that are served.
#define CLONE_SERVED (CLONE_NEWNS | CLONE_NEWUTS)

// clone(2) in one shape; addresses are the guest's, stack is the child's first stack pointer.
struct clone_request {
    u64 flags; // CLONE_*
    u64 exit_signal;
    uptr stack, parent_tid, pidfd, child_tid, tls;
    bool clone3;
    struct namespaces ns; // CLONE_NEWNS, CLONE_NEWUTS: the child's (fs/namespaces.c)
};
// Are the flags ones that go together, and served? 0 or -errno.
long task_clone_check(const struct clone_request *q);
// The child's id, or -errno; 0 in a forked child. A CLONE_VM child leaves by the door itself.
long task_clone(struct task *t, const struct clone_request *q);
_Noreturn void task_exit(struct task *t, int status);
// unshare(CLONE_FILES), unshare(CLONE_FS): objects of the caller's own. 0 or -ENOMEM.
long task_unshare_files(struct task *t);
long task_unshare_fs(struct task *t);

#endif
