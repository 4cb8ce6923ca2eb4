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

// Not only stopped, or gone on (WIFEXITED or WIFSIGNALED).
static bool is_end(int status)
{
    return (status & 0x7f) != 0x7f;
}

static bool is_stop(int status)
{
    return (status & 0xff) == 0x7f;
}

// A stop of a thread that the caller traces may be lxcore's own.
static bool stop_is_seen(struct task *t, u32 tid, int *status)
{
    u32 told = (u32)*status >> 8;
    bool is = tracer_stopped(t, tid, &told);
    *status = (int)(told << 8 | 0x7f);
    return is;
}

static bool stop_info_is_seen(struct task *t, siginfo_t *info)
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

static long wait4(struct task *t, int pid, int *got, int options, struct rusage *used)
{
    while (must_ask(options, pid == -1, (u32)pid)) {
        long r = HOST_INTR4(__NR_wait4, pid, got, options | WNOHANG, used);
        if (!r)
            r = before_asking(t);
        if (r)
            return r;
    }
    return HOST_INTR4(__NR_wait4, pid, got, options, used);
}

static long waitid(struct task *t, int idtype, int id, siginfo_t *got, int options, uptr rusage)
{
    while (must_ask(options, idtype == P_ALL, idtype == P_PID ? (u32)id : 0)) {
        long r = HOST_INTR5(__NR_waitid, idtype, id, got, options | WNOHANG, rusage);
        if (!r && !got->si_pid)
            r = before_asking(t);
        if (r || got->si_pid)
            return r;
    }
    return HOST_INTR5(__NR_waitid, idtype, id, got, options, rusage);
}

long sys_wait4(struct task *t, int pid, uptr status, int options, uptr rusage)
{
    struct rusage used;
    int got;
    long r;
    do {
        r = wait4(t, pid, &got, options, rusage ? &used : NULL);
        if (r <= 0)
            return r;
    } while (is_stop(got) && !stop_is_seen(t, (u32)r, &got));
    if (is_end(got)) {
        proc_reaped(t, (u32)r);
        tracer_forget((u32)r);
    }
    bool bad = (status && copy_to_guest(status, &got, sizeof got)) ||
               (rusage && copy_to_guest(rusage, &used, sizeof used));
    return bad ? -EFAULT : r;
}

long sys_waitid(struct task *t, int idtype, int id, uptr info, int options, uptr rusage)
{
    siginfo_t got;
    long r;
    do {
        got = (siginfo_t){0};
        r = waitid(t, idtype, id, &got, options, rusage);
    } while (!r && got.si_pid && (got.si_code == CLD_TRAPPED || got.si_code == CLD_STOPPED) &&
             !stop_info_is_seen(t, &got));
    bool ended =
        got.si_code == CLD_EXITED || got.si_code == CLD_KILLED || got.si_code == CLD_DUMPED;
    if (!r && got.si_pid && ended && !(options & WNOWAIT)) {
        proc_reaped(t, (u32)got.si_pid);
        tracer_forget((u32)got.si_pid);
    }
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
