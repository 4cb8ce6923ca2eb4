// SPDX-License-Identifier: MIT
// Sleeping: never shorter than asked, by relative and absolute time on each clock; a past time and
// zero return at once; errors.
// covers: nanosleep, clock_nanosleep
#include "sig.h"

static long now(clockid_t c)
{
    struct timespec ts;

    CHECK(clock_gettime(c, &ts) == 0);
    return ts.tv_sec * 1000000000l + ts.tv_nsec;
}

int main(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    struct timespec ts = {0, 3000000}, rem = {7, 7}, bad = {0, -1}, bad2 = {0, 1000000000},
                    neg = {-1, 0};
    long t;

    t = now(CLOCK_MONOTONIC);
    CHECK(nanosleep(&ts, &rem) == 0 && now(CLOCK_MONOTONIC) - t >= 3000000);
    CHECK(rem.tv_sec == 7 && rem.tv_nsec == 7); // untouched
    CHECK(nanosleep(&(struct timespec){0, 0}, NULL) == 0);
    for (int i = 0; i < 4; i++) {
        t = now(clocks[i]);
        CHECK(clock_nanosleep(clocks[i], 0, &ts, NULL) == 0);
        CHECK(now(clocks[i]) - t >= 3000000);
        t = now(clocks[i]) + 3000000;
        struct timespec at = {t / 1000000000, t % 1000000000};
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0);
        CHECK(now(clocks[i]) >= t);
        at.tv_sec = 1;
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0);
    }
    CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERR(nanosleep(&bad2, NULL), EINVAL);
    CHECK_ERR(nanosleep(&neg, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_nanosleep, 8, 0), EFAULT);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &ts, NULL), EOPNOTSUPP);
    CHECK_EQ(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
    CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, 0), EFAULT);
    return done();
}
