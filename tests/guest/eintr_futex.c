// SPDX-License-Identifier: MIT
// futex: a wait without timeout restarts with SA_RESTART; with a relative timeout a handler always
// ends it with EINTR; a PI lock goes on even without SA_RESTART.
// covers: futex, futex_waitv
// trap: not old: such a host has no futex_waitv
#include "eintr.h"
#include <linux/futex.h>

static uint32_t word, pi;
static atomic_int hold, held;
static pthread_t owner;
static struct timespec minute = {60, 0}, late;
static struct futex_waitv waiter = {.uaddr = (uintptr_t)&word,
                                    .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};

static void setup(void)
{
    word = 0;
}
static void wake(void)
{
    while (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) != 1)
        sched_yield(); // the target may be in its handler
}

// Another thread owns the PI lock until told to let go.
static void *own(void *arg)
{
    (void)arg;
    CHECK(syscall(SYS_futex, &pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    held = 1;
    while (hold)
        nanosleep(&(struct timespec){0, 500000}, NULL);
    CHECK(syscall(SYS_futex, &pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    return NULL;
}

static void setup_pi(void)
{
    hold = 1;
    held = 0;
    CHECK(pthread_create(&owner, NULL, own, NULL) == 0);
    while (!held)
        sched_yield();
}

static void release(void)
{
    hold = 0;
}

static long do_wait(void)
{
    return raw(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
}
static long do_timed(void)
{
    return raw(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &minute, 0, 0);
}
static long do_bitset(void)
{
    return raw(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, 0, FUTEX_BITSET_MATCH_ANY);
}
static long do_late(void)
{
    return raw(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &late, 0, FUTEX_BITSET_MATCH_ANY);
}
static long do_waitv(void)
{
    return raw(SYS_futex_waitv, &waiter, 1, 0, 0, 0);
}
static long do_pi(void)
{
    long ret = raw(SYS_futex, &pi, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0);

    CHECK(ret == 0 && (pi & FUTEX_TID_MASK) == (uint32_t)eintr_now.target);
    CHECK(raw(SYS_futex, &pi, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0) == 0);
    CHECK(pthread_join(owner, NULL) == 0);
    return ret;
}

int main(void)
{
    static const struct eintr tests[] = {
        {"FUTEX_WAIT", RESTARTS, do_wait, wake, 0, setup},
        {"FUTEX_WAIT, timeout", NEVER, do_timed, wake, 0, setup},
        {"FUTEX_WAIT_BITSET", RESTARTS, do_bitset, wake, 0, setup},
        {"FUTEX_WAIT_BITSET, timeout", NEVER, do_late, wake, 0, setup},
        {"futex_waitv", RESTARTS, do_waitv, wake, 0, setup},
        {"FUTEX_LOCK_PI", ALWAYS_ON, do_pi, release, 0, setup_pi},
    };

    CHECK(clock_gettime(CLOCK_MONOTONIC, &late) == 0);
    late.tv_sec += 60;
    EINTR_TEST(tests);
    return done();
}
