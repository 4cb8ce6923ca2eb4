// SPDX-License-Identifier: MIT
// A process with several threads is stopped and continued hundreds of times at any moment: no call
// fails or returns anything wrong because of it, and nothing is lost.
// covers: kill, wait4, restart_syscall, nanosleep, futex, read, write
// timeout: 30
#include "sig.h"
#include <poll.h>

static pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
static volatile long shared;

static void *pipes(void *arg)
{
    int p[2], n = 0, got;

    CHECK(pipe(p) == 0);
    for (; n < 3000; n++) {
        CHECK_EQ(write(p[1], &n, sizeof(n)), sizeof(n));
        CHECK_EQ(read(p[0], &got, sizeof(got)), sizeof(got));
        CHECK_EQ(got, n);
    }
    return arg;
}

static void *sleeps(void *arg)
{
    for (int i = 0; i < 200; i++) {
        CHECK(nanosleep(&(struct timespec){0, 300000}, NULL) == 0);
        CHECK_EQ(poll(NULL, 0, 1), 0);
    }
    return arg;
}

static void *locks(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        CHECK(pthread_mutex_lock(&lock_) == 0);
        shared++;
        CHECK(pthread_mutex_unlock(&lock_) == 0);
    }
    return arg;
}

static void victim(void)
{
    pthread_t th[5];

    CHECK(pthread_create(&th[0], NULL, pipes, NULL) == 0);
    CHECK(pthread_create(&th[1], NULL, pipes, NULL) == 0);
    CHECK(pthread_create(&th[2], NULL, sleeps, NULL) == 0);
    CHECK(pthread_create(&th[3], NULL, locks, NULL) == 0);
    CHECK(pthread_create(&th[4], NULL, locks, NULL) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(shared, 40000);
    _exit(9);
}

int main(void)
{
    pid_t pid = OK(fork());
    int st;

    if (pid == 0)
        victim();
    for (;;) {
        CHECK(kill(pid, SIGSTOP) == 0);
        CHECK(waitpid(pid, &st, WUNTRACED) == pid);
        if (!WIFSTOPPED(st))
            break;
        CHECK(kill(pid, SIGCONT) == 0);
        sleep_us(700);
    }
    CHECK_EQ(st, 9 << 8);
    return done();
}
