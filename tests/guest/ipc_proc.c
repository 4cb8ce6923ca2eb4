// SPDX-License-Identifier: MIT
// /proc/sysvipc shows what IPC_STAT tells: key, mode, owners, pids, times; also after IPC_SET, to
// other users, and no more after IPC_RMID. The key shown is the one that finds the object.
// covers: open, read, shmctl, semctl, msgctl
// needs: root
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

// The line of an object, "" for none.
static const char *line_of(const char *name, int id)
{
    static char line[512];
    char path[64];
    int key, found;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/sysvipc/%s", name);
    f = fopen(path, "r");
    CHECK(f != NULL);
    CHECK(fgets(line, sizeof(line), f) != NULL);
    CHECK(strncmp(line, "       key ", 11) == 0);
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "%d %d", &key, &found) == 2 && found == id) {
            fclose(f);
            return line;
        }
    CHECK_EQ(fclose(f), 0);
    return "";
}

// What the line begins with.
static void has_line(const char *name, int id, const char *want)
{
    const char *line = line_of(name, id);

    if (strncmp(line, want, strlen(want)) != 0)
        check_failed(__FILE__, __LINE__, want, line);
}

static void shm_line(int id, key_t key)
{
    struct shmid_ds d;
    char want[512];

    CHECK_EQ(shmctl(id, IPC_STAT, &d), 0);
    CHECK_EQ(d.shm_perm.__key, key);
    snprintf(
        want, sizeof(want), "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu ",
        key, id, d.shm_perm.mode, d.shm_segsz, d.shm_cpid, d.shm_lpid, d.shm_nattch, d.shm_perm.uid,
        d.shm_perm.gid, d.shm_perm.cuid, d.shm_perm.cgid, d.shm_atime, d.shm_dtime, d.shm_ctime);
    has_line("shm", id, want);
}

static void msg_line(int id, key_t key)
{
    struct msqid_ds d;
    char want[512];

    CHECK_EQ(msgctl(id, IPC_STAT, &d), 0);
    CHECK_EQ(d.msg_perm.__key, key);
    snprintf(want, sizeof(want),
             "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n", key, id,
             d.msg_perm.mode, d.__msg_cbytes, d.msg_qnum, d.msg_lspid, d.msg_lrpid, d.msg_perm.uid,
             d.msg_perm.gid, d.msg_perm.cuid, d.msg_perm.cgid, d.msg_stime, d.msg_rtime,
             d.msg_ctime);
    has_line("msg", id, want);
}

static void sem_line(int id, key_t key)
{
    struct semid_ds d;
    char want[512];

    CHECK_EQ(semctl(id, 0, IPC_STAT, &d), 0);
    CHECK_EQ(d.sem_perm.__key, key);
    snprintf(want, sizeof(want), "%10d %10d  %4o %10lu %5u %5u %5u %5u %10lu %10lu\n", key, id,
             d.sem_perm.mode, d.sem_nsems, d.sem_perm.uid, d.sem_perm.gid, d.sem_perm.cuid,
             d.sem_perm.cgid, d.sem_otime, d.sem_ctime);
    has_line("sem", id, want);
}

// By index, as the lines are ordered: the three objects are found there, with the same owners.
static void by_index(int shm, int msg, int sem)
{
    union {
        struct shmid_ds shm;
        struct shm_info shm_info;
        struct msqid_ds msg;
        struct msginfo msg_info;
        struct semid_ds sem;
        struct seminfo sem_info;
    } d;
    int found = 0;
    int top = OK(shmctl(0, SHM_INFO, (void *)&d));

    for (int i = 0; i <= top; i++)
        found += shmctl(i, SHM_STAT_ANY, (void *)&d) == shm && d.shm.shm_perm.uid == 1000;
    top = OK(msgctl(0, MSG_INFO, (void *)&d));
    for (int i = 0; i <= top; i++)
        found += msgctl(i, MSG_STAT_ANY, (void *)&d) == msg && d.msg.msg_perm.uid == 1000;
    top = OK(semctl(0, 0, SEM_INFO, &d));
    for (int i = 0; i <= top; i++)
        found += semctl(i, 0, SEM_STAT_ANY, &d) == sem && d.sem.sem_perm.uid == 1000;
    CHECK_EQ(found, 3);
}

static void objects(key_t key)
{
    struct shmid_ds sd;
    struct semid_ds ed;
    struct msqid_ds md;
    struct sembuf up = {1, 1, 0};
    struct {
        long type;
        char text[4];
    } m = {1, "abc"};
    int shm = OK(shmget(key, 5000, IPC_CREAT | 0640));
    int msg = OK(msgget(key, IPC_CREAT | 0604));
    int sem = OK(semget(key, 3, IPC_CREAT | 0666));
    void *p = OK(shmat(shm, NULL, 0));
    pid_t pid;
    char line[512];

    CHECK_EQ(msgsnd(msg, &m, 4, 0), 0);
    CHECK_EQ(semop(sem, &up, 1), 0);
    shm_line(shm, key), msg_line(msg, key), sem_line(sem, key);
    if (key != IPC_PRIVATE) { // as ipcrm -M takes it from ipcs
        CHECK_EQ(shmget(atoi(line_of("shm", shm)), 0, 0), shm);
        CHECK_EQ(msgget(atoi(line_of("msg", msg)), 0), msg);
        CHECK_EQ(semget(atoi(line_of("sem", sem)), 0, 0), sem);
    }

    CHECK_EQ(shmctl(shm, IPC_STAT, &sd), 0);
    sd.shm_perm.uid = 1000, sd.shm_perm.gid = 200000, sd.shm_perm.mode = 0604;
    CHECK_EQ(shmctl(shm, IPC_SET, &sd), 0);
    CHECK_EQ(msgctl(msg, IPC_STAT, &md), 0);
    md.msg_perm.uid = 1000, md.msg_perm.gid = 200000, md.msg_perm.mode = 0;
    CHECK_EQ(msgctl(msg, IPC_SET, &md), 0);
    CHECK_EQ(semctl(sem, 0, IPC_STAT, &ed), 0);
    ed.sem_perm.uid = 1000, ed.sem_perm.gid = 200000, ed.sem_perm.mode = 0777;
    CHECK_EQ(semctl(sem, 0, IPC_SET, &ed), 0);
    shm_line(shm, key), msg_line(msg, key), sem_line(sem, key);
    by_index(shm, msg, sem);

    // Another user sees what it may not IPC_STAT.
    strcpy(line, line_of("msg", msg));
    pid = OK(fork());
    if (pid == 0) {
        become(1001, 1001);
        CHECK_ERR(msgctl(msg, IPC_STAT, &md), EACCES);
        CHECK_STR(line_of("msg", msg), line);
        _exit(0);
    }
    wait_ok(pid);

    // Removed but attached: without a key, with SHM_DEST.
    CHECK_EQ(shmctl(shm, IPC_RMID, NULL), 0);
    shm_line(shm, IPC_PRIVATE);
    CHECK_EQ(shmctl(shm, IPC_STAT, &sd), 0);
    CHECK_EQ(sd.shm_perm.mode, SHM_DEST | 0604);
    CHECK_EQ(shmdt(p), 0);
    CHECK_EQ(msgctl(msg, IPC_RMID, NULL), 0);
    CHECK_EQ(semctl(sem, 0, IPC_RMID), 0);
    CHECK_STR(line_of("shm", shm), "");
    CHECK_STR(line_of("msg", msg), "");
    CHECK_STR(line_of("sem", sem), "");
}

int main(void)
{
    objects(IPC_PRIVATE);
    objects(0x10000 | (getpid() & 0xffff));
    objects((key_t)(0x80000000u | getpid())); // shown as a negative number
    return done();
}
