// SPDX-License-Identifier: MIT
// What only root may: real-time policies and negative nice values, also for another process;
// SCHED_RESET_ON_FORK. Where the host gives the guest's root no such right, it says so with EPERM.
// covers: sched_setscheduler, setpriority, sched_setattr, ioprio_get, ioprio_set
// needs: root
#include "sig.h"
#include <sched.h>

int main(void)
{
    struct sched_param sp = {.sched_priority = 10};
    pid_t pid;

    if (sched_setscheduler(0, SCHED_FIFO, &sp) != 0) {
        CHECK_EQ(errno, EPERM);
        CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
    } else {
        CHECK(sched_getscheduler(0) == SCHED_FIFO);
        CHECK(sched_getparam(0, &sp) == 0 && sp.sched_priority == 10);
        sp.sched_priority = 100;
        CHECK_ERR(sched_setparam(0, &sp), EINVAL);
        sp.sched_priority = 1;
        CHECK(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &sp) == 0);
        CHECK_EQ(sched_getscheduler(0), SCHED_RR | SCHED_RESET_ON_FORK);
        pid = OK(fork());
        if (pid == 0) {
            CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
            _exit(0);
        }
        wait_ok(pid);
        sp.sched_priority = 0;
        CHECK(sched_setscheduler(0, SCHED_OTHER, &sp) == 0);
    }
    if (setpriority(PRIO_PROCESS, 0, -5) != 0) {
        CHECK(errno == EACCES && getpriority(PRIO_PROCESS, 0) == 0);
    } else {
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), -5);
        CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 25);
        CHECK(setpriority(PRIO_PROCESS, 0, 0) == 0);
    }
    // Input/output priority: best effort 4 unless set; class 2, level 6.
    CHECK(syscall(SYS_ioprio_get, 1, 0) >= 0);
    CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6) == 0);
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6);
    CHECK_ERR(syscall(SYS_ioprio_set, 1, 0, 7 << 13), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_get, 9, 0), EINVAL);
    return done();
}
