// SPDX-License-Identifier: MIT
// fork: who is who, memory copied on write, descriptors and their offsets shared, what the child
// keeps (handlers, mask, cwd, umask, limits) and what it starts without (pending signals, alarms,
// timers, locks, children, threads).
// covers: fork, getpid, getppid, gettid, getpgid, getsid, wait4, alarm, umask
#include "sig.h"
#include <sys/mman.h>
#include <sys/time.h>

static volatile int handled;
static int *shared, *private;

static void handler(int sig)
{
    (void)sig;
    handled++;
}

static void *sleeper(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static int tasks(void)
{
    struct stat st;

    CHECK(stat("/proc/self/task", &st) == 0);
    return st.st_nlink - 2;
}

static void child(pid_t parent, pid_t pgid, int fd, int *p)
{
    struct itimerval itv;
    struct rlimit lim;
    char c;

    CHECK(getppid() == parent && getpid() != parent && tid() == getpid());
    CHECK(getpgid(0) == pgid && getpgrp() == pgid && getsid(0) == getsid(parent));
    CHECK_ERR(waitpid(-1, NULL, 0), ECHILD);
    CHECK(is_blocked(SIGUSR2) && !is_pending(SIGUSR2));
    raise(SIGUSR1);
    CHECK_EQ(handled, 1);
    CHECK(alarm(0) == 0);
    CHECK(getitimer(ITIMER_VIRTUAL, &itv) == 0 && itv.it_value.tv_sec == 0);
    CHECK_EQ(umask(0), 031);
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur == 100);
    CHECK(tasks() == 1);
    CHECK(read(fd, &c, 1) == 1 && c == 'b'); // the offset is shared
    CHECK(*shared == 1 && *private == 1);
    *shared = *private = 2;
    CHECK(close(fd) == 0);
    CHECK(read(p[0], &c, 1) == 1);
    _exit(0);
}

int main(void)
{
    struct rlimit lim;
    struct itimerval itv = {.it_value.tv_sec = 100};
    pid_t me = getpid(), pid;
    pthread_t th;
    int fd, p[2];
    char c;

    put_file("file", "abcd");
    fd = OK(open("file", O_RDONLY));
    CHECK(pipe(p) == 0);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    *shared = *private = 1;
    signal(SIGUSR1, handler);
    block(SIGUSR2);
    raise(SIGUSR2);
    umask(031);
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
    lim.rlim_cur = 100;
    CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
    alarm(100);
    CHECK(setitimer(ITIMER_VIRTUAL, &itv, NULL) == 0);
    CHECK(pthread_create(&th, NULL, sleeper, NULL) == 0);
    CHECK(read(fd, &c, 1) == 1 && c == 'a');
    CHECK(tasks() == 2);
    pid = OK(fork());
    if (pid == 0)
        child(me, getpgrp(), fd, p);
    CHECK(pid != me && write(p[1], "x", 1) == 1);
    wait_ok(pid);
    CHECK(read(fd, &c, 1) == 1 && c == 'c');
    CHECK(*shared == 2 && *private == 1);
    CHECK(is_pending(SIGUSR2) && handled == 0 && alarm(0) > 90);
    // The same by hand, and a chain of 20.
    pid = OK((pid_t)syscall(SYS_fork));
    if (pid == 0) {
        CHECK(getppid() == me);
        _exit(0);
    }
    wait_ok(pid);
    for (int i = 0; i < 20; i++) {
        pid = OK(fork());
        if (pid) {
            int st;

            CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 20 - i - 1);
            if (i == 0)
                return done();
            _exit(20 - i);
        }
    }
    _exit(0);
}
