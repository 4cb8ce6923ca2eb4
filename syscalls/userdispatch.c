// SPDX-License-Identifier: MIT
// Syscall user dispatch for the guest (Documentation/admin-guide/syscall-user-dispatch.rst):
// programs that run others' code, as Wine and lxrun do, catch its calls by it. The kernel's own
// serves lxcore (trap/sud.c); the guest's is looked at by the dispatcher.
#include <linux/prctl.h>

#include "host.h"
#include "signal.h"
#include "uaccess.h"
#include "userdispatch.h"

#define CODE_USER_DISPATCH 2        // si_code: SYS_USER_DISPATCH
#define SYS_DISPATCH_INCLUSIVE_ON 2 // since Linux 6.17

// kernel/entry/syscall_user_dispatch.c: task_set_syscall_user_dispatch
long user_dispatch_set(struct task *t, u64 mode, uptr from, u64 size, uptr selector)
{
    switch (mode) {
    case PR_SYS_DISPATCH_OFF:
        if (from || size || selector)
            return -EINVAL;
        t->keeps &= (u8)~KEEPS_SUD;
        return 0;
    case PR_SYS_DISPATCH_ON:
        if (from && from + size <= from)
            return -EINVAL;
        break;
    case SYS_DISPATCH_INCLUSIVE_ON:
        if (!size || from + size <= from)
            return -EINVAL;
        from += size; // all but the range, around the end of the address space
        size = -size;
        break;
    default:
        return -EINVAL;
    }
    if (selector >= TASK_SIZE_MAX)
        return -EFAULT;
    t->dispatch = (struct user_dispatch){from, size, selector};
    t->keeps |= KEEPS_SUD;
    return 0;
}

long user_dispatch_call(struct task *t)
{
    const struct user_dispatch *d = &t->dispatch;
    const struct regs *r = &t->regs;
    u8 state;
    if (r->rip - d->from < d->size)
        return 0;
    if (d->selector) {
        if (copy_from_guest(&state, d->selector, sizeof state))
            signal_die(t, SIGSEGV);
        if (state == SYSCALL_DISPATCH_FILTER_ALLOW)
            return 0;
        if (state != SYSCALL_DISPATCH_FILTER_BLOCK)
            signal_die(t, SIGSYS);
    }
    return signal_in_place_of_call(t, CODE_USER_DISPATCH, 0);
}
