// SPDX-License-Identifier: MIT
// Who may use System V IPC objects: owner, creator, group, others, capabilities; IPC_SET and
// IPC_RMID; keys.
// covers: shmget, shmat, shmctl, semget, semop, semctl, msgget, msgsnd, msgrcv, msgctl
// needs: root
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static key_t key;

static int code(long r)
{
    return r == -1 ? errno : 0;
}

// What a user may do with the three objects, as errno numbers.
static void try(const char *who, uid_t uid, gid_t gid, int shm, int sem, int msg)
{
    fflush(stdout);
    pid_t pid = OK(fork());
    if (pid == 0) {
        struct {
            long type;
            char text[4];
        } m = {1, "abc"};
        struct sembuf up = {0, 1, IPC_NOWAIT}, zero = {1, 0, IPC_NOWAIT};
        struct shmid_ds sd;
        struct semid_ds ed;
        struct msqid_ds md;
        void *p;

        if (uid)
            become(uid, gid);
        printf("%s: shm %d", who, code(shmctl(shm, IPC_STAT, &sd)));
        p = shmat(shm, NULL, 0);
        printf(" %d", p == (void *)-1 ? errno : 0);
        p = shmat(shm, NULL, SHM_RDONLY);
        printf(" %d", p == (void *)-1 ? errno : 0);
        printf(" get %d %d %d\n", code(shmget(key, 0, 0)), code(shmget(key, 0, 0600)),
               code(shmget(key, 1 << 20, 0)));
        printf("  sem %d %d", code(semctl(sem, 0, IPC_STAT, &ed)), code(semop(sem, &up, 1)));
        printf(" %d %d", code(semop(sem, &zero, 1)), code(semctl(sem, 0, GETVAL)));
        printf(" %d\n", code(semctl(sem, 0, SETVAL, 3)));
        printf("  msg %d %d", code(msgctl(msg, IPC_STAT, &md)),
               code(msgsnd(msg, &m, 4, IPC_NOWAIT)));
        printf(" %d\n", code(msgrcv(msg, &m, 4, 0, IPC_NOWAIT)));
        if (uid) {
            memset(&sd, 0, sizeof(sd)), memset(&ed, 0, sizeof(ed)), memset(&md, 0, sizeof(md));
            sd.shm_perm.uid = ed.sem_perm.uid = md.msg_perm.uid = uid;
            printf("  set %d %d %d", code(shmctl(shm, IPC_SET, &sd)),
                   code(semctl(sem, 0, IPC_SET, &ed)), code(msgctl(msg, IPC_SET, &md)));
            printf(" rm %d %d %d\n", code(shmctl(shm, IPC_RMID, NULL)),
                   code(semctl(sem, 0, IPC_RMID)), code(msgctl(msg, IPC_RMID, NULL)));
        }
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
}

// Objects with this mode, made by root and given to uid 1000.
static void with_mode(int mode)
{
    struct shmid_ds sd;
    struct semid_ds ed;
    struct msqid_ds md;
    int shm = OK(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
    int sem = OK(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600));
    int msg = OK(msgget(key, IPC_CREAT | IPC_EXCL | 0600));

    printf("mode %o\n", mode);
    CHECK_ERR(shmget(key, 4096, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK_ERR(semget(key, 3, 0), EINVAL);
    CHECK_EQ(msgget(key, 0), msg);
    try("nobody", 1001, 1001, -1, -1, -1);
    CHECK_EQ(shmctl(shm, IPC_STAT, &sd), 0);
    CHECK(sd.shm_perm.__key == key && sd.shm_perm.cuid == 0 && sd.shm_perm.mode == 0600);
    sd.shm_perm.uid = 1000, sd.shm_perm.gid = 2000, sd.shm_perm.mode = mode;
    CHECK_EQ(shmctl(shm, IPC_SET, &sd), 0);
    CHECK_EQ(semctl(sem, 0, IPC_STAT, &ed), 0);
    ed.sem_perm.uid = 1000, ed.sem_perm.gid = 2000, ed.sem_perm.mode = mode;
    CHECK_EQ(semctl(sem, 0, IPC_SET, &ed), 0);
    CHECK_EQ(msgctl(msg, IPC_STAT, &md), 0);
    md.msg_perm.uid = 1000, md.msg_perm.gid = 2000, md.msg_perm.mode = mode;
    CHECK_EQ(msgctl(msg, IPC_SET, &md), 0);
    memset(&sd, 0, sizeof(sd));
    CHECK_EQ(shmctl(shm, IPC_STAT, &sd), 0);
    CHECK(sd.shm_perm.uid == 1000 && sd.shm_perm.gid == 2000 && sd.shm_perm.cuid == 0 &&
          sd.shm_perm.mode == mode);
    try("root", 0, 0, shm, sem, msg);
    try("group", 1001, 2000, shm, sem, msg);
    try("other", 1001, 1001, shm, sem, msg);
    try("owner", 1000, 1000, shm, sem, msg); // removes them
    CHECK_ERR(shmget(key, 0, 0), ENOENT);
    CHECK_ERR(semctl(sem, 0, GETVAL), EINVAL);
    CHECK_ERR(msgctl(msg, IPC_RMID, NULL), EINVAL);
}

int main(void)
{
    key = 0x10000 | (getpid() & 0xffff);
    with_mode(0600);
    with_mode(0664);
    with_mode(0042);
    with_mode(0);
    return done();
}
