// SPDX-License-Identifier: MIT
// Several processes of a user ask for an object that is not there at the same time: one makes it,
// and it is theirs for all.
// covers: shmget, semget, msgget
#include "check.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define PROCESSES 8

static int get(int kind, key_t key)
{
    const int flags = IPC_CREAT | 0600;
    return kind == 0   ? shmget(key, 4096, flags)
           : kind == 1 ? semget(key, 1, flags)
                       : msgget(key, flags);
}

int main(void)
{
    volatile int *come =
        OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

    if (geteuid() == 0) {
        CHECK_EQ(setgroups(0, NULL), 0);
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    }
    for (int i = 0; i < 90; i++) {
        key_t key = 0x51000000 + (getpid() << 7) + i;
        int kind = i % 3, wrong = 0, status;

        *come = 0;
        for (int p = 0; p < PROCESSES; p++)
            if (OK(fork()) == 0) {
                __sync_fetch_and_add(come, 1);
                while (*come < PROCESSES)
                    sched_yield(); // they are more than the processors
                _exit(get(kind, key) < 0 ? errno : 0);
            }
        while (wait(&status) > 0)
            wrong = status ? status : wrong;
        int id = get(kind, key);
        if (kind == 0)
            CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
        else if (kind == 1)
            CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
        else
            CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
        CHECK_EQ(wrong, 0);
    }
    return done();
}
