// SPDX-License-Identifier: MIT
// System V shared memory: get, attach (also read-only, at an address, remapped), share with a
// child, stat and its counters, removal while attached, key rules, errors; execve detaches.
// covers: shmget, shmat, shmdt, shmctl
#include "sig.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

static struct shmid_ds stat_id(int id)
{
    struct shmid_ds ds;

    CHECK(shmctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

int main(int argc, char **argv)
{
    struct shmid_ds ds;
    key_t key;
    char *p, *q;
    int id, id2;
    pid_t pid;

    if (argc > 1) {
        CHECK_EQ(stat_id(atoi(argv[1])).shm_nattch, 2); // the parent's two; ours are gone
        return 0;
    }
    id = OK(shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0640));
    ds = stat_id(id);
    CHECK(ds.shm_segsz == 10000 && ds.shm_nattch == 0 && ds.shm_cpid == getpid() &&
          ds.shm_lpid == 0);
    CHECK((ds.shm_perm.mode & 0777) == 0640 && ds.shm_perm.uid == geteuid() &&
          ds.shm_perm.cuid == geteuid());
    p = shmat(id, NULL, 0);
    CHECK(p != (void *)-1 && (uintptr_t)p % 4096 == 0);
    for (int i = 0; i < 10000; i++)
        CHECK(p[i] == 0);
    strcpy(p, "parent");
    q = shmat(id, NULL, SHM_RDONLY);
    CHECK(q != (void *)-1 && q != p && strcmp(q, "parent") == 0);
    ds = stat_id(id);
    CHECK(ds.shm_nattch == 2 && ds.shm_lpid == getpid());
    pid = OK(fork());
    if (pid == 0) {
        char text[16], *args[] = {"x", text, NULL};

        CHECK(strcmp(p, "parent") == 0 && stat_id(id).shm_nattch == 4);
        strcpy(p, "child");
        snprintf(text, sizeof(text), "%d", id);
        execv("/proc/self/exe", args);
        _exit(1);
    }
    wait_ok(pid);
    CHECK(strcmp(q, "child") == 0 && stat_id(id).shm_nattch == 2);
    CHECK_ERR(shmdt(q + 4096), EINVAL);
    CHECK(shmdt(q) == 0);
    CHECK_ERR(shmdt(q), EINVAL);
    // At an address: rounded down if asked, replacing if asked.
    CHECK_ERR((long)shmat(id, p + 1, 0), EINVAL);
    q = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shmat(id, q + 4096, SHM_REMAP) == q + 4096);
    CHECK(strcmp(q + 4096, "child") == 0 && q[0] == 0 && q[4096 * 4] == 0);
    CHECK(munmap(q, 65536) == 0); // counts as a detach
    CHECK_EQ(stat_id(id).shm_nattch, 1);

    ds.shm_perm.mode = 0600;
    ds.shm_perm.uid = geteuid();
    ds.shm_perm.gid = getegid();
    CHECK(shmctl(id, IPC_SET, &ds) == 0 && (stat_id(id).shm_perm.mode & 0777) == 0600);
    // Removed, but there until the last detach.
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    CHECK((stat_id(id).shm_perm.mode & SHM_DEST) && strcmp(p, "child") == 0);
    CHECK(shmdt(p) == 0);
    CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
    CHECK_ERR((long)shmat(id, NULL, 0), EINVAL);

    // Keys.
    for (key = 0x47540000 + getpid(); shmget(key, 0, 0) >= 0 || errno != ENOENT; key++)
        ;
    CHECK_ERR(shmget(key, 4096, 0), ENOENT);
    id = OK(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
    CHECK_ERR(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_EQ(shmget(key, 4096, 0), id);
    CHECK_EQ(shmget(key, 100, IPC_CREAT), id);
    CHECK_ERR(shmget(key, 8192, 0), EINVAL); // larger than it is
    id2 = OK(shmget(IPC_PRIVATE, 1, 0600));
    CHECK(id2 != id && shmctl(id2, IPC_RMID, NULL) == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    CHECK_ERR(shmget(key, 4096, 0), ENOENT);
    CHECK_ERR(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK_ERR(shmctl(-1, IPC_STAT, &ds), EINVAL);
    CHECK_ERR(shmctl(id, 99, &ds), EINVAL);
    return done();
}
