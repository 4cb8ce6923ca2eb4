// SPDX-License-Identifier: MIT
// Sending signals. The host delivers; which processes are there and who may signal them is decided
// here, because the host knows neither the instance nor the guest's identities. A process that
// signals itself goes straight to the host.
#include <linux/capability.h>
#include <linux/errno.h>

#include "host.h"
#include "reach.h"
#include "signal.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

#ifndef PIDFD_SIGNAL_THREAD
#define PIDFD_SIGNAL_THREAD 1
#define PIDFD_SIGNAL_THREAD_GROUP 2
#define PIDFD_SIGNAL_PROCESS_GROUP 4
#endif

static long check(struct task *t, u32 tgid, int sig)
{
    return (u32)sig > 64 ? -EINVAL : reach_may_signal(t, tgid, sig);
}

// As one of several. info: a guest address, or 0 for what kill(2) says of the sender.
static long send_among(struct task *t, u32 tgid, int sig, uptr info)
{
    long r = check(t, tgid, sig);
    if (r)
        return r;
    return info ? HOST3(__NR_rt_sigqueueinfo, tgid, sig, info) : host_kill(tgid, sig);
}

// The same as all that a call does. Should a signal be noted by then, its handler goes first, as on
// Linux: it would otherwise be interrupted by the handler of one that a process sends itself.
static long send(struct task *t, u32 tgid, int sig, uptr info)
{
    long r = (s32)tgid > 0 ? check(t, tgid, sig) : -ESRCH;
    if (r)
        return r;
    return info ? HOST_INTR3(__NR_rt_sigqueueinfo, tgid, sig, info)
                : HOST_INTR2(__NR_kill, tgid, sig);
}

struct broadcast {
    u32 pgid; // 0: every process but the caller
    int sig;
    uptr info;
    u32 reached, allowed;
    long error;
    bool self;
};

static void send_one(struct task *t, u32 tgid, const struct proc_slot *s, void *arg)
{
    struct broadcast *b = arg;
    (void)s;
    bool self = tgid == t->proc->tgid;
    if (b->pgid ? HOST1(__NR_getpgid, tgid) != (long)b->pgid : self)
        return;
    if (self) { // last: it may be the end
        b->self = true;
        return;
    }
    long r = send_among(t, tgid, b->sig, b->info);
    if (r == -ESRCH)
        return;
    b->reached++;
    b->allowed += !r;
    b->error = r && r != -EPERM ? r : b->error;
}

static long send_group(struct task *t, u32 pgid, int sig, uptr info)
{
    bool inside = reach_group(t, pgid);
    // Nobody else's processes in it, nobody that may not be signalled: the host does it at once.
    // (-1 is no group to kill(2), as 1 may be where lxrun is a container's first process.)
    if (inside && !info && pgid > 1 && cred_has_cap(&t->cred, CAP_KILL))
        return HOST2(__NR_kill, -(long)pgid, sig);
    struct broadcast b = {.pgid = pgid, .sig = sig, .info = info};
    reach_each(t, send_one, &b);
    if (!b.reached && inside && !b.self) // a child that has no record yet
        return send_among(t, pgid, sig, info);
    if (b.self)
        return send_among(t, t->proc->tgid, sig, info);
    return b.allowed ? 0 : b.error ? b.error : b.reached ? -EPERM : -ESRCH;
}

long sys_kill(struct task *t, int pid, int sig)
{
    long r = (u32)pid == t->proc->tgid ? signal_to_self(t, sig, SI_USER) : 0;
    if (r)
        return r;
    if (pid == 1)
        return reach_signal_init(t, sig);
    if (pid > 0) {
        u32 tgid = reach_process(t, (u32)pid) ? (u32)pid : reach_thread(t, (u32)pid);
        return tgid ? send(t, tgid, sig, 0) : -ESRCH;
    }
    if (pid == -1) {
        struct broadcast b = {.sig = sig};
        reach_each(t, send_one, &b);
        return b.reached ? b.error : -ESRCH;
    }
    if (pid == 0)
        return send_group(t, (u32)HOST1(__NR_getpgid, 0), sig, 0);
    if (pid == -0x7fffffff - 1)
        return -ESRCH; // its negative is no number
    return send_group(t, (u32)-pid, sig, 0);
}

// The common part of calls that name a thread. tgid: 0 for any.
static long may_reach_thread(struct task *t, int tgid, int tid, int sig)
{
    u32 own = (u32)tgid == t->proc->tgid ? (u32)tgid : reach_thread(t, (u32)tid);
    if (!own || (tgid && own != (u32)tgid))
        return -ESRCH;
    if ((u32)sig > 64) // of a thread that is there
        return HOST3(__NR_tgkill, own, tid, 0) == -ESRCH ? -ESRCH : -EINVAL;
    long r = reach_may_signal(t, own, sig);
    return r ? r : (long)own;
}

long sys_tkill(struct task *t, int tid, int sig)
{
    if (tid <= 0)
        return -EINVAL;
    if (tid == 1)
        return reach_signal_init(t, sig);
    long r = (u32)tid == t->tid ? signal_to_self(t, sig, SI_TKILL) : 0;
    long tgid = r ? r : may_reach_thread(t, 0, tid, sig);
    return tgid < 0 ? tgid : HOST_INTR3(__NR_tgkill, tgid, tid, sig);
}

long sys_tgkill(struct task *t, int tgid, int tid, int sig)
{
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    if (tgid == 1 && tid == 1)
        return reach_signal_init(t, sig);
    bool self = (u32)tid == t->tid && (u32)tgid == t->proc->tgid;
    long r = self ? signal_to_self(t, sig, SI_TKILL) : 0;
    if (!r)
        r = may_reach_thread(t, tgid, tid, sig);
    return r < 0 ? r : HOST_INTR3(__NR_tgkill, tgid, tid, sig);
}

// Only a process itself may pretend that the kernel or kill(2) sent a signal.
static long check_info(struct task *t, uptr info, u32 target)
{
    siginfo_t i;
    if (copy_from_guest(&i, info, sizeof i))
        return -EFAULT;
    return (i.si_code >= 0 || i.si_code == SI_TKILL) && target != t->tid ? -EPERM : 0;
}

long sys_rt_sigqueueinfo(struct task *t, int tgid, int sig, uptr info)
{
    long r = check_info(t, info, (u32)tgid);
    if (r)
        return r;
    if (tgid == 1)
        return reach_signal_init(t, sig);
    u32 process = reach_process(t, (u32)tgid) ? (u32)tgid : reach_thread(t, (u32)tgid);
    return process ? send(t, process, sig, info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(struct task *t, int tgid, int tid, int sig, uptr info)
{
    long r = tgid <= 0 || tid <= 0 ? -EINVAL : check_info(t, info, (u32)tid);
    if (!r && tgid == 1 && tid == 1)
        return reach_signal_init(t, sig);
    if (!r)
        r = may_reach_thread(t, tgid, tid, sig);
    return r < 0 ? r : HOST_INTR4(__NR_rt_tgsigqueueinfo, tgid, tid, sig, info);
}

long sys_pidfd_send_signal(struct task *t, int pidfd, int sig, uptr info, unsigned int flags)
{
    const u32 known = PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP;
    if ((flags & ~known) || (flags & (flags - 1)))
        return -EINVAL;
    long tgid = reach_signal_fd(t, pidfd);
    if (tgid < 0 && tgid != -ESRCH)
        return tgid;
    bool group = flags & PIDFD_SIGNAL_PROCESS_GROUP;
    if (info) { // before the signal itself (kernel/signal.c, do_pidfd_send_signal())
        siginfo_t i;
        if (copy_from_guest(&i, info, sizeof i))
            return -EFAULT;
        if (i.si_signo != sig)
            return -EINVAL;
        if (((u32)tgid != t->tid || group) && (i.si_code >= 0 || i.si_code == SI_TKILL))
            return -EPERM;
    }
    if (tgid < 0)
        return tgid;
    if (group)
        return send_group(t, (u32)tgid, sig, info);
    if ((u32)sig > 64)
        return -EINVAL;
    long r = reach_may_signal(t, (u32)tgid, sig);
    return r || tgid == 1 ? r : HOST_INTR4(__NR_pidfd_send_signal, pidfd, sig, info, flags);
}
