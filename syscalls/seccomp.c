// SPDX-License-Identifier: MIT
// seccomp(2), and what becomes of a call that the guest's filters do not let pass.
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "clone.h"
#include "filter.h"
#include "host.h"
#include "seccomp.h"
#include "signal.h"
#include "syscall_rows.h"
#include "tracee.h"
#include "uaccess.h"

#define CODE_SECCOMP 1 // si_code: SYS_SECCOMP
#define MAX_ERRNO 4095u

static long set_strict(struct task *t)
{
    lock_take(filter_lock()); // another thread may be giving this one a filter
    bool may = t->seccomp_mode != SECCOMP_MODE_FILTER;
    if (may)
        t->seccomp_mode = SECCOMP_MODE_STRICT;
    lock_drop(filter_lock());
    return may ? 0 : -EINVAL;
}

// kernel/seccomp.c: seccomp_set_mode_filter, in the order of its errors.
static long set_filter(struct task *t, u32 flags, uptr args)
{
    struct sock_fprog program;
    if (flags & ~(u32)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                       SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
        return -EINVAL;
    if (copy_from_guest(&program, args, sizeof program))
        return -EFAULT;
    if (!program.len || program.len > BPF_MAXINSNS)
        return -EINVAL;
    if (!t->cred.no_new_privs && !cred_has_cap(&t->cred, CAP_SYS_ADMIN))
        return -EACCES;
    return filter_attach(t, &program, flags);
}

static long action_is_known(uptr args)
{
    u32 action;
    if (copy_from_guest(&action, args, sizeof action))
        return -EFAULT;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return 0;
    }
    return -EOPNOTSUPP;
}

// As Linux before 5.0, which had no listeners.
long sys_seccomp(struct task *t, unsigned int operation, unsigned int flags, uptr args)
{
    switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || args ? -EINVAL : set_strict(t);
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(t, flags, args);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : action_is_known(args);
    }
    return -EINVAL;
}

long seccomp_set_mode(struct task *t, unsigned long mode, uptr filter)
{
    return mode == SECCOMP_MODE_STRICT   ? set_strict(t)
           : mode == SECCOMP_MODE_FILTER ? set_filter(t, 0, filter)
                                         : -EINVAL;
}

static _Noreturn void end(struct task *t, int sig, bool thread_only)
{
    const u64 nr = t->regs.orig_rax;
    if (t->instance->verbose)
        log_line("seccomp: %s (%lu) ends the %s", nr < SYSCALL_ROWS ? syscall_rows[nr].name : "?",
                 nr, thread_only ? "thread" : "process");
    if (thread_only)
        task_exit(t, sig);
    signal_die(t, sig);
}

static void note(struct task *o, void *arg)
{
    (void)o;
    *(bool *)arg = true;
}

static bool has_others(struct task *t)
{
    bool is = false;
    task_each_other(t, note, &is);
    return is;
}

// kernel/seccomp.c: __secure_computing_strict
static void strict(struct task *t)
{
    switch (t->regs.orig_rax) {
    case NR_read:
    case NR_write:
    case NR_exit:
    case NR_rt_sigreturn:
        return;
    }
    end(t, SIGKILL, has_others(t));
}

bool seccomp_call(struct task *t, long *result)
{
    if (t->seccomp_mode == SECCOMP_MODE_STRICT) {
        strict(t);
        return false;
    }
    const u32 said = filter_run(t), data = said & SECCOMP_RET_DATA;
    switch (said & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return false;
    case SECCOMP_RET_ERRNO:
        *result = -(long)MIN(data, MAX_ERRNO);
        return true;
    case SECCOMP_RET_TRACE:
        if (tracee_filter(t, data)) {
            *result = (long)t->regs.rax;
            return (s32)t->regs.orig_rax == -1;
        }
        *result = -ENOSYS;
        return true;
    case SECCOMP_RET_USER_NOTIF:
        *result = -ENOSYS; // nobody is told of it
        return true;
    case SECCOMP_RET_TRAP:
        *result = signal_in_place_of_call(t, CODE_SECCOMP, (int)data);
        return true;
    case SECCOMP_RET_KILL_THREAD:
        end(t, SIGSYS, has_others(t));
    default:
        end(t, SIGSYS, false);
    }
}
