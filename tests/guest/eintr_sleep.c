// SPDX-License-Identifier: MIT
// nanosleep, clock_nanosleep, pause, sigsuspend and sigtimedwait: a handler always ends them with
// EINTR, also with SA_RESTART. A relative sleep tells what was left, an absolute one does not.
// covers: nanosleep, clock_nanosleep, pause, rt_sigsuspend, rt_sigtimedwait
#include "eintr.h"

static struct timespec minute = {60, 0}, left, late;
static uint64_t none, usr2 = 1ul << (SIGUSR2 - 1);

static void setup(void)
{
    left = (struct timespec){-1, -1};
}
static void nothing(void)
{
}

// The timer slack is part of what is left: it may be a little over a minute.
static long relative(long ret)
{
    CHECK(left.tv_sec >= 0 && left.tv_sec <= 60 && left.tv_nsec >= 0 && left.tv_nsec < 1000000000);
    return ret;
}

static long absolute(long ret)
{
    CHECK(left.tv_sec == -1 && left.tv_nsec == -1);
    return ret;
}

static long do_nanosleep(void)
{
    return relative(raw(SYS_nanosleep, &minute, &left));
}
static long do_relative(void)
{
    return relative(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &minute, &left));
}
static long do_absolute(void)
{
    return absolute(raw(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &late, &left));
}
static long do_no_rem(void)
{
    return raw(SYS_nanosleep, &minute, 0);
}
static long do_pause(void)
{
    return raw(SYS_pause);
}
static long do_sigsuspend(void)
{
    return raw(SYS_rt_sigsuspend, &none, 8);
}
static long do_sigwait(void)
{
    return raw(SYS_rt_sigtimedwait, &usr2, 0, 0, 8);
}
static long do_sigtimedwait(void)
{
    return raw(SYS_rt_sigtimedwait, &usr2, 0, &minute, 8);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"nanosleep", NEVER, do_nanosleep, nothing, 0, setup},
        {"nanosleep without rem", NEVER, do_no_rem, nothing, 0, setup},
        {"clock_nanosleep relative", NEVER, do_relative, nothing, 0, setup},
        {"clock_nanosleep absolute", NEVER, do_absolute, nothing, 0, setup},
        {"pause", NEVER, do_pause, nothing, 0, setup},
        {"sigsuspend", NEVER, do_sigsuspend, nothing, 0, setup},
        {"sigwaitinfo", NEVER, do_sigwait, nothing, 0, setup},
        {"sigtimedwait", NEVER, do_sigtimedwait, nothing, 0, setup},
    };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &late) == 0);
    late.tv_sec += 60;
    EINTR_TEST(tests);
    return done();
}
