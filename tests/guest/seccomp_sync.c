// SPDX-License-Identifier: MIT
// SECCOMP_FILTER_FLAG_TSYNC: from then on the filter holds in all threads, those that wait in a
// call, those that run and those that are being made; unless one has a filter that the caller has
// not, whose id is told, and none gets it.
// covers: seccomp
#include "filter.h"
#include <stdbool.h>

#define MANY 8

static atomic_int ready, told, end;
static atomic_int tid_of;

static long sync_call(int nr, u32 said, unsigned flags)
{
    const struct sock_filter code[] = {LOAD(nr), UNLESS((u32)nr, 1), SAY(said),
                                       SAY(SECCOMP_RET_ALLOW)};

    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return filter(code, 4, SECCOMP_FILTER_FLAG_TSYNC | flags);
}

static void is_refused(void)
{
    CHECK_ERR(syscall(SYS_getppid), 71);
    CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

static void *waiter(void *arg)
{
    char c;
    int fd = *(int *)arg;
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    atomic_fetch_add(&ready, 1);
    CHECK_EQ(read(fd, &c, 1), 1);
    is_refused();
    return NULL;
}

static void *runner(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&told)) // code without calls
        ;
    is_refused();
    return NULL;
}

static void *leaf(void *arg)
{
    if (atomic_load(&told))
        is_refused();
    return arg;
}

static void *maker(void *arg)
{
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&end)) {
        pthread_t t;
        bool late = atomic_load(&told);
        CHECK_EQ(pthread_create(&t, NULL, leaf, NULL), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
        if (late)
            atomic_fetch_add(&end, 1);
    }
    return arg;
}

static void *caller(void *arg)
{
    // Those that another thread begins meanwhile have it, too.
    CHECK_EQ(sync_call(SYS_getppid, SECCOMP_RET_ERRNO | 71, 0), 0);
    atomic_store(&told, 1);
    return arg;
}

static void all(void)
{
    int fds[2];
    pthread_t t[2 * MANY], m, c;
    OK(pipe(fds));
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, waiter, &fds[0]), 0);
    for (int i = MANY; i < 2 * MANY; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, i % 4 ? waiter : runner, &fds[0]), 0);
    CHECK_EQ(pthread_create(&m, NULL, maker, NULL), 0);
    while (atomic_load(&ready) < 2 * MANY + 1)
        usleep(1000);
    usleep(10000);
    CHECK_EQ(pthread_create(&c, NULL, caller, NULL), 0); // not the first thread
    CHECK_EQ(pthread_join(c, NULL), 0);
    is_refused();
    for (int i = 0; i < 2 * MANY; i++)
        CHECK_EQ(write(fds[1], "x", 1), 1);
    for (int i = 0; i < 2 * MANY; i++)
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK_EQ(pthread_join(m, NULL), 0);
    // What all have may be added to by one, and by all again only by that one.
    CHECK_EQ(sync_call(SYS_getpgrp, SECCOMP_RET_ERRNO | 72, 0), 0);
    CHECK_ERR(syscall(SYS_getpgrp), 72);
}

static void *other(void *arg)
{
    OK(filter_call(SYS_getpgrp, SECCOMP_RET_ERRNO | 72));
    atomic_store(&tid_of, (int)syscall(SYS_gettid));
    while (!atomic_load(&end))
        usleep(1000);
    CHECK(syscall(SYS_getppid) != -1 || errno != 71);
    return arg;
}

static void diverged(void)
{
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, other, NULL), 0);
    while (!atomic_load(&tid_of))
        usleep(1000);
    CHECK_EQ(sync_call(SYS_getppid, SECCOMP_RET_ERRNO | 71, 0), atomic_load(&tid_of));
    CHECK_ERR(sync_call(SYS_getppid, SECCOMP_RET_ERRNO | 71, 16 /* TSYNC_ESRCH */), ESRCH);
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    atomic_store(&end, 1);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(sync_call(SYS_getppid, SECCOMP_RET_ERRNO | 71, 0), 0);
    is_refused();
}

// A forked child has the threads' filters no more, and one of its own.
static void *forks(void *arg)
{
    int status;
    pid_t pid = OK(fork());
    if (!pid) {
        atomic_store(&ready, 0);
        atomic_store(&told, 0);
        atomic_store(&end, 0);
        all();
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return arg;
}

static void forked(void)
{
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, forks, NULL), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

int main(void)
{
    for (int i = 0; i < 20; i++)
        CHECK_EQ(status_of(all), 0);
    CHECK_EQ(status_of(diverged), 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(status_of(forked), 0);
    return done();
}
