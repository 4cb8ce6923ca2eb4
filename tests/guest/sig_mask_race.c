// SPDX-License-Identifier: MIT
// Threads that block and unblock signals all the time, and nest handlers, while others send: each
// queued signal is delivered exactly once, and never while it is blocked.
// covers: rt_sigprocmask, rt_sigqueueinfo, rt_sigaction
// timeout: 30
#include "sig.h"

#define SIGNALS 10000
static atomic_int received, stop;
static atomic_char seen[SIGNALS];
static _Thread_local volatile int closed;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    CHECK(!closed);
    CHECK(si->si_int >= 0 && si->si_int < SIGNALS);
    CHECK_EQ(atomic_fetch_add(&seen[si->si_int], 1), 0);
    received++;
}

static void *toggle(void *arg)
{
    sigset_t rt = sigset_of(SIGRTMIN), both = rt, old;

    sigaddset(&both, SIGRTMIN + 1);
    while (!stop) {
        CHECK(pthread_sigmask(SIG_BLOCK, &both, &old) == 0);
        closed = 1;
        getppid();
        if (arg)
            sched_yield();
        closed = 0;
        CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
        CHECK(pthread_sigmask(SIG_BLOCK, &rt, NULL) == 0);
        CHECK(pthread_sigmask(SIG_UNBLOCK, &rt, NULL) == 0);
    }
    return NULL;
}

static void *sender(void *arg)
{
    union sigval v;

    for (v.sival_int = (long)arg; v.sival_int < SIGNALS; v.sival_int += 2)
        while (sigqueue(getpid(), SIGRTMIN + v.sival_int / 2 % 2, v) != 0) {
            CHECK_EQ(errno, EAGAIN);
            sleep_us(200);
        }
    return NULL;
}

int main(void)
{
    pthread_t th[6];
    sigset_t all;

    catch_info(SIGRTMIN, handler, SA_RESTART);
    catch_info(SIGRTMIN + 1, handler, SA_RESTART);
    for (long i = 0; i < 4; i++)
        CHECK(pthread_create(&th[i], NULL, toggle, (void *)(i & 1)) == 0);
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    for (long i = 0; i < 2; i++)
        CHECK(pthread_create(&th[4 + i], NULL, sender, (void *)i) == 0);
    CHECK(pthread_join(th[4], NULL) == 0 && pthread_join(th[5], NULL) == 0);
    while (received < SIGNALS)
        sleep_us(1000);
    stop = 1;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(received, SIGNALS);
    return done();
}
