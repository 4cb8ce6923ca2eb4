// SPDX-License-Identifier: MIT
// How another process is scheduled: anybody may look, its owner and root may change it. The same of
// input/output priorities, which also a user's id and a group name. Pages are moved by who may look
// into the process.
// covers: sched_getscheduler, sched_setscheduler, sched_getparam, sched_setparam, sched_getattr
// covers: sched_setattr, sched_getaffinity, sched_setaffinity, sched_rr_get_interval, ioprio_get
// covers: ioprio_set, move_pages, migrate_pages
// needs: root
// trap: not container: such a filter refuses move_pages
#include "check.h"
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#define A 54321 // ids that own nothing
#define B 54322
#define IDLE (3 << 13)
#define LOW (2 << 13 | 7)
#define HIGH (2 << 13 | 1)

enum { PROCESS = 1, GROUP, USER };

static pid_t waits(uid_t uid)
{
    int ready[2];
    char c = 0;

    CHECK_EQ(pipe(ready), 0);
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0 && syscall(SYS_setresuid, uid, uid, uid) == 0);
        CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
        CHECK_EQ(write(ready[1], &c, 1), 1);
        for (;;)
            pause();
    }
    CHECK_EQ(read(ready[0], &c, 1), 1);
    close(ready[0]), close(ready[1]);
    return pid;
}

// Sets all there is to set of pid, as it is already; err: what each says, 0: nothing.
static void set_all(pid_t pid, int err)
{
    struct sched_param sp = {0};
    unsigned at[12]; // struct sched_attr, of version 0
    cpu_set_t all;
    struct timespec ts;

    CHECK_EQ(sched_getscheduler(pid), SCHED_OTHER);
    CHECK_EQ(sched_getparam(pid, &sp), 0);
    CHECK_EQ(syscall(SYS_sched_getattr, pid, at, sizeof(at), 0), 0);
    CHECK_EQ(sched_getaffinity(pid, sizeof(all), &all), 0);
    CHECK_EQ(sched_rr_get_interval(pid, &ts), 0);
    CHECK(syscall(SYS_ioprio_get, PROCESS, pid) >= 0);
    long got[] = {sched_setscheduler(pid, SCHED_OTHER, &sp) ? errno : 0,
                  sched_setparam(pid, &sp) ? errno : 0,
                  syscall(SYS_sched_setattr, pid, at, 0) ? errno : 0,
                  sched_setaffinity(pid, sizeof(all), &all) ? errno : 0,
                  syscall(SYS_ioprio_set, PROCESS, pid, LOW) ? errno : 0};
    for (size_t i = 0; i < sizeof(got) / sizeof(*got); i++)
        CHECK_EQ(got[i], err);
}

static void move_pages_of(pid_t pid, int err)
{
    unsigned long node = 1;

    CHECK_EQ(syscall(SYS_move_pages, pid, 0ul, NULL, NULL, NULL, 0) ? errno : 0, err);
    CHECK_EQ(syscall(SYS_migrate_pages, pid, 64ul, &node, &node) < 0 ? errno : 0, err);
}

int main(void)
{
    pid_t a = waits(A), b = waits(B), root = waits(0);

    set_all(a, 0);
    set_all(root, 0);
    move_pages_of(a, 0);
    move_pages_of(root, 0);
    move_pages_of(0x3fffff, ESRCH);
    CHECK_EQ(syscall(SYS_ioprio_get, USER, A), LOW);
    CHECK_EQ(syscall(SYS_ioprio_set, USER, A, IDLE), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, PROCESS, a), IDLE);
    CHECK_EQ(syscall(SYS_ioprio_get, GROUP, a), IDLE);
    CHECK_EQ(syscall(SYS_ioprio_set, GROUP, a, HIGH), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, USER, A), HIGH);
    CHECK_ERR(syscall(SYS_ioprio_get, USER, B + 1), ESRCH);
    CHECK_ERR(syscall(SYS_ioprio_set, USER, B + 1, LOW), ESRCH);
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(syscall(SYS_setresuid, A, A, A), 0);
        set_all(0, 0);
        set_all(a, 0);
        set_all(b, EPERM);
        set_all(root, EPERM);
        set_all(getppid(), EPERM);
        move_pages_of(0, 0);
        move_pages_of(getpid(), 0);
        move_pages_of(a, EPERM); // its ids have changed
        move_pages_of(b, EPERM);
        move_pages_of(root, EPERM);
        CHECK_ERR(syscall(SYS_ioprio_set, USER, B, LOW), EPERM);
        CHECK_ERR(syscall(SYS_ioprio_set, GROUP, b, LOW), EPERM);
        CHECK_EQ(syscall(SYS_ioprio_set, USER, A, HIGH), 0);
        CHECK_EQ(syscall(SYS_ioprio_get, PROCESS, 0), HIGH);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(syscall(SYS_ioprio_get, USER, A), HIGH);
    pid_t all[] = {a, b, root};
    for (int i = 0; i < 3; i++)
        CHECK(kill(all[i], SIGKILL) == 0 && waitpid(all[i], NULL, 0) == all[i]);
    CHECK_ERR(sched_getscheduler(a), ESRCH);
    return 0;
}
