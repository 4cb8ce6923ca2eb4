// SPDX-License-Identifier: MIT
// Scheduling: affinity (get, set, inherited over fork and kept over execve), policies and their
// ranges, nice values by process, group and user, attributes, yield, errors.
// covers: sched_getaffinity, sched_setaffinity, sched_getscheduler, sched_setscheduler
// covers: sched_getparam, sched_setparam, sched_getattr, sched_setattr
// covers: sched_get_priority_max, sched_get_priority_min, sched_rr_get_interval, sched_yield
// covers: getpriority, setpriority, getcpu
#include "sig.h"
#include <sched.h>

struct attr { // struct sched_attr
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

int main(int argc, char **argv)
{
    struct sched_param sp = {0};
    struct timespec ts;
    struct attr at = {0};
    unsigned long mask[16];
    cpu_set_t all, one, now;
    unsigned cpu, node;
    int first = -1;
    pid_t pid;

    (void)argv;
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0 && CPU_COUNT(&all) > 0);
    for (int i = 0; i < CPU_SETSIZE && first < 0; i++)
        if (CPU_ISSET(i, &all))
            first = i;
    if (argc > 1) { // executed with one processor and nice 4
        CHECK(CPU_COUNT(&all) == 1 && getpriority(PRIO_PROCESS, 0) == 4);
        CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
        return done();
    }
    CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) >= 8); // bytes written
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 4, mask), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, sizeof(mask), 8), EFAULT);
    CHECK_ERR(sched_getaffinity(0x3fffffff, sizeof(all), &all), ESRCH);
    CPU_ZERO(&one);
    CHECK_ERR(sched_setaffinity(0, sizeof(one), &one), EINVAL); // none
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(sched_getaffinity(tid(), sizeof(now), &now) == 0 && CPU_EQUAL(&now, &one));
    CHECK(getcpu(&cpu, &node) == 0 && (int)cpu == first);
    CHECK(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 && (int)cpu == first &&
          sched_getcpu() == first);
    CHECK_ERR(syscall(SYS_getcpu, 8, NULL, NULL), EFAULT);
    pid = OK(fork());
    if (pid == 0) {
        CHECK(sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &one));
        _exit(0);
    }
    wait_ok(pid);

    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_ERR(sched_get_priority_max(99), EINVAL);
    CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
    CHECK_ERR(sched_getscheduler(-1), EINVAL);
    CHECK(sched_getparam(0, &sp) == 0 && sp.sched_priority == 0);
    CHECK(sched_setparam(0, &sp) == 0);
    sp.sched_priority = 5;
    CHECK_ERR(sched_setscheduler(0, SCHED_OTHER, &sp), EINVAL);
    CHECK_ERR(sched_setscheduler(0, 99, &sp), EINVAL);
    CHECK_ERR(sched_setscheduler(0, SCHED_FIFO, (void *)8), EFAULT);
    sp.sched_priority = 0;
    CHECK(sched_setscheduler(0, SCHED_BATCH, &sp) == 0 && sched_getscheduler(0) == SCHED_BATCH);
    CHECK(sched_rr_get_interval(0, &ts) == 0 && ts.tv_sec == 0);
    CHECK_ERR(sched_rr_get_interval(-1, &ts), EINVAL);
    CHECK(sched_yield() == 0);

    // The raw call gives 20 - nice.
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20);
    CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
    CHECK(syscall(SYS_sched_getattr, 0, &at, sizeof(at), 0) == 0);
    CHECK(at.policy == SCHED_BATCH && at.nice == 3 && at.size >= 48);
    at.nice = 4;
    at.size = sizeof(at);
    CHECK(syscall(SYS_sched_setattr, 0, &at, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 4);
    CHECK_ERR(syscall(SYS_sched_getattr, 0, &at, 4, 0), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setattr, 0, &at, 1), EINVAL);
    at.size = 40;
    CHECK_ERR(syscall(SYS_sched_setattr, 0, &at, 0), E2BIG);
    // By group: own group of one.
    pid = OK(fork());
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0 && setpriority(PRIO_PGRP, 0, 7) == 0);
        CHECK(getpriority(PRIO_PGRP, getpid()) == 7 && getpriority(PRIO_PROCESS, getpid()) == 7);
        CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19); // cut
        _exit(0);
    }
    wait_ok(pid);
    CHECK_ERR(getpriority(9, 0), EINVAL);
    CHECK_ERR(getpriority(PRIO_PROCESS, 0x3fffffff), ESRCH);
    CHECK_ERR(setpriority(PRIO_PROCESS, 0x3fffffff, 0), ESRCH);
    execl("/proc/self/exe", "x", "again", NULL);
    CHECK(!"execl");
}
