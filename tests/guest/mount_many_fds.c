// SPDX-License-Identifier: MIT
// Mounts that a process comes to use late: with descriptors on chosen high numbers, in a child that
// has not used them yet, and with a thousand files open.
// covers: mount, umount2, dup2, fork
// needs: root
#include "mountns.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { MOUNTS = 12 };

static void name_of(char *name, size_t size, int i)
{
    snprintf(name, size, "m%d", i);
}

static void put(int i)
{
    char name[32], file[64];

    name_of(name, sizeof(name), i);
    CHECK(mkdir(name, 0755) == 0);
    CHECK(mount("none", name, "tmpfs", 0, NULL) == 0);
    snprintf(file, sizeof(file), "%s/file", name);
    close(OK(open(file, O_WRONLY | O_CREAT, 0600)));
}

static void look(int from, int to)
{
    char file[64];
    struct stat st;

    for (int i = from; i < to; i++) {
        snprintf(file, sizeof(file), "m%d/file", i);
        CHECK(stat(file, &st) == 0);
    }
}

int main(void)
{
    int fd = OK(open("/dev/null", O_RDONLY)), st;
    struct rlimit limit;
    pid_t pid;

    own_mounts();
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max > 4096 ? 4096 : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; i < 4; i++)
        put(i);
    for (int number = 900; number < 1100; number += 7) // wherever lxcore has its own
        CHECK(dup2(fd, number) == number);
    for (int i = 4; i < 8; i++)
        put(i);
    look(0, 8);
    pid = OK(fork());
    if (pid == 0) {
        for (int i = 0; i < 700; i++)
            OK(dup(fd));
        look(0, 8);
        for (int i = 8; i < MOUNTS; i++)
            put(i);
        look(0, MOUNTS);
        _exit(0);
    }
    CHECK(waitpid(pid, &st, 0) == pid && st == 0);
    look(0, MOUNTS);
    for (int number = 900; number < 1100; number += 7)
        CHECK(fcntl(number, F_GETFD) == 0);
    for (int i = 0; i < MOUNTS; i++) {
        char name[32];
        name_of(name, sizeof(name), i);
        CHECK(umount2(name, 0) == 0);
    }
    puts("mounts ok");
    return 0;
}
