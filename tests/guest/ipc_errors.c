// SPDX-License-Identifier: MIT
// System V IPC: what is wrong with a call's other arguments is said before what is wrong with the
// object, also to who may not use it.
// covers: shmat, semget, semop, semtimedop, semctl, msgsnd, msgrcv, msgctl
// needs: root
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define NOWHERE ((void *)8)
#define GONE 0x7fffffff

// may: what a call with nothing else wrong gets.
static void errors(int shm, int sem, int msg, int may)
{
    struct {
        long type;
        char text[4];
    } m = {1, "abc"}, none = {0, ""};
    struct sembuf up = {0, 1, IPC_NOWAIT}, far = {2, 1, IPC_NOWAIT}, many[501] = {0};
    struct timespec wrong = {0, 1000000000}, zero = {0};

    CHECK_ERR(syscall(SYS_msgsnd, msg, NOWHERE, 1, IPC_NOWAIT), EFAULT);
    CHECK_ERR(syscall(SYS_msgsnd, msg, NOWHERE, 1 << 30, IPC_NOWAIT), EFAULT);
    CHECK_ERR(msgsnd(msg, &none, 1, IPC_NOWAIT), EINVAL);
    CHECK_ERR(msgsnd(msg, &m, 1 << 30, IPC_NOWAIT), EINVAL);
    CHECK_ERR(msgsnd(msg, &m, -1, IPC_NOWAIT), EINVAL);
    CHECK_ERR(msgsnd(msg, &m, 4, IPC_NOWAIT), may);
    CHECK_ERR(msgrcv(msg, &m, -1, 0, IPC_NOWAIT), EINVAL);
    CHECK_ERR(msgrcv(msg, &m, 4, 0, MSG_COPY), EINVAL);
    CHECK_ERR(msgrcv(msg, &m, 4, 0, IPC_NOWAIT), may);

    CHECK_ERR(semop(sem, many, 501), E2BIG);
    CHECK_ERR(semop(sem, &up, 0), EINVAL);
    CHECK_ERR(syscall(SYS_semop, sem, NOWHERE, 1), EFAULT);
    CHECK_ERR(syscall(SYS_semtimedop, sem, &up, 1, NOWHERE), EFAULT);
    CHECK_ERR(syscall(SYS_semtimedop, sem, NOWHERE, 1, &zero), EFAULT);
    CHECK_ERR(semtimedop(sem, &up, 1, &wrong), EINVAL);
    CHECK_ERR(semop(sem, &far, 1), may == EACCES ? EFBIG : may);
    CHECK_ERR(semtimedop(sem, &up, 1, &zero), may);
    CHECK_ERR(semctl(sem, 0, SETVAL, 40000), ERANGE);
    CHECK_ERR(semctl(sem, 0, SETVAL, -1), ERANGE);
    CHECK_ERR(semctl(sem, 2, SETVAL, 1), EINVAL);
    CHECK_ERR(semctl(sem, -1, SETVAL, 1), EINVAL);
    CHECK_ERR(semctl(sem, 0, SETVAL, 1), may);
    CHECK_ERR(semctl(sem, 2, GETVAL), may);

    CHECK(shmat(shm, (void *)0x300000000001, 0) == (void *)-1 && errno == EINVAL);
    CHECK(shmat(shm, NULL, SHM_REMAP) == (void *)-1 && errno == EINVAL);
    CHECK(shmat(shm, (void *)0x300000000001, SHM_RND) == (void *)-1 && errno == may);
    CHECK(shmat(shm, NULL, 0) == (void *)-1 && errno == may);
}

int main(void)
{
    key_t key = 0x20000 | (getpid() & 0xffff);
    int shm = OK(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
    int sem = OK(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600));
    int msg = OK(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    int own;
    struct msqid_ds md;
    pid_t pid;

    CHECK_ERR(semget(key, -1, IPC_CREAT | IPC_EXCL), EINVAL);
    CHECK_ERR(semget(key, 1 << 20, IPC_CREAT | IPC_EXCL), EINVAL);
    CHECK_ERR(semget(key, 3, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK((pid = fork()) >= 0);
    if (pid == 0) {
        become(1000, 1000);
        errors(shm, sem, msg, EACCES);
        errors(GONE, GONE, GONE, EINVAL);
        CHECK_ERR(semctl(-1, 0, SETVAL, 40000), EINVAL);
        CHECK_ERR(syscall(SYS_msgsnd, -1, NOWHERE, 1, IPC_NOWAIT), EFAULT);
        own = OK(msgget(IPC_PRIVATE, 0600));
        CHECK_EQ(msgctl(own, IPC_STAT, &md), 0);
        md.msg_perm.uid = -1;
        CHECK_ERR(msgctl(own, IPC_SET, &md), EINVAL);
        md.msg_qbytes = 1 << 30; // more than anybody may without CAP_SYS_RESOURCE
        CHECK_ERR(msgctl(own, IPC_SET, &md), EPERM);
        md.msg_perm.uid = 1000;
        md.msg_qbytes = 100; // up again to what anybody may
        CHECK_EQ(msgctl(own, IPC_SET, &md), 0);
        md.msg_qbytes = 1000;
        CHECK_EQ(msgctl(own, IPC_SET, &md), 0);
        CHECK_EQ(msgctl(own, IPC_RMID, NULL), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(shmctl(shm, IPC_RMID, NULL), 0);
    CHECK_EQ(semctl(sem, 0, IPC_RMID), 0);
    CHECK_EQ(msgctl(msg, IPC_RMID, NULL), 0);
    return done();
}
