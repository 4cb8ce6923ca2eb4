// SPDX-License-Identifier: MIT
// See ipcend.h.
#define _GNU_SOURCE
#include "ipcend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "types.h"

// Is what the record is of still there? Of a queue only its name tells, and the guest has removed
// that or not.
static bool is_live(const struct ipc_record *r)
{
    union {
        struct shmid_ds shm;
        struct semid_ds sem;
        struct msqid_ds msg;
    } ds;
    switch (r->state) {
    case IPC_SHM:
        return !shmctl(r->id, IPC_STAT, &ds.shm) || (errno != EINVAL && errno != EIDRM);
    case IPC_SEM:
        return !semctl(r->id, 0, IPC_STAT, &ds.sem) || (errno != EINVAL && errno != EIDRM);
    case IPC_MSG:
        return !msgctl(r->id, IPC_STAT, &ds.msg) || (errno != EINVAL && errno != EIDRM);
    case IPC_QUEUE:
        return !(r->mode & IPC_UNLINKED);
    }
    return false;
}

// A process that was removing a queue may have been killed behind that.
static void settle(struct ipc_table *table)
{
    char name[sizeof table->removing_name];
    struct stat st;
    u32 i = table->removing;
    struct ipc_record *r = i && i <= IPC_RECORDS ? &table->records[i - 1] : NULL;
    if (!r || r->state != IPC_QUEUE)
        return;
    memcpy(name, table->removing_name, sizeof name);
    name[sizeof name - 1] = 0;
    long fd = syscall(SYS_mq_open, name, O_PATH, 0, NULL);
    if (fd < 0 ? errno == ENOENT : !fstat((int)fd, &st) && (s32)st.st_ino != r->id)
        r->mode |= IPC_UNLINKED;
    if (fd >= 0)
        close((int)fd);
}

// Who comes to the table from here on waits (task/ipc.c), and who was there before is counted.
static bool is_alone(int id, struct ipc_table *table)
{
    struct shmid_ds ds;
    __atomic_store_n(&table->ends, 1, __ATOMIC_SEQ_CST);
    bool alone = !shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 1;
    if (alone)
        settle(table);
    for (u32 i = 0; alone && i < table->top && i < IPC_RECORDS; i++)
        alone = !is_live(&table->records[i]);
    return alone;
}

void ipc_end(const struct instance *in)
{
    if (!in->ipc_used)
        return;
    struct shmid_ds ds;
    int id = shmget(ipc_table_key(in), sizeof(struct ipc_table), 0);
    bool own = id >= 0 && !shmctl(id, IPC_STAT, &ds) && ds.shm_perm.uid == in->host_uid;
    struct ipc_table *table = own ? shmat(id, NULL, 0) : (void *)-1;
    if (table == (void *)-1)
        return;
    if (is_alone(id, table))
        shmctl(id, IPC_RMID, NULL);
    else
        __atomic_store_n(&table->ends, 0, __ATOMIC_SEQ_CST);
    shmdt(table);
}
