// SPDX-License-Identifier: MIT
// SIGKILL at any moment to a process whose threads make calls, fork, vfork, map and take signals:
// it goes at once, whole, its children's pipes close, and nobody else waits for a lock it held.
// covers: kill, wait4, vfork, exit_group
// timeout: 30
#include "sig.h"
#include <sys/mman.h>

static void handler(int sig)
{
    (void)sig;
}

static void *calls(void *arg)
{
    struct stat st;

    for (unsigned i = 0;; i++) {
        char name[16];
        int fd;

        snprintf(name, sizeof(name), "f%u", i % 8);
        fd = open(name, O_RDWR | O_CREAT, 0600);
        stat(".", &st);
        if (fd >= 0)
            close(fd);
        unlink(name);
        munmap(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192);
        syscall(SYS_tgkill, getpid(), tid(), SIGUSR1);
    }
    return arg;
}

static void *forks(void *arg)
{
    for (;;) {
        pid_t pid = arg ? fork() : vfork();

        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
    return arg;
}

static void victim(int fd)
{
    pthread_t th;

    signal(SIGUSR1, handler);
    for (long i = 0; i < 4; i++)
        CHECK(pthread_create(&th, NULL, i < 2 ? calls : forks, (void *)(i & 1)) == 0);
    CHECK(write(fd, "r", 1) == 1);
    for (;;)
        pause();
}

int main(void)
{
    for (int i = 0; i < 60; i++) {
        int p[2], st;
        pid_t pid;
        char c;

        CHECK(pipe(p) == 0);
        pid = OK(fork());
        if (pid == 0) {
            close(p[0]);
            victim(p[1]);
        }
        close(p[1]);
        CHECK(read(p[0], &c, 1) == 1);
        sleep_us(i * 100);
        CHECK(kill(pid, SIGKILL) == 0);
        CHECK(waitpid(pid, &st, 0) == pid);
        CHECK_EQ(st, SIGKILL);
        CHECK_EQ(read(p[0], &c, 1), 0); // the last holder is gone, children included
        close(p[0]);
        CHECK_EQ(close(OK(open("mine", O_RDWR | O_CREAT, 0600))), 0);
    }
    // That a thread is not there comes before a signal that is none.
    CHECK_ERR(syscall(SYS_tgkill, getpid(), 0x3ffffff0, 65), ESRCH);
    CHECK_ERR(syscall(SYS_tkill, 0x3ffffff0, 65), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), getpid(), 65), EINVAL);
    return done();
}
