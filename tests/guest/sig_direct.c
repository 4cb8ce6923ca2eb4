// SPDX-License-Identifier: MIT
// Which thread gets a signal: one sent to a thread only that one, even while it blocks it; one sent
// to the process any that does not block it; a blocked one waits on the process for the first to
// unblock. Masks are each thread's own; a new thread inherits its creator's.
// covers: tgkill, kill, rt_sigprocmask, clone
#include "sig.h"

static atomic_int got_in[3], go, done_[3];
static _Thread_local int me;
static pid_t tids[3];

static void handler(int sig)
{
    (void)sig;
    atomic_fetch_add(&got_in[me], 1);
}

static void *thread(void *arg)
{
    me = (long)arg;
    tids[me] = tid();
    CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2)); // inherited
    CHECK(!is_pending(SIGUSR1));
    if (me == 2)
        unblock(SIGUSR2);
    done_[me] = 1;
    while (go < me)
        usleep(500);
    unblock(SIGUSR1);
    done_[me] = 2;
    while (go < 3)
        usleep(500);
    return NULL;
}

static void wait_for(atomic_int *v, int n)
{
    while (*v < n)
        sched_yield();
}

int main(void)
{
    pthread_t th[3];

    signal(SIGUSR1, handler);
    signal(SIGUSR2, handler);
    block(SIGUSR1);
    block(SIGUSR2);
    // Pending for this thread; the new ones do not see it.
    CHECK(syscall(SYS_tgkill, getpid(), tid(), SIGUSR1) == 0);
    for (long i = 1; i < 3; i++)
        CHECK(pthread_create(&th[i], NULL, thread, (void *)i) == 0);
    for (int i = 1; i < 3; i++)
        wait_for(&done_[i], 1);
    CHECK(is_pending(SIGUSR1));
    unblock(SIGUSR1);
    CHECK_EQ(got_in[0], 1);
    block(SIGUSR1);

    // Only thread 2 accepts SIGUSR2.
    CHECK(kill(getpid(), SIGUSR2) == 0);
    wait_for(&got_in[2], 1);
    CHECK(got_in[0] == 1 && got_in[1] == 0 && got_in[2] == 1);
    // Sent to thread 1, which blocks it: waits there, though thread 2 would take it.
    CHECK(syscall(SYS_tgkill, getpid(), tids[1], SIGUSR2) == 0);
    CHECK(!is_pending(SIGUSR2)); // not on the process

    // Blocked everywhere: pending on the process until thread 1 unblocks it.
    CHECK(kill(getpid(), SIGUSR1) == 0 && is_pending(SIGUSR1));
    CHECK(got_in[1] == 0);
    go = 1;
    wait_for(&done_[1], 2);
    CHECK_EQ(got_in[1], 1);
    CHECK(!is_pending(SIGUSR1));
    go = 2;
    wait_for(&done_[2], 2);
    CHECK(got_in[0] == 1 && got_in[1] == 1 && got_in[2] == 1);
    go = 3;
    for (int i = 1; i < 3; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    return done();
}
