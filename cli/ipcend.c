// SPDX-License-Identifier: MIT
// See ipcend.h.
#define _GNU_SOURCE
#include "ipcend.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

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

// Who comes to the table from here on waits (task/ipc.c), and who was there before is counted.
static bool is_alone(int id, struct ipc_table *table)
{
    struct shmid_ds ds;
    __atomic_store_n(&table->ends, 1, __ATOMIC_SEQ_CST);
    bool alone = !shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 1;
    for (u32 i = 0; alone && i < table->top && i < IPC_RECORDS; i++)
        alone = !is_live(&table->records[i]);
    return alone;
}

void ipc_end(const struct instance *in)
{
    if (!in->ipc_used)
        return;
    int id = shmget(ipc_table_key(in->abstract_prefix), sizeof(struct ipc_table), 0);
    struct ipc_table *table = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
    if (table == (void *)-1)
        return;
    if (is_alone(id, table))
        shmctl(id, IPC_RMID, NULL);
    else
        __atomic_store_n(&table->ends, 0, __ATOMIC_SEQ_CST);
    shmdt(table);
}
