// SPDX-License-Identifier: MIT
// execve from another thread than the first: all others die, whatever they block in, the new
// program has the process's pid, and pid equals tid. Also while many threads make calls, and from a
// thread whose first thread has left.
// covers: execve, clone, exit, gettid
#include "exec.h"
#include <poll.h>

static char *self;

static int again(const char *mode)
{
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", getpid());
    // /proc/self/exe would lead nowhere once the first thread has left.
    return execl("./prog", self, mode, pid, NULL);
}

static void *execer(void *arg)
{
    again(arg);
    CHECK(!"execl");
    return NULL;
}

static void *blocked(void *arg)
{
    char c;
    int p[2];

    CHECK(pipe2(p, O_CLOEXEC) == 0);
    if (arg)
        poll(NULL, 0, -1);
    CHECK(read(p[0], &c, 1) == 1);
    return arg;
}

static void *busy(void *arg)
{
    for (;;) {
        struct stat st;

        stat("/", &st);
        close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    return arg;
}

static void start(void *(*fn)(void *), void *arg)
{
    pthread_t th;

    CHECK(pthread_create(&th, NULL, fn, arg) == 0);
}

static int tasks(void)
{
    struct stat st;

    CHECK(stat("/proc/self/task", &st) == 0);
    return st.st_nlink - 2;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) {
        int round = atoi(argv[1]);
        char next[16];

        CHECK_EQ(getpid(), atoi(argv[2]));
        CHECK_EQ(tid(), getpid());
        CHECK_EQ(tasks(), 1);
        if (round == 20)
            return done();
        snprintf(next, sizeof(next), "%d", round + 1);
        for (int i = 0; i < 3; i++) {
            start(blocked, NULL);
            start(blocked, next);
            start(busy, NULL);
        }
        if (round % 3 == 0)
            again(next); // from the first, with others around
        start(execer, next);
        if (round % 3 == 1)
            syscall(SYS_exit, 0);
        for (;;)
            pause();
    }
    copy_self("prog", 0755);
    again("0");
    CHECK(!"execl");
}
