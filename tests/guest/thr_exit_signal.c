// SPDX-License-Identifier: MIT
// Threads that come and go while signals are sent to the process and to the threads: no signal hits
// a thread that is not set up or already gone, and every queued one arrives somewhere.
// covers: clone, clone3, exit, tgkill, rt_sigqueueinfo
// timeout: 30
#include "sig.h"

static atomic_int received, stop, made, live_tid;
static _Thread_local volatile int mine;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    mine++; // thread-local memory has to be this thread's
    if (sig == SIGRTMIN)
        received++;
    CHECK(si->si_pid == getpid());
}

static void *brief(void *arg)
{
    live_tid = tid();
    getppid();
    made++;
    return arg;
}

static void *maker(void *arg)
{
    pthread_t th;

    while (!stop) {
        CHECK(pthread_create(&th, NULL, brief, NULL) == 0);
        CHECK(pthread_join(th, NULL) == 0);
    }
    return arg;
}

int main(void)
{
    union sigval v = {0};
    pthread_t th[2];
    sigset_t all;
    int sent = 0;

    catch_info(SIGRTMIN, handler, SA_RESTART);
    catch_info(SIGUSR1, handler, SA_RESTART);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&th[i], NULL, maker, NULL) == 0);
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    while (made < 2000) {
        // Few at a time: where the user's queue is full, other signals come without a sender.
        if (sent - received < 500 && sigqueue(getpid(), SIGRTMIN, v) == 0)
            sent++;
        syscall(SYS_tgkill, getpid(), live_tid, SIGUSR1); // may be gone: ESRCH
    }
    while (received < sent)
        sleep_us(500);
    stop = 1;
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(received, sent);
    return done();
}
