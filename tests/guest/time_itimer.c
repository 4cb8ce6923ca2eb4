// SPDX-License-Identifier: MIT
// alarm and setitimer: the three kinds and their signals, one shot and repeated, the time left,
// replaced and stopped; alarm and ITIMER_REAL are one timer.
// covers: alarm, setitimer, getitimer
#include "sig.h"
#include <sys/time.h>

static volatile int count[65];

static void handler(int sig)
{
    count[sig]++;
}

static struct itimerval itv(long value, long interval)
{
    return (struct itimerval){{interval / 1000000, interval % 1000000},
                              {value / 1000000, value % 1000000}};
}

int main(void)
{
    static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    static const int sigs[] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct itimerval t, old;

    for (int i = 0; i < 3; i++) {
        CHECK(signal(sigs[i], handler) != SIG_ERR);
        CHECK(getitimer(kinds[i], &old) == 0 && old.it_value.tv_sec == 0 &&
              old.it_value.tv_usec == 0);
        t = itv(2000, 2000);
        CHECK(setitimer(kinds[i], &t, &old) == 0);
        while (count[sigs[i]] < 5)
            getppid(); // user and system time
        CHECK(getitimer(kinds[i], &old) == 0 && old.it_interval.tv_usec >= 2000);
        t = itv(0, 2000);
        CHECK(setitimer(kinds[i], &t, NULL) == 0);
        CHECK(getitimer(kinds[i], &old) == 0 && old.it_value.tv_usec == 0);
        // One shot.
        count[sigs[i]] = 0;
        t = itv(2000, 0);
        CHECK(setitimer(kinds[i], &t, NULL) == 0);
        while (count[sigs[i]] < 1)
            getppid();
        CHECK(getitimer(kinds[i], &old) == 0 && old.it_value.tv_sec == 0 &&
              old.it_value.tv_usec == 0);
        CHECK_EQ(count[sigs[i]], 1);
        t = itv(100000000, 0);
        CHECK(setitimer(kinds[i], &t, NULL) == 0);
        CHECK(setitimer(kinds[i], &(struct itimerval){0}, &old) == 0);
        CHECK(old.it_value.tv_sec >= 98 && old.it_value.tv_sec <= 100);
    }
    CHECK(alarm(100) == 0);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec >= 98);
    t = itv(50000000, 0);
    CHECK(setitimer(ITIMER_REAL, &t, &old) == 0 && old.it_value.tv_sec >= 98);
    unsigned left = alarm(0);
    CHECK(left >= 49 && left <= 50);
    CHECK(alarm(0) == 0);
    CHECK_ERR(getitimer((enum __itimer_which)9, &old), EINVAL);
    t = itv(0, 0);
    t.it_value.tv_usec = 1000000;
    CHECK_ERR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_setitimer, 0, 8, 0), EFAULT);
    CHECK_ERR(syscall(SYS_getitimer, 0, 8), EFAULT);
    return done();
}
