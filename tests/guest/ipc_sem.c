// SPDX-License-Identifier: MIT
// System V semaphores: values, several operations at once or none, waiting for zero, IPC_NOWAIT,
// timeouts, SEM_UNDO at exit and by a signal, GETNCNT and GETPID, removal wakes the waiting.
// covers: semget, semctl, semop, semtimedop
#include "sig.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int id;

static int op(int num, int delta, int flags)
{
    struct sembuf s = {num, delta, flags};

    return semop(id, &s, 1);
}

static int val(int num)
{
    return semctl(id, num, GETVAL);
}

static pid_t child(void (*fn)(void))
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        fn();
        _exit(0);
    }
    return pid;
}

static void take0(void)
{
    CHECK(op(0, -3, 0) == 0);
}
static void zero1(void)
{
    CHECK(op(1, 0, 0) == 0);
}
static void undo(void)
{
    CHECK(op(0, 5, SEM_UNDO) == 0 && op(1, -1, SEM_UNDO) == 0);
    CHECK(val(0) == 5 && val(1) == 2);
}
static void undo_killed(void)
{
    undo();
    kill(getpid(), SIGKILL);
}
static void until_removed(void)
{
    CHECK_ERR(op(0, -1, 0), EIDRM);
}

static void wait_count(int num, int cmd, int n)
{
    while (semctl(id, num, cmd) != n)
        sleep_us(500);
}

int main(void)
{
    unsigned short all[3] = {1, 2, 3};
    struct sembuf both[2] = {{0, -1, IPC_NOWAIT}, {2, -4, IPC_NOWAIT}};
    struct timespec soon = {0, 2000000};
    struct semid_ds ds;
    pid_t pid;
    int st;

    id = OK(semget(IPC_PRIVATE, 3, 0600));
    CHECK(val(0) == 0 && val(2) == 0);
    CHECK(semctl(id, 0, SETALL, all) == 0 && val(0) == 1 && val(1) == 2 && val(2) == 3);
    memset(all, 0, sizeof(all));
    CHECK(semctl(id, 0, GETALL, all) == 0 && all[2] == 3);
    CHECK(semctl(id, 0, IPC_STAT, &ds) == 0 && ds.sem_nsems == 3 && ds.sem_perm.cuid == geteuid());
    // All or nothing.
    CHECK_ERR(semop(id, both, 2), EAGAIN);
    CHECK(val(0) == 1 && val(2) == 3);
    both[1].sem_op = -3;
    CHECK(semop(id, both, 2) == 0 && val(0) == 0 && val(2) == 0);
    CHECK_EQ(semctl(id, 2, GETPID), getpid());
    CHECK_ERR(op(0, -1, IPC_NOWAIT), EAGAIN);
    CHECK_ERR(semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &soon), EAGAIN);
    CHECK_ERR(op(3, 1, 0), EFBIG);
    CHECK_ERR(semop(id, both, 0), EINVAL);
    CHECK_ERR(semop(-1, both, 1), EINVAL);
    CHECK_ERR(semop(id, (void *)8, 1), EFAULT);
    CHECK_ERR(semctl(id, 0, SETVAL, 40000), ERANGE);
    CHECK_ERR(semctl(id, 9, GETVAL), EINVAL);

    // Others wait for a value, and for zero.
    CHECK(semctl(id, 1, SETVAL, 2) == 0);
    pid = child(take0);
    wait_count(0, GETNCNT, 1);
    CHECK(op(0, 2, 0) == 0 && val(0) == 2);
    CHECK(op(0, 2, 0) == 0);
    wait_ok(pid);
    CHECK_EQ(val(0), 1);
    pid = child(zero1);
    wait_count(1, GETZCNT, 1);
    CHECK(op(1, -2, 0) == 0);
    wait_ok(pid);

    // Undone at the end, however it comes.
    CHECK(semctl(id, 0, SETVAL, 0) == 0 && semctl(id, 1, SETVAL, 3) == 0);
    wait_ok(child(undo));
    CHECK(val(0) == 0 && val(1) == 3);
    CHECK(waitpid(child(undo_killed), &st, 0) > 0 && st == SIGKILL);
    CHECK(val(0) == 0 && val(1) == 3);

    pid = child(until_removed);
    wait_count(0, GETNCNT, 1);
    CHECK(semctl(id, 0, IPC_RMID) == 0);
    wait_ok(pid);
    CHECK_ERR(semctl(id, 0, GETVAL), EINVAL);
    CHECK_ERR(semget(IPC_PRIVATE, -1, 0600), EINVAL);
    CHECK_ERR(semget(0x47541111, 0, 0), ENOENT);
    return done();
}
