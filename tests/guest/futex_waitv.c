// SPDX-License-Identifier: MIT
// futex_waitv: which of several was woken, values that differ, timeouts and clocks, errors; and
// futex_wake, futex_wait, futex_requeue, which older kernels do not have.
// covers: futex_waitv, futex_wake, futex_wait, futex_requeue
// trap: not container,old: such a host does not know some of the calls
#include "sig.h"
#include <linux/futex.h>
#include <sched.h>

#define NR_WAKE 454
#define NR_WAIT 455
#define NR_REQUEUE 456
#define F FUTEX_32

static uint32_t words[8], other;
static struct futex_waitv vec[8];
static atomic_int result;

static void fill(void)
{
    memset(words, 0, sizeof(words));
    for (int i = 0; i < 8; i++)
        vec[i] = (struct futex_waitv){0, (uintptr_t)&words[i], F | FUTEX_PRIVATE_FLAG, 0};
}

static long waitv(unsigned n, unsigned flags, void *timeout, int clock)
{
    return syscall(SYS_futex_waitv, vec, n, flags, timeout, clock);
}

static void *waiter(void *arg)
{
    result = waitv(8, 0, NULL, 0);
    return arg;
}

static void *single(void *arg)
{
    result = syscall(NR_WAIT, &words[0], 0ul, 0xfffffffful, F | FUTEX_PRIVATE_FLAG, NULL, 0);
    return arg;
}

static void newer(void)
{
    struct futex_waitv two[2] = {{0, (uintptr_t)&words[0], F | FUTEX_PRIVATE_FLAG, 0},
                                 {0, (uintptr_t)&other, F | FUTEX_PRIVATE_FLAG, 0}};
    pthread_t th;
    long n;

    words[0] = 0;
    if (syscall(NR_WAKE, &words[0], 0xfffffffful, 1, F | FUTEX_PRIVATE_FLAG) < 0) {
        CHECK_EQ(errno, ENOSYS);
        puts("no futex_wake");
        return;
    }
    CHECK_ERR(syscall(NR_WAIT, &words[0], 1ul, 0xfffffffful, F | FUTEX_PRIVATE_FLAG, NULL, 0),
              EAGAIN);
    CHECK_ERR(syscall(NR_WAIT, &words[0], 0ul, 0ul, F | FUTEX_PRIVATE_FLAG, NULL, 0), EINVAL);
    CHECK_ERR(syscall(NR_WAKE, &words[0], 0xfffffffful, 1, 0x100), EINVAL);
    CHECK(pthread_create(&th, NULL, single, NULL) == 0);
    while (syscall(NR_WAKE, &words[0], 0xfffffffful, 1, F | FUTEX_PRIVATE_FLAG) != 1)
        sched_yield();
    CHECK(pthread_join(th, NULL) == 0 && result == 0);
    CHECK(pthread_create(&th, NULL, single, NULL) == 0);
    while ((n = syscall(NR_REQUEUE, two, 0, 0, 1)) != 1)
        CHECK(n == 0 && sched_yield() == 0);
    CHECK(syscall(NR_WAKE, &words[0], 0xfffffffful, 1, F | FUTEX_PRIVATE_FLAG) == 0);
    CHECK(syscall(NR_WAKE, &other, 0xfffffffful, 1, F | FUTEX_PRIVATE_FLAG) == 1);
    CHECK(pthread_join(th, NULL) == 0 && result == 0);
    puts("futex_wake, futex_wait, futex_requeue");
}

int main(void)
{
    struct timespec past = {1, 0}, bad = {0, -1};
    pthread_t th;

    fill();
    for (int i = 0; i < 8; i++) {
        CHECK(pthread_create(&th, NULL, waiter, NULL) == 0);
        while (syscall(SYS_futex, &words[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) != 1)
            sched_yield();
        CHECK(pthread_join(th, NULL) == 0);
        CHECK_EQ(result, i);
    }
    vec[3].val = 1;
    CHECK_ERR(waitv(8, 0, NULL, 0), EAGAIN);
    fill();
    CHECK_ERR(waitv(8, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
    CHECK_ERR(waitv(8, 0, &past, CLOCK_REALTIME), ETIMEDOUT);
    CHECK_ERR(waitv(8, 0, &past, CLOCK_BOOTTIME), EINVAL);
    CHECK_ERR(waitv(8, 0, &bad, CLOCK_MONOTONIC), EINVAL);
    CHECK_ERR(waitv(8, 1, NULL, 0), EINVAL);
    CHECK_ERR(waitv(0, 0, NULL, 0), EINVAL);
    CHECK_ERR(waitv(129, 0, NULL, 0), EINVAL);
    vec[0].flags = 0x80000000;
    CHECK_ERR(waitv(8, 0, NULL, 0), EINVAL);
    fill();
    vec[0].__reserved = 1;
    CHECK_ERR(waitv(8, 0, NULL, 0), EINVAL);
    fill();
    vec[7].uaddr = 8;
    CHECK_ERR(waitv(8, 0, NULL, 0), EFAULT);
    CHECK_ERR(syscall(SYS_futex_waitv, 8, 1, 0, NULL, 0), EFAULT);
    newer();
    return done();
}
