// SPDX-License-Identifier: MIT
// Waiting for children. waitid(2) alone says who its child belonged to.
#include <linux/errno.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "host.h"
#include "siginfo.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

// The fields that the kernel writes lie in two stretches; what is between and behind stays.
#define HEAD_SIZE 12  // si_signo, si_errno, si_code
#define CHILD_SIZE 12 // si_pid, si_uid, si_status
_Static_assert(offsetof(siginfo_t, si_code) == 8 && offsetof(siginfo_t, si_pid) == 16 &&
                   offsetof(siginfo_t, si_uid) == 20 && offsetof(siginfo_t, si_status) == 24,
               "siginfo_t of a child");

// Not only stopped, or gone on (WIFEXITED or WIFSIGNALED).
static bool is_end(int status)
{
    return (status & 0x7f) != 0x7f;
}

long sys_wait4(struct task *t, int pid, uptr status, int options, uptr rusage)
{
    struct rusage used;
    int got;
    long r = HOST_INTR4(__NR_wait4, pid, &got, options, rusage ? &used : NULL);
    if (r <= 0)
        return r;
    if (is_end(got))
        proc_reaped(t, (u32)r);
    bool bad = (status && copy_to_guest(status, &got, sizeof got)) ||
               (rusage && copy_to_guest(rusage, &used, sizeof used));
    return bad ? -EFAULT : r;
}

long sys_waitid(struct task *t, int idtype, int id, uptr info, int options, uptr rusage)
{
    siginfo_t got = {0};
    long r = HOST_INTR5(__NR_waitid, idtype, id, &got, options, rusage);
    bool ended =
        got.si_code == CLD_EXITED || got.si_code == CLD_KILLED || got.si_code == CLD_DUMPED;
    if (!r && got.si_pid && ended && !(options & WNOWAIT))
        proc_reaped(t, (u32)got.si_pid);
    if (!info || r == -LX_ERESTART)
        return r;
    if (r == 0)
        siginfo_to_guest(t, &got);
    // Linux clears the fields also where it reports an error.
    if (copy_to_guest(info, &got, HEAD_SIZE) ||
        copy_to_guest(info + offsetof(siginfo_t, si_pid), &got.si_pid, CHILD_SIZE))
        return -EFAULT;
    return r;
}
