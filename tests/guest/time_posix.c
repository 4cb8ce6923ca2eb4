// SPDX-License-Identifier: MIT
// POSIX timers: signal with value to process and to one thread, none, overruns, the time left,
// absolute and past times, every clock, deletion with a pending signal, fork, errors.
// covers: timer_create, timer_settime, timer_gettime, timer_getoverrun, timer_delete
#include "sig.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile siginfo_t got;
static volatile pid_t got_tid;
static volatile int runs;
static timer_t timer;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    got = *si;
    got_tid = tid();
    runs++;
}

static timer_t create(clockid_t clock, int notify, int sig, int value, pid_t to)
{
    struct sigevent ev = {.sigev_notify = notify, .sigev_signo = sig};
    timer_t t;

    ev.sigev_value.sival_int = value;
    ev.sigev_notify_thread_id = to;
    CHECK(timer_create(clock, &ev, &t) == 0);
    return t;
}

static void arm(timer_t t, long value, long interval, int flags)
{
    struct itimerspec its = {{interval / 1000000000, interval % 1000000000},
                             {value / 1000000000, value % 1000000000}};

    CHECK(timer_settime(t, flags, &its, NULL) == 0);
}

static void wait_runs(int n)
{
    while (runs < n)
        sleep_us(200);
}

static void *thread(void *arg)
{
    timer = create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGUSR1, 5, tid());
    arm(timer, 1000000, 0, 0);
    wait_runs(1);
    CHECK(got_tid == tid() && got.si_code == SI_TIMER && got.si_int == 5);
    CHECK(timer_delete(timer) == 0);
    return arg;
}

int main(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME,           CLOCK_MONOTONIC,
                                       CLOCK_BOOTTIME,           CLOCK_TAI,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    struct itimerspec its;
    struct sigevent ev = {0};
    pthread_t th;
    pid_t pid;

    catch_info(SIGUSR1, handler, 0);
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        timer = create(clocks[i], SIGEV_SIGNAL, SIGUSR1, 100 + i, 0);
        CHECK(timer_gettime(timer, &its) == 0 && its.it_value.tv_sec == 0 &&
              its.it_value.tv_nsec == 0);
        runs = 0;
        arm(timer, 1000000, 0, 0);
        while (runs < 1) // the processor's clocks need work
            getppid();
        CHECK(got.si_code == SI_TIMER && got.si_signo == SIGUSR1 && got.si_int == (int)(100 + i));
        CHECK(got.si_overrun == 0 && timer_getoverrun(timer) == 0);
        arm(timer, 1, 0, TIMER_ABSTIME); // long past
        while (runs < 2)
            getppid();
        arm(timer, 1000000, 1000000, 0);
        while (runs < 5)
            getppid();
        CHECK(timer_gettime(timer, &its) == 0 && its.it_interval.tv_nsec == 1000000);
        CHECK(timer_delete(timer) == 0);
        CHECK_ERR(timer_delete(timer), EINVAL);
    }
    // Without an event: SIGALRM with the timer's id.
    catch_info(SIGALRM, handler, 0);
    int id = -1; // libc would make up an event of its own
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0);
    runs = 0;
    its = (struct itimerspec){.it_value.tv_nsec = 1000000};
    CHECK(syscall(SYS_timer_settime, id, 0, &its, NULL) == 0);
    wait_runs(1);
    CHECK(got.si_signo == SIGALRM && got.si_int == id && got.si_timerid == id);
    CHECK(syscall(SYS_timer_delete, id) == 0);
    runs = 0;
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);

    // None: only the time left tells.
    timer = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
    arm(timer, 100000000000, 5000000000, 0);
    CHECK(timer_gettime(timer, &its) == 0 && its.it_interval.tv_sec == 5);
    CHECK(its.it_value.tv_sec >= 98 && its.it_value.tv_sec <= 100);
    CHECK(timer_delete(timer) == 0);

    // Overruns while blocked.
    block(SIGUSR1);
    runs = 0;
    timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1, 0);
    arm(timer, 100000, 100000, 0);
    sleep_us(5000);
    arm(timer, 0, 0, 0);
    unblock(SIGUSR1);
    printf("overruns %s\n", runs == 0 || got.si_overrun > 0 ? "counted" : "lost");
    CHECK(timer_delete(timer) == 0);
    // Deleted: the pending signal goes with it.
    block(SIGUSR1);
    runs = 0;
    timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1, 0);
    arm(timer, 1000, 0, 0);
    while (!is_pending(SIGUSR1))
        sleep_us(100);
    CHECK(timer_delete(timer) == 0);
    unblock(SIGUSR1);
    CHECK(runs == 0 || runs == 1); // Linux before 6.13 delivered it still

    timer = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_ERR(timer_delete(timer), EINVAL); // not inherited
        _exit(0);
    }
    wait_ok(pid);
    its = (struct itimerspec){{0, 0}, {0, 1000000000}};
    CHECK_ERR(timer_settime(timer, 0, &its, NULL), EINVAL);
    its.it_value.tv_nsec = -1;
    CHECK_ERR(timer_settime(timer, 0, &its, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_timer_settime, (int)(long)timer, 0, 8, 0), EFAULT);
    CHECK_ERR(syscall(SYS_timer_gettime, 9999, &its), EINVAL);
    CHECK_ERR(syscall(SYS_timer_getoverrun, 9999), EINVAL);
    CHECK_ERR(syscall(SYS_timer_create, 99, NULL, &timer), EINVAL);
    CHECK_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8), EFAULT);
    ev.sigev_notify = SIGEV_SIGNAL;
    ev.sigev_signo = 65;
    CHECK_ERR(timer_create(CLOCK_MONOTONIC, &ev, &timer), EINVAL);
    ev.sigev_notify = 77;
    ev.sigev_signo = SIGUSR1;
    CHECK_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer), EINVAL);
    return done();
}
