// SPDX-License-Identifier: MIT
// System V msgrcv, msgsnd, semop and semtimedop: a handler always ends them with EINTR, also with
// SA_RESTART.
// covers: msgget, msgctl, msgrcv, msgsnd, semget, semctl, semop, semtimedop
#include "eintr.h"
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static int queue, full, sem;
static struct {
    long type;
    char text[1024];
} msg = {1, ""};
static struct sembuf down = {0, -1, 0};
static struct timespec minute = {60, 0};

static void setup(void)
{
    while (msgsnd(full, &msg, sizeof(msg.text), IPC_NOWAIT) == 0)
        ;
    CHECK(errno == EAGAIN);
}
static void nothing(void)
{
}

static long do_msgrcv(void)
{
    return raw(SYS_msgrcv, queue, &msg, sizeof(msg.text), 0, 0);
}
static long do_msgsnd(void)
{
    return raw(SYS_msgsnd, full, &msg, sizeof(msg.text), 0);
}
static long do_semop(void)
{
    return raw(SYS_semop, sem, &down, 1);
}
static long do_semtimedop(void)
{
    return raw(SYS_semtimedop, sem, &down, 1, &minute);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"msgrcv", NEVER, do_msgrcv, nothing, 0, setup},
        {"msgsnd", NEVER, do_msgsnd, nothing, 0, setup},
        {"semop", NEVER, do_semop, nothing, 0, setup},
        {"semtimedop", NEVER, do_semtimedop, nothing, 0, setup},
    };

    CHECK((queue = msgget(IPC_PRIVATE, 0600)) >= 0 && (full = msgget(IPC_PRIVATE, 0600)) >= 0);
    CHECK((sem = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    EINTR_TEST(tests);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && msgctl(full, IPC_RMID, NULL) == 0);
    CHECK(semctl(sem, 0, IPC_RMID) == 0);
    return done();
}
