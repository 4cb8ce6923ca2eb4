// SPDX-License-Identifier: MIT
// fork in a process whose other threads make calls, allocate maps and take signals: the child (one
// thread, no libc locks used) makes calls of its own at once, and every child ends well.
// covers: fork, clone, mmap, openat, wait4
#include "sig.h"
#include <sys/mman.h>

static atomic_int stop, forks;

static void handler(int sig)
{
    (void)sig;
    getppid();
}

static void *busy(void *arg)
{
    struct stat st;
    char buf[64];

    while (!stop) {
        int fd = OK(open("file", O_RDONLY));
        char *m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        CHECK(m != MAP_FAILED);
        m[5000] = 1;
        CHECK(read(fd, buf, sizeof(buf)) == 4 && memcmp(buf, "text", 4) == 0);
        CHECK(fstat(fd, &st) == 0 && st.st_size == 4);
        CHECK(munmap(m, 65536) == 0 && close(fd) == 0);
        syscall(SYS_tgkill, getpid(), tid(), SIGUSR1);
    }
    return arg;
}

static void child(pid_t parent)
{
    struct stat st;
    char buf[64], *m;
    int fd;

    if (getppid() != parent || tid() != getpid())
        _exit(1);
    for (int i = 0; i < 20; i++) {
        fd = open("file", O_RDONLY);
        if (fd < 0 || read(fd, buf, sizeof(buf)) != 4 || close(fd))
            _exit(2);
        if (stat(".", &st) || !S_ISDIR(st.st_mode))
            _exit(3);
        m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (m == MAP_FAILED || (m[0] = 1, munmap(m, 4096)))
            _exit(4);
        if (syscall(SYS_tgkill, getpid(), tid(), SIGUSR1))
            _exit(5);
    }
    _exit(42);
}

static void *forker(void *arg)
{
    for (int i = 0; i < 40; i++) {
        pid_t parent = getpid(), pid = OK((pid_t)syscall(SYS_fork));
        int st;

        if (pid == 0)
            child(parent);
        CHECK(waitpid(pid, &st, 0) == pid);
        CHECK_EQ(st, 42 << 8);
        forks++;
    }
    return arg;
}

int main(void)
{
    pthread_t th[6];

    put_file("file", "text");
    signal(SIGUSR1, handler);
    for (int i = 0; i < 6; i++)
        CHECK(pthread_create(&th[i], NULL, i < 4 ? busy : forker, NULL) == 0);
    CHECK(pthread_join(th[4], NULL) == 0 && pthread_join(th[5], NULL) == 0);
    stop = 1;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(forks, 80);
    return done();
}
