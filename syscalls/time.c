// SPDX-License-Identifier: MIT
// Clocks that are asked for by system call: the host's vDSO knows them too (host/vdso.c). What it
// does not tell goes to the host, errors included.
#include <linux/time.h>

#include "host.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"
#include "vdso.h"

#define CLOCK_BIT(id) (1u << (id))
// The clocks that the vDSO reads by itself, whatever the kernel's version (lib/vdso/gettimeofday.c:
// the others make the system call anyway, or are a process's or a device's).
#define VDSO_CLOCKS                                                                                \
    (CLOCK_BIT(CLOCK_REALTIME) | CLOCK_BIT(CLOCK_MONOTONIC) | CLOCK_BIT(CLOCK_MONOTONIC_RAW) |     \
     CLOCK_BIT(CLOCK_REALTIME_COARSE) | CLOCK_BIT(CLOCK_MONOTONIC_COARSE) |                        \
     CLOCK_BIT(CLOCK_BOOTTIME) | CLOCK_BIT(CLOCK_TAI))

long sys_clock_gettime(struct task *t, int clockid, uptr tp)
{
    struct __kernel_timespec ts;
    (void)t;
    if ((u32)clockid < 32 && (CLOCK_BIT(clockid) & VDSO_CLOCKS) &&
        !vdso_call(VDSO_CLOCK_GETTIME, clockid, (long)&ts, 0))
        return copy_to_guest(tp, &ts, sizeof ts);
    return HOST2(__NR_clock_gettime, clockid, tp);
}

// Timers that begin again, or count, when their signal is taken.
long sys_setitimer(struct task *t, int which, uptr new_value, uptr old_value)
{
    t->proc->eager_masks |= EAGER_TIMER;
    return HOST3(__NR_setitimer, which, new_value, old_value);
}

long sys_timer_create(struct task *t, int clockid, uptr sevp, uptr timerid)
{
    t->proc->eager_masks |= EAGER_TIMER;
    return HOST3(__NR_timer_create, clockid, sevp, timerid);
}

long sys_gettimeofday(struct task *t, uptr tv, uptr tz)
{
    struct __kernel_old_timeval now;
    struct timezone zone;
    (void)t;
    if (vdso_call(VDSO_GETTIMEOFDAY, tv ? (long)&now : 0, tz ? (long)&zone : 0, 0))
        return HOST2(__NR_gettimeofday, tv, tz);
    if (tv && copy_to_guest(tv, &now, sizeof now))
        return -EFAULT;
    return tz ? copy_to_guest(tz, &zone, sizeof zone) : 0;
}

long sys_time(struct task *t, uptr tloc)
{
    long now;
    (void)t;
    // What it returns is the time; an error is negative.
    if (vdso_call(VDSO_TIME, (long)&now, 0, 0) < 0)
        return HOST1(__NR_time, tloc);
    return tloc && copy_to_guest(tloc, &now, sizeof now) ? -EFAULT : now;
}

long sys_getcpu(struct task *t, uptr cpu, uptr node, uptr unused)
{
    u32 c, n;
    (void)t;
    if (vdso_call(VDSO_GETCPU, (long)&c, (long)&n, 0))
        return HOST3(__NR_getcpu, cpu, node, unused);
    if (cpu && copy_to_guest(cpu, &c, sizeof c))
        return -EFAULT;
    return node ? copy_to_guest(node, &n, sizeof n) : 0;
}
