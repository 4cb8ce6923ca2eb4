// SPDX-License-Identifier: MIT
// prctl(2): three groups of options. Identity is lxcore's own state; what concerns the host process
// and cannot reach lxcore goes to the host; anything else is an option that this kernel does not
// have: EINVAL.
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "fs.h"
#include "host.h"
#include "procfs.h"
#include "reach.h"
#include "seccomp.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"
#include "userdispatch.h"

// Options newer than the oldest headers that this builds with.
enum {
    SET_MDWE = 65,
    GET_MDWE = 66,
    SET_MEMORY_MERGE = 67,
    GET_MEMORY_MERGE = 68,
    TIMER_CREATE_RESTORE_IDS = 77,
    FUTEX_HASH = 78,
    GET_AUXV = 0x41555856,
};

#define SECURE_BITS 0x555u // every bit (securebits.h), up to Linux 6.14
#define SECURE_LOCKS (SECURE_BITS << 1)
#define SECURE_UNPRIVILEGED 0xf00u // EXEC_RESTRICT_FILE, EXEC_DENY_INTERACTIVE, their locks

static bool known_cap(unsigned long cap)
{
    return cap < 64 && (CAP_FULL_SET >> cap & 1);
}

// security/commoncap.c: PR_SET_SECUREBITS
static long set_securebits(struct task *t, unsigned long bits)
{
    struct cred *c = &t->cred;
    unsigned long old = c->securebits, changed = old ^ bits;
    if (((old & SECURE_LOCKS) >> 1 & changed) || (old & SECURE_LOCKS & ~bits) ||
        (bits & ~(unsigned long)(SECURE_BITS | SECURE_LOCKS)))
        return -EPERM;
    if (!cred_has_cap(c, CAP_SETPCAP) &&
        (!changed || (changed & ~(unsigned long)SECURE_UNPRIVILEGED)))
        return -EPERM;
    c->securebits = (u32)bits;
    return 0;
}

static long set_keepcaps(struct task *t, unsigned long on)
{
    struct cred *c = &t->cred;
    if (on > 1)
        return -EINVAL;
    if (c->securebits & SECBIT_KEEP_CAPS_LOCKED)
        return -EPERM;
    c->securebits = (c->securebits & ~(u32)SECBIT_KEEP_CAPS) | (on ? SECBIT_KEEP_CAPS : 0);
    return 0;
}

static long drop_bounding(struct task *t, unsigned long cap)
{
    if (!cred_has_cap(&t->cred, CAP_SETPCAP))
        return -EPERM;
    if (!known_cap(cap))
        return -EINVAL;
    t->cred.cap_bounding &= ~(1UL << cap);
    proc_publish_cred(t);
    return 0;
}

static long ambient(struct task *t, unsigned long op, unsigned long cap, unsigned long rest)
{
    struct cred *c = &t->cred;
    if (op == PR_CAP_AMBIENT_CLEAR_ALL) {
        if (cap | rest)
            return -EINVAL;
        c->cap_ambient = 0;
        proc_publish_cred(t);
        return 0;
    }
    if (!known_cap(cap) || rest)
        return -EINVAL;
    u64 bit = 1UL << cap;
    switch (op) {
    case PR_CAP_AMBIENT_IS_SET:
        return !!(c->cap_ambient & bit);
    case PR_CAP_AMBIENT_RAISE:
        if (!(c->cap_permitted & c->cap_inheritable & bit) ||
            (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
            return -EPERM;
        c->cap_ambient |= bit;
        break;
    case PR_CAP_AMBIENT_LOWER:
        c->cap_ambient &= ~bit;
        break;
    default:
        return -EINVAL;
    }
    proc_publish_cred(t);
    return 0;
}

// What the kernel knows of this process's parts, to be set again by PR_SET_MM_MAP, which asks for
// no privilege: where they are is told by proc_pid_stat(5), fields 26 to 28 and 45 to 51.
static long read_mm(struct task *t, struct prctl_mm_map *m)
{
    char text[1024];
    __u64 *const field[] = {
        [26] = &m->start_code, [27] = &m->end_code,  [28] = &m->start_stack, [45] = &m->start_data,
        [46] = &m->end_data,   [47] = &m->start_brk, [48] = &m->arg_start,   [49] = &m->arg_end,
        [50] = &m->env_start,  [51] = &m->env_end};
    long n = proc_text(t, reserved_fd(t, RESERVED_PROC), "thread-self/stat", text, sizeof text);
    if (n < 0)
        return n;
    *m = (struct prctl_mm_map){.exe_fd = ~0u, .brk = (u64)HOST1(__NR_brk, 0)};
    const char *at = strrchr(text, ')'), *end; // behind field 2
    at = at ? strchr(at, ' ') : NULL;
    for (size_t i = 3; at && i < ARRAY_LEN(field); i++, at = end) {
        end = strchr(at + 1, ' ');
        if (end && field[i])
            *field[i] = (u64)str_number(at + 1, (size_t)(end - at - 1));
    }
    return at ? 0 : -EPERM;
}

static long set_mm(struct task *t, unsigned long what, u64 addr)
{
    struct prctl_mm_map m;
    if (!cred_has_cap(&t->cred, CAP_SYS_RESOURCE))
        return -EPERM;
    // Where arguments and environment are is the guest's business; the rest is the loader's.
    if (what < PR_SET_MM_ARG_START || what > PR_SET_MM_ENV_END)
        return -EPERM;
    long r = read_mm(t, &m);
    if (r < 0)
        return r;
    __u64 *const field[] = {&m.arg_start, &m.arg_end, &m.env_start, &m.env_end};
    *field[what - PR_SET_MM_ARG_START] = addr;
    return HOST5(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0);
}

long sys_prctl(struct task *t, int option, unsigned long arg2, unsigned long arg3,
               unsigned long arg4, unsigned long arg5)
{
    struct cred *c = &t->cred;
    long r;
    switch (option) {
    // Identity.
    case PR_GET_KEEPCAPS:
        return !!(c->securebits & SECBIT_KEEP_CAPS);
    case PR_SET_KEEPCAPS:
        return set_keepcaps(t, arg2);
    case PR_GET_SECUREBITS:
        return c->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(t, arg2);
    case PR_CAPBSET_READ:
        return known_cap(arg2) ? (long)(c->cap_bounding >> arg2 & 1) : -EINVAL;
    case PR_CAPBSET_DROP:
        return drop_bounding(t, arg2);
    case PR_CAP_AMBIENT:
        return ambient(t, arg2, arg3, arg4 | arg5);
    case PR_SET_NO_NEW_PRIVS:
        if (arg2 != 1 || arg3 || arg4 || arg5)
            return -EINVAL;
        c->no_new_privs = 1;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return arg2 || arg3 || arg4 || arg5 ? -EINVAL : (long)c->no_new_privs;
    // The host process stays dumpable, or /proc/self would not be lxcore's own to read.
    case PR_GET_DUMPABLE:
        return t->proc->dumpable;
    case PR_SET_DUMPABLE:
        if (arg2 > 1)
            return -EINVAL;
        proc_set_dumpable(t, (u32)arg2);
        return 0;
    case PR_GET_SECCOMP:
        return t->seccomp_mode;
    case PR_SET_SECCOMP:
        return seccomp_set_mode(t, arg2, arg3);
    case PR_SET_SYSCALL_USER_DISPATCH:
        return user_dispatch_set(t, arg2, arg3, arg4, arg5);
    case PR_SET_MM:
        if (arg2 != PR_SET_MM_MAP && arg2 != PR_SET_MM_MAP_SIZE)
            return set_mm(t, arg2, arg3);
        r = 0;
        break;
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
        r = cred_has_cap(c, CAP_SYS_RESOURCE) ? 0 : -EPERM;
        break;
    case PR_SET_PTRACER:
        r = (s32)arg2 <= 0 || reach_thread(t, (u32)arg2) ? 0 : -EINVAL;
        break;
    // The host process's own.
    case PR_SET_PDEATHSIG:
    case PR_GET_PDEATHSIG:
    case PR_SET_NAME:
    case PR_GET_NAME:
    case PR_SET_TIMING:
    case PR_GET_TIMING:
    case PR_SET_TSC:
    case PR_GET_TSC:
    case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
    case PR_MCE_KILL:
    case PR_MCE_KILL_GET:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_CHILD_SUBREAPER:
    case PR_GET_TID_ADDRESS:
    case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE:
    case PR_SET_SPECULATION_CTRL:
    case PR_GET_SPECULATION_CTRL:
    case PR_SET_VMA:
    case SET_MDWE:
    case GET_MDWE:
    case SET_MEMORY_MERGE:
    case GET_MEMORY_MERGE:
    case TIMER_CREATE_RESTORE_IDS:
    case FUTEX_HASH:
    case GET_AUXV:
        r = 0;
        break;
    default:
        return -EINVAL;
    }
    return r ? r : HOST5(__NR_prctl, option, arg2, arg3, arg4, arg5);
}
