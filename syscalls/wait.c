// SPDX-License-Identifier: MIT
// Waiting for children. waitid(2) alone says who its child belonged to.
#include <linux/errno.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "host.h"
#include "siginfo.h"
#include "syscall_rows.h"
#include "task.h"
#include "tracer.h"
#include "uaccess.h"

// The fields that the kernel writes lie in two stretches; what is between and behind stays.
#define HEAD_SIZE 12  // si_signo, si_errno, si_code
#define CHILD_SIZE 12 // si_pid, si_uid, si_status
_Static_assert(offsetof(siginfo_t, si_code) == 8 && offsetof(siginfo_t, si_pid) == 16 &&
                   offsetof(siginfo_t, si_uid) == 20 && offsetof(siginfo_t, si_status) == 24,
               "siginfo_t of a child");

static bool is_stop(const siginfo_t *info)
{
    return info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED;
}

static bool is_end(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED || info->si_code == CLD_KILLED ||
           info->si_code == CLD_DUMPED;
}

// A stop of a thread that the caller traces may be lxcore's own.
static bool stop_is_seen(struct task *t, siginfo_t *info)
{
    u32 told = (u32)info->si_status;
    bool is = tracer_stopped(t, (u32)info->si_pid, &told);
    info->si_status = (int)told;
    return is;
}

// A wait for some children only, by a tracer that has others, asks again and again: those must be
// let go on, which no host call waits for as well.
#define ASK_AGAIN_NS 300000

static bool must_ask(int options, bool any, u32 pid)
{
    return !(options & WNOHANG) && !(any && (options & __WALL)) && tracer_has_other(pid);
}

// 0, or what ends the wait.
static long before_asking(struct task *t)
{
    const struct __kernel_timespec ts = {.tv_nsec = ASK_AGAIN_NS};
    tracer_attend(t);
    long r = HOST_INTR4(__NR_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL);
    u32 sig = t->noted;
    bool again = sig && (sig > 64 || (t->sighand->action[sig - 1].flags & SA_RESTART));
    return r == -EINTR && again ? -LX_ERESTART : r;
}

static long ask(struct task *t, int idtype, int id, siginfo_t *got, int options,
                struct rusage *used)
{
    while (must_ask(options, idtype == P_ALL, idtype == P_PID ? (u32)id : 0)) {
        long r = HOST_INTR5(__NR_waitid, idtype, id, got, options | WNOHANG, used);
        if (!r && !got->si_pid)
            r = before_asking(t);
        if (r || got->si_pid)
            return r;
    }
    return HOST_INTR5(__NR_waitid, idtype, id, got, options, used);
}

// Takes what was looked at. False: somebody else has, or it is not so any more.
static bool take(siginfo_t *got, int options, struct rusage *used)
{
    siginfo_t now = {0};
    if (HOST5(__NR_waitid, P_PID, got->si_pid, &now, options | WNOHANG, used) || !now.si_pid)
        return false;
    if (!is_stop(&now) || !is_stop(got))
        *got = now;
    return true;
}

// waitid(2). Of a stop that was taken, the host does not give its signal to a thread whose tracer
// dies then: one by which an engine catches a call, and the call would be lost. So where threads
// are traced, a wait looks first, and takes what is the guest's to see.
static long wait_for(struct task *t, int idtype, int id, siginfo_t *got, int options,
                     struct rusage *used)
{
    bool takes = t->instance->traces && !(options & WNOWAIT);
    for (;;) {
        *got = (siginfo_t){0};
        long r = ask(t, idtype, id, got, takes ? options | WNOWAIT : options, used);
        if (r || !got->si_pid)
            return r;
        if ((!is_stop(got) || stop_is_seen(t, got)) && (!takes || take(got, options, used)))
            break;
    }
    if (is_end(got) && !(options & WNOWAIT)) {
        proc_reaped(t, (u32)got->si_pid);
        tracer_forget((u32)got->si_pid);
    }
    return 0;
}

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

// kernel/exit.c: kernel_wait4()
long sys_wait4(struct task *t, int pid, uptr status, int options, uptr rusage)
{
    struct rusage used;
    siginfo_t got;
    int idtype = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
    if (options & ~(int)WAIT4_OPTIONS)
        return -EINVAL;
    if (pid == -0x7fffffff - 1)
        return -ESRCH;
    long r =
        wait_for(t, idtype, pid < 0 ? -pid : pid, &got, options | WEXITED, rusage ? &used : NULL);
    if (r || !got.si_pid)
        return r;
    int told = got.si_code == CLD_EXITED      ? got.si_status << 8
               : got.si_code == CLD_KILLED    ? got.si_status
               : got.si_code == CLD_DUMPED    ? got.si_status | 0x80
               : got.si_code == CLD_CONTINUED ? 0xffff
                                              : got.si_status << 8 | 0x7f;
    bool bad = (status && copy_to_guest(status, &told, sizeof told)) ||
               (rusage && copy_to_guest(rusage, &used, sizeof used));
    return bad ? -EFAULT : got.si_pid;
}

long sys_waitid(struct task *t, int idtype, int id, uptr info, int options, uptr rusage)
{
    struct rusage used;
    siginfo_t got;
    long r = wait_for(t, idtype, id, &got, options, rusage ? &used : NULL);
    if (!r && got.si_pid && rusage && copy_to_guest(rusage, &used, sizeof used))
        return -EFAULT;
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
