// SPDX-License-Identifier: MIT
// Scheduling, I/O priorities and moving of pages: what is wrong with the arguments is said before
// that there is no such process. Of a group ioprio_get tells what counts, also where nothing was
// set.
// covers: sched_getaffinity, sched_setaffinity, sched_getattr, sched_setattr, sched_getparam
// covers: sched_setscheduler, sched_rr_get_interval, ioprio_set, ioprio_get, migrate_pages
// covers: move_pages
// trap: not container: such a filter refuses migrate_pages
#include "check.h"
#include <sched.h>
#include <sys/resource.h>

#define NOBODY 0x3ffffff0
#define PROCESS 1 // of ioprio_set(2)
#define GROUP 2
#define USER 3
#define BEST_EFFORT 2

int main(void)
{
    unsigned long mask[16] = {1}, attr[16] = {0};
    struct sched_param p = {0};

    CHECK_ERR(syscall(SYS_sched_getaffinity, NOBODY, 4, mask), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getaffinity, NOBODY, 128, mask), ESRCH);
    CHECK_ERR(syscall(SYS_sched_setaffinity, NOBODY, 8, 8), EFAULT);
    CHECK_ERR(syscall(SYS_sched_setaffinity, NOBODY, 8, mask), ESRCH);
    CHECK_ERR(syscall(SYS_sched_getattr, NOBODY, attr, 10, 0), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getattr, NOBODY, attr, 48, 0), ESRCH);
    *(unsigned *)attr = 5000;
    CHECK_ERR(syscall(SYS_sched_setattr, NOBODY, attr, 0), E2BIG);
    *(unsigned *)attr = 48;
    CHECK_ERR(syscall(SYS_sched_setattr, NOBODY, attr, 0), ESRCH);
    CHECK_ERR(syscall(SYS_sched_getparam, NOBODY, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getparam, NOBODY, &p), ESRCH);
    CHECK_ERR(syscall(SYS_sched_setscheduler, NOBODY, -1, &p), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setscheduler, NOBODY, 0, 8), EFAULT);
    CHECK_ERR(syscall(SYS_sched_setscheduler, NOBODY, 0, &p), ESRCH);
    CHECK_ERR(syscall(SYS_sched_rr_get_interval, NOBODY, 8), ESRCH);
    CHECK_ERR(syscall(SYS_migrate_pages, NOBODY, 1L << 40, mask, mask), EINVAL);
    CHECK_ERR(syscall(SYS_migrate_pages, NOBODY, 64, mask, mask), ESRCH);
    CHECK_ERR(syscall(SYS_move_pages, NOBODY, 0, NULL, NULL, NULL, 1), EINVAL);
    CHECK_ERR(syscall(SYS_move_pages, NOBODY, 0, NULL, NULL, NULL, 0), ESRCH);

    for (int which = PROCESS; which <= USER; which++) {
        CHECK_ERR(syscall(SYS_ioprio_set, which, NOBODY, 5 << 13), EINVAL);
        CHECK_ERR(syscall(SYS_ioprio_set, which, NOBODY, BEST_EFFORT << 13), ESRCH);
        CHECK_ERR(syscall(SYS_ioprio_get, which, NOBODY), ESRCH);
    }
    CHECK_EQ(setpgid(0, 0), 0);
    CHECK_EQ(setpriority(PRIO_PROCESS, 0, 19), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, GROUP, 0), BEST_EFFORT << 13 | 7);
    CHECK_EQ(syscall(SYS_ioprio_set, PROCESS, 0, BEST_EFFORT << 13 | 3), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, GROUP, 0), BEST_EFFORT << 13 | 3);
    return done();
}
