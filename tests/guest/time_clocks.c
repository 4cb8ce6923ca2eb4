// SPDX-License-Identifier: MIT
// Clocks: all of them tell sane times that do not go back, by libc (vDSO) and by system call, the
// thread's and process's clocks count work, dynamic clock ids of others; resolutions and errors;
// gettimeofday and time agree with CLOCK_REALTIME.
// covers: clock_gettime, clock_getres, gettimeofday, time, clock_settime, settimeofday
// covers: clock_adjtime, adjtimex
// trap: not container: such a filter refuses clock_settime
#include "sig.h"
#include <sys/time.h>
#include <sys/timex.h>

static long ns(struct timespec ts)
{
    return ts.tv_sec * 1000000000l + ts.tv_nsec;
}

static struct timespec get(clockid_t c)
{
    struct timespec ts;

    CHECK(syscall(SYS_clock_gettime, c, &ts) == 0);
    CHECK(ts.tv_sec >= 0 && ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    return ts;
}

static void *thread(void *arg)
{
    clockid_t main_cpu;
    struct timespec ts;

    CHECK(pthread_getcpuclockid(*(pthread_t *)arg, &main_cpu) == 0);
    CHECK(clock_gettime(main_cpu, &ts) == 0 && ns(ts) > 0);
    CHECK(ns(get(CLOCK_THREAD_CPUTIME_ID)) < ns(get(CLOCK_PROCESS_CPUTIME_ID)));
    return arg;
}

int main(void)
{
    static const clockid_t clocks[] = {
        CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
    struct timespec a, b, res;
    struct timeval tv;
    struct timezone tz;
    struct timex tx = {0};
    pthread_t th, me = pthread_self();
    clockid_t other;
    time_t t, u;
    pid_t pid;

    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        for (int k = 0; k < 100; k++) {
            CHECK(clock_gettime(clocks[i], &a) == 0);
            b = get(clocks[i]);
            if (clocks[i] != CLOCK_REALTIME && clocks[i] != CLOCK_TAI &&
                clocks[i] != CLOCK_REALTIME_COARSE)
                CHECK(ns(b) >= ns(a));
            CHECK(ns(b) - ns(a) < 5000000000l);
        }
        CHECK(syscall(SYS_clock_getres, clocks[i], &res) == 0);
        CHECK(res.tv_sec == 0 && res.tv_nsec >= 1 && res.tv_nsec <= 10000000);
    }
    CHECK_ERR(syscall(SYS_clock_gettime, 99, &a), EINVAL);
    CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8), EFAULT);
    CHECK_ERR(syscall(SYS_clock_getres, 99, &a), EINVAL);
    CHECK(syscall(SYS_clock_getres, CLOCK_REALTIME, NULL) == 0);
    CHECK(ns(get(CLOCK_BOOTTIME)) >= ns(get(CLOCK_MONOTONIC)) - 1000000000l);

    a = get(CLOCK_REALTIME);
    CHECK(syscall(SYS_gettimeofday, &tv, &tz) == 0);
    CHECK(tv.tv_sec >= a.tv_sec && tv.tv_sec <= a.tv_sec + 5 && tv.tv_usec >= 0 &&
          tv.tv_usec < 1000000);
    t = syscall(SYS_time, &u);
    // It goes by ticks: for the first few milliseconds of a second it tells the one before.
    CHECK(t == u && t >= a.tv_sec - 1 && t <= a.tv_sec + 5);
    CHECK(syscall(SYS_gettimeofday, NULL, NULL) == 0);
    CHECK_ERR(syscall(SYS_gettimeofday, 8, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_time, 8), EFAULT);

    a = get(CLOCK_THREAD_CPUTIME_ID);
    while (ns(get(CLOCK_THREAD_CPUTIME_ID)) < ns(a) + 5000000)
        ;
    CHECK(pthread_create(&th, NULL, thread, &me) == 0 && pthread_join(th, NULL) == 0);
    pid = OK(fork());
    if (pid == 0)
        for (;;)
            pause();
    CHECK(clock_getcpuclockid(pid, &other) == 0 && clock_gettime(other, &a) == 0);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    CHECK_ERR(syscall(SYS_clock_gettime, other, &a), EINVAL);

    // Setting: what nobody may, whoever asks.
    a = (struct timespec){-1, 0};
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &a), EINVAL);
    a = (struct timespec){1, 0};
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &a), EINVAL);
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, 8), EFAULT);
    tv = (struct timeval){1, 1000001};
    CHECK_ERR(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
    CHECK(adjtimex(&tx) >= 0); // only asks
    CHECK(tx.tick >= 9000 && tx.tick <= 11000);
    tx.modes = 0;
    CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx) >= 0);
    CHECK_ERR(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
    return done();
}
