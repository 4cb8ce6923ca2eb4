// SPDX-License-Identifier: MIT
// Nice values, scheduling and resource limits: the host's own, for processes of the instance only,
// and with the guest's identity where Linux asks for one. Raising what the host user may not raise
// is refused by the host, also to a guest root.
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "fs.h"
#include "host.h"
#include "reach.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

// One pass over the processes that PRIO_PGRP or PRIO_USER name, or their like of ioprio_set(2).
struct prio_pass {
    int which;
    u32 who;
    bool io, set;
    int value;
    long best, error;
    u32 found;
};

// kernel/sys.c: set_one_prio_perm(); kernel/sched: check_same_owner()
static bool may_renice(const struct cred *c, const struct proc_slot *s)
{
    return c->euid == s->ruid || c->euid == s->euid || cred_has_cap(c, CAP_SYS_NICE);
}

// block/ioprio.c: set_task_ioprio()
static bool may_set_io(const struct cred *c, const struct proc_slot *s)
{
    return s->ruid == c->euid || s->ruid == c->ruid || cred_has_cap(c, CAP_SYS_NICE);
}

// include/linux/ioprio.h: __get_task_ioprio(): of groups and users Linux tells what counts, which
// without a priority of its own follows from how a process is scheduled.
static long effective_ioprio(u32 tgid)
{
    long own = HOST2(__NR_ioprio_get, IOPRIO_WHO_PROCESS, tgid);
    if (own < 0 || IOPRIO_PRIO_CLASS(own) != IOPRIO_CLASS_NONE)
        return own;
    long policy = HOST1(__NR_sched_getscheduler, tgid) & ~SCHED_RESET_ON_FORK;
    long raw = HOST2(__NR_getpriority, PRIO_PROCESS, tgid); // 20 less the nice value
    bool is_real_time = policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
    long class = policy == SCHED_IDLE ? IOPRIO_CLASS_IDLE
                 : is_real_time       ? IOPRIO_CLASS_RT
                                      : IOPRIO_CLASS_BE;
    return raw < 0 ? raw : (class << IOPRIO_CLASS_SHIFT) | ((40 - raw) / 5);
}

static void prio_one(struct task *t, u32 tgid, const struct proc_slot *s, void *arg)
{
    struct prio_pass *p = arg;
    bool meant =
        p->which == PRIO_USER ? s->ruid == p->who : HOST1(__NR_getpgid, tgid) == (long)p->who;
    if (!meant)
        return;
    long r;
    if (p->set && !(p->io ? may_set_io : may_renice)(&t->cred, s))
        r = -EPERM;
    else if (p->io)
        r = p->set ? HOST3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, tgid, p->value)
                   : effective_ioprio(tgid);
    else
        r = p->set ? HOST3(__NR_setpriority, PRIO_PROCESS, tgid, p->value)
                   : HOST2(__NR_getpriority, PRIO_PROCESS, tgid);
    if (r == -ESRCH)
        return;
    if (r < 0)
        p->error = r;
    else if (p->io) // the lowest is the best
        p->best = p->found ? MIN(p->best, r) : r;
    else
        p->best = MAX(p->best, r); // the raw call counts from 40, best, down to 1
    p->found++;
}

static long prio_many(struct task *t, struct prio_pass *p)
{
    if (p->which == PRIO_PGRP && !p->who)
        p->who = (u32)HOST1(__NR_getpgid, 0);
    if (p->which == PRIO_USER && !p->who)
        p->who = t->cred.ruid;
    reach_each(t, prio_one, p);
    if (!p->found)
        return -ESRCH;
    return p->error ? p->error : p->set ? 0 : p->best;
}

long sys_getpriority(struct task *t, int which, int who)
{
    struct prio_pass p = {.which = which, .who = (u32)who};
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    if (which != PRIO_PROCESS)
        return prio_many(t, &p);
    u32 on_host = who ? reach_to_ask(t, (u32)who) : 0;
    return who && !on_host ? -ESRCH : HOST2(__NR_getpriority, which, on_host);
}

long sys_setpriority(struct task *t, int which, int who, int prio)
{
    struct prio_pass p = {.which = which, .who = (u32)who, .set = true, .value = prio};
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    if (which != PRIO_PROCESS)
        return prio_many(t, &p);
    u32 tgid = who ? reach_thread(t, (u32)who) : t->proc->tgid;
    if (!tgid)
        return reach_none((u32)who);
    const struct proc_slot *s = proc_find(t->instance, tgid);
    if (tgid != t->proc->tgid && s && !may_renice(&t->cred, s))
        return -EPERM;
    return HOST3(__NR_setpriority, which, who, prio);
}

long sys_ioprio_get(struct task *t, int which, int who)
{
    struct prio_pass p = {
        .which = which == IOPRIO_WHO_PGRP ? PRIO_PGRP : PRIO_USER, .who = (u32)who, .io = true};
    if (which == IOPRIO_WHO_PGRP || which == IOPRIO_WHO_USER)
        return prio_many(t, &p);
    u32 on_host = who && which == IOPRIO_WHO_PROCESS ? reach_to_ask(t, (u32)who) : (u32)who;
    return who && !on_host ? -ESRCH : HOST2(__NR_ioprio_get, which, on_host);
}

long sys_ioprio_set(struct task *t, int which, int who, int ioprio)
{
    struct prio_pass p = {.which = which == IOPRIO_WHO_PGRP ? PRIO_PGRP : PRIO_USER,
                          .who = (u32)who,
                          .io = true,
                          .set = true,
                          .value = ioprio};
    u32 tgid = which == IOPRIO_WHO_PROCESS && who ? reach_thread(t, (u32)who) : t->proc->tgid;
    bool many = which == IOPRIO_WHO_PGRP || which == IOPRIO_WHO_USER;
    if (many || !tgid) { // a wrong value comes first
        long said = HOST3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, NO_PROCESS, ioprio);
        if (said != -ESRCH)
            return said;
        return many ? prio_many(t, &p) : reach_none((u32)who);
    }
    const struct proc_slot *s = proc_find(t->instance, tgid);
    if (tgid != t->proc->tgid && s && !may_set_io(&t->cred, s))
        return -EPERM;
    return HOST3(__NR_ioprio_set, which, who, ioprio);
}

// The thread that the host is asked about instead of pid (0, the caller, and negative ones are the
// host's to answer).
static int known_thread(struct task *t, int pid)
{
    if (pid <= 0 || (u32)pid == t->tid)
        return pid;
    u32 asked = reach_to_ask(t, (u32)pid);
    return asked ? (int)asked : NO_PROCESS;
}

// May the caller set how thread pid (0: itself) is scheduled? A negative one is the host's to
// refuse.
static long may_schedule(struct task *t, int pid)
{
    if (pid <= 0 || (u32)pid == t->tid)
        return 0;
    u32 tgid = reach_thread(t, (u32)pid);
    if (!tgid)
        return reach_none((u32)pid);
    const struct proc_slot *s = proc_find(t->instance, tgid);
    return tgid != t->proc->tgid && s && !may_renice(&t->cred, s) ? -EPERM : 0;
}

// Sets how a thread is scheduled, by host call nr. What is wrong with the arguments comes before
// what is wrong with the thread.
static long set_schedule(struct task *t, int nr, int pid, unsigned long b, unsigned long c)
{
    long may = may_schedule(t, pid);
    if (!may)
        return HOST3(nr, pid, b, c);
    long said = HOST3(nr, NO_PROCESS, b, c);
    return said == -ESRCH ? may : said;
}

long sys_sched_getscheduler(struct task *t, int pid)
{
    return HOST1(__NR_sched_getscheduler, known_thread(t, pid));
}

long sys_sched_setscheduler(struct task *t, int pid, int policy, uptr param)
{
    return set_schedule(t, __NR_sched_setscheduler, pid, (unsigned long)policy, param);
}

long sys_sched_getparam(struct task *t, int pid, uptr param)
{
    return HOST2(__NR_sched_getparam, known_thread(t, pid), param);
}

long sys_sched_setparam(struct task *t, int pid, uptr param)
{
    return set_schedule(t, __NR_sched_setparam, pid, param, 0);
}

long sys_sched_getattr(struct task *t, int pid, uptr attr, unsigned int size, unsigned int flags)
{
    return HOST4(__NR_sched_getattr, known_thread(t, pid), attr, size, flags);
}

long sys_sched_setattr(struct task *t, int pid, uptr attr, unsigned int flags)
{
    return set_schedule(t, __NR_sched_setattr, pid, attr, flags);
}

long sys_sched_getaffinity(struct task *t, int pid, unsigned int len, uptr mask)
{
    return HOST3(__NR_sched_getaffinity, known_thread(t, pid), len, mask);
}

long sys_sched_setaffinity(struct task *t, int pid, unsigned int len, uptr mask)
{
    return set_schedule(t, __NR_sched_setaffinity, pid, len, mask);
}

long sys_sched_rr_get_interval(struct task *t, int pid, uptr interval)
{
    return HOST2(__NR_sched_rr_get_interval, known_thread(t, pid), interval);
}

long sys_prlimit64(struct task *t, int pid, unsigned int resource, uptr new_limit, uptr old_limit)
{
    struct rlimit64 want, old;
    if (new_limit && copy_from_guest(&want, new_limit, sizeof want))
        return -EFAULT;
    u32 tgid = !pid ? t->proc->tgid : (new_limit ? reach_thread : reach_to_ask)(t, (u32)pid);
    if (!tgid)
        return reach_none((u32)pid);
    if (pid == 1) {
        if (!cred_has_cap(&t->cred, CAP_SYS_RESOURCE))
            return -EPERM;
        pid = (int)tgid;
    }
    // Not of itself (kernel/sys.c, check_prlimit_permission).
    long r = pid && (u32)pid != t->tid ? reach_same_ids(t, tgid, CAP_SYS_RESOURCE) : 0;
    if (r)
        return r;
    bool files = resource == RLIMIT_NOFILE;
    // Where the host user could raise a hard limit, the guest's identity still has to allow it.
    if (new_limit && !cred_has_cap(&t->cred, CAP_SYS_RESOURCE)) {
        r = HOST4(__NR_prlimit64, pid, resource, NULL, &old);
        if (r)
            return r;
        if (files)
            files_limit_to_guest(t, tgid, &old);
        if (want.rlim_cur <= want.rlim_max && want.rlim_max > old.rlim_max)
            return -EPERM;
    }
    if (new_limit && resource == RLIMIT_FSIZE && want.rlim_cur < WRITES_ENOUGH)
        t->instance->writes_limited = 1;
    bool set_files = new_limit && files && tgid == t->proc->tgid;
    r = HOST4(__NR_prlimit64, pid, resource, new_limit && !set_files ? &want : NULL,
              old_limit ? &old : NULL);
    if (r)
        return r;
    if (files && old_limit)
        files_limit_to_guest(t, tgid, &old);
    if (set_files)
        r = files_set_limit(t, &want);
    if (r)
        return r;
    return old_limit ? copy_to_guest(old_limit, &old, sizeof old) : 0;
}

long sys_getrlimit(struct task *t, unsigned int resource, uptr rlim)
{
    if (!rlim)
        return resource < RLIM_NLIMITS ? -EFAULT : -EINVAL;
    return sys_prlimit64(t, 0, resource, 0, rlim);
}

long sys_setrlimit(struct task *t, unsigned int resource, uptr rlim)
{
    if (!rlim)
        return -EFAULT;
    return sys_prlimit64(t, 0, resource, rlim, 0);
}
