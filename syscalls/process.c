// SPDX-License-Identifier: MIT
// Making and ending processes and threads; execve. The work is in task/clone.c and loader/exec.c.
#include <linux/sched.h>

#include "clone.h"
#include "fs.h"
#include "host.h"
#include "loader.h"
#include "signal.h"
#include "syscall_rows.h"
#include "uaccess.h"

// A shell that only forks and waits uses no path by which it would notice new watches.
static long clone_task(struct task *t, struct clone_request *q)
{
    dirs_let_go_watched(t);
    if ((q->flags & (CLONE_FILES | CLONE_THREAD)) == CLONE_FILES)
        files_leave_low(t); // two processes with one table have a limit each
    if (!(q->flags & CLONE_SERVED))
        return task_clone(t, q);
    long r = task_clone_check(q);
    if (r >= 0)
        r = namespaces_before_clone(t, q);
    if (r < 0)
        return r;
    r = task_clone(t, q);
    if (r != 0)
        namespaces_behind_clone(t, q);
    return r;
}

long sys_clone(struct task *t, unsigned long flags, uptr stack, uptr parent_tid, uptr child_tid,
               uptr tls)
{
    struct clone_request q = {.flags = (u32)flags & ~(u64)CSIGNAL,
                              .exit_signal = flags & CSIGNAL,
                              .stack = stack,
                              .parent_tid = parent_tid,
                              .pidfd = parent_tid,
                              .child_tid = child_tid,
                              .tls = tls};
    return clone_task(t, &q);
}

long sys_fork(struct task *t)
{
    struct clone_request q = {.exit_signal = SIGCHLD};
    return clone_task(t, &q);
}

long sys_vfork(struct task *t)
{
    struct clone_request q = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return clone_task(t, &q);
}

long sys_clone3(struct task *t, uptr args, size_t size)
{
    struct clone_args a = {0};
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (size > LX_PAGE)
        return -E2BIG;
    if (copy_from_guest(&a, args, MIN(size, sizeof a)))
        return -EFAULT;
    for (size_t i = sizeof a; i < size; i++) {
        u8 rest;
        if (copy_from_guest(&rest, args + i, 1))
            return -EFAULT;
        if (rest)
            return -E2BIG;
    }
    if ((a.flags & (CLONE_DETACHED | CSIGNAL)) || (a.exit_signal & ~(u64)CSIGNAL) ||
        a.exit_signal > 64)
        return -EINVAL;
    if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal)
        return -EINVAL;
    if ((a.flags & CLONE_SIGHAND) && (a.flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if (!a.stack != !a.stack_size)
        return -EINVAL;
    if (!a.set_tid != !a.set_tid_size || a.set_tid_size > 32)
        return -EINVAL;
    if (a.set_tid_size) { // kernel/pid.c, alloc_pid(), as without CAP_CHECKPOINT_RESTORE
        s32 tid;
        if (copy_from_guest(&tid, a.set_tid, sizeof tid))
            return -EFAULT;
        bool possible = tid > 0 && tid < sysctl_number(t, "sys/kernel/pid_max", 1 << 22);
        return a.set_tid_size > 1 || !possible ? -EINVAL : -EPERM;
    }
    if (a.flags & CLONE_INTO_CGROUP) // no descriptor is a cgroup's directory
        return size < CLONE_ARGS_SIZE_VER2 || a.cgroup > 0x7fffffff ? -EINVAL : -EBADF;
    struct clone_request q = {.flags = a.flags,
                              .exit_signal = a.exit_signal,
                              .stack = a.stack ? a.stack + a.stack_size : 0,
                              .parent_tid = a.parent_tid,
                              .pidfd = a.pidfd,
                              .child_tid = a.child_tid,
                              .tls = a.tls,
                              .clone3 = true};
    return clone_task(t, &q);
}

// Each task learns its ids before its first guest instruction (task/clone.c, task/task.c:
// task_child_start), and they stay until execve.
long sys_getpid(struct task *t)
{
    return t->proc->tgid;
}

// Orphans, and the first process, are children of the supervisor, which guests know as process 1.
long sys_getppid(struct task *t)
{
    long r = HOST0(__NR_getppid);
    return r == (long)t->instance->supervisor ? 1 : r;
}

long sys_gettid(struct task *t)
{
    return t->tid;
}

long sys_exit(struct task *t, int status)
{
    task_exit(t, status);
}

long sys_exit_group(struct task *t, int status)
{
    (void)t;
    host_exit_group(status);
}

long sys_execveat(struct task *t, int dirfd, uptr path, uptr argv, uptr envp, int flags)
{
    struct exec_plan plan;
    char *name = plan.execfn;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    long r = copy_str_from_guest(name, path, LX_PATH_MAX);
    if (r < 0)
        return r;
    if (!name[0] && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    r = exec_prepare(t, dirfd, name, flags, &plan);
    if (r >= 0) {
        r = exec_commit(t, &plan, argv, envp);
    } else if (plan.opened) {
        long bad = exec_check_vectors(&plan, argv, envp);
        r = bad < 0 ? bad : r;
    }
    exec_done(&plan);
    return r;
}

long sys_execve(struct task *t, uptr path, uptr argv, uptr envp)
{
    return sys_execveat(t, AT_FDCWD, path, argv, envp, 0);
}
