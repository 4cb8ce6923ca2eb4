// SPDX-License-Identifier: MIT
// futex without priorities: WAIT and its values and timeouts, WAKE counts, bitsets, REQUEUE,
// CMP_REQUEUE, WAKE_OP in all its arithmetic, private and shared (across fork), clocks, and errors.
// covers: futex
#include "sig.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>

static uint32_t a, b;
static atomic_int woken[8];

static long futex(uint32_t *w, int op, uint32_t val, const void *timeout, uint32_t *w2,
                  uint32_t val3)
{
    return syscall(SYS_futex, w, op, val, timeout, w2, val3);
}

static void *waiter(void *arg)
{
    long i = (long)arg;

    CHECK(futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << i) == 0);
    woken[i] = 1;
    return NULL;
}

// All n of them sleep: moving them from a to a and back counts them.
static void start(pthread_t *th, int n)
{
    a = b = 0;
    for (long i = 0; i < n; i++) {
        woken[i] = 0;
        CHECK(pthread_create(&th[i], NULL, waiter, (void *)i) == 0);
    }
    while (futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)100l, &a, 0) != n)
        sched_yield();
}

static int awake(void)
{
    int n = 0;

    for (int i = 0; i < 8; i++)
        n += woken[i];
    return n;
}

static void join(pthread_t *th, int n)
{
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
}

static void wake_op(uint32_t before, int op, int arg, int cmp, int cmparg, uint32_t after)
{
    static uint32_t w1, w2;

    w2 = before;
    // Nobody waits: this is for the arithmetic, the comparison's effect is tried below.
    CHECK_EQ(futex(&w1, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1l, &w2, FUTEX_OP(op, arg, cmp, cmparg)),
             0);
    CHECK_EQ(w2, after);
}

int main(void)
{
    struct timespec zero = {0, 0}, bad = {0, 1000000000}, neg = {-1, 0}, soon = {0, 2000000},
                    past = {1, 0};
    pthread_t th[8];
    uint32_t *shared;
    pid_t pid;

    CHECK_ERR(futex(&a, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
    CHECK_ERR(futex(&a, FUTEX_WAIT, 0, &zero, NULL, 0), ETIMEDOUT);
    CHECK_ERR(futex(&a, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT);
    CHECK_ERR(futex(&a, FUTEX_WAIT_BITSET, 0, &past, NULL, ~0u), ETIMEDOUT);
    CHECK_ERR(futex(&a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0u), ETIMEDOUT);
    CHECK_ERR(futex(&a, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
    CHECK_ERR(futex(&a, FUTEX_WAIT, 0, &neg, NULL, 0), EINVAL);
    CHECK_ERR(futex(&a, FUTEX_WAIT, 0, (void *)8, NULL, 0), EFAULT);
    CHECK_ERR(futex(&a, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(&a, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex((uint32_t *)((char *)&a + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERR(futex((uint32_t *)8, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
    CHECK_ERR(futex(&a, 99, 0, NULL, NULL, 0), ENOSYS);
    CHECK_ERR(futex(&a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
    CHECK_ERR(futex(&a, FUTEX_FD, 0, NULL, NULL, 0), ENOSYS);
    CHECK_EQ(futex(&a, FUTEX_WAKE, 100, NULL, NULL, 0), 0);

    // Wake one, two, the rest; none of them twice.
    start(th, 8);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 5);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 0);
    join(th, 8);
    CHECK_EQ(awake(), 8);
    // By bit.
    start(th, 8);
    CHECK_EQ(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 0x24), 2);
    CHECK(pthread_join(th[2], NULL) == 0 && pthread_join(th[5], NULL) == 0);
    CHECK(awake() == 2 && woken[2] && woken[5]);
    CHECK_EQ(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 0xff), 6);
    join(th, 2), join(th + 3, 2), join(th + 6, 2);
    // Wake two, move three; three stay.
    start(th, 8);
    CHECK_ERR(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 2, (void *)3l, &b, 1), EAGAIN);
    CHECK_EQ(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 2, (void *)3l, &b, 0), 5);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 3);
    CHECK_EQ(futex(&b, FUTEX_REQUEUE_PRIVATE, 1, (void *)1l, &a, 0), 2); // both counted
    CHECK_EQ(futex(&b, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 1);
    CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 1);
    join(th, 8);
    CHECK_ERR(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, -1, (void *)1l, &b, 0), EINVAL);

    // Wake on a; *b changes; b's are woken only where its old value compares so.
    wake_op(5, FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 5, 7);
    wake_op(5, FUTEX_OP_ADD, 7, FUTEX_OP_CMP_NE, 5, 12);
    wake_op(5, FUTEX_OP_OR, 8, FUTEX_OP_CMP_LT, 5, 13);
    wake_op(13, FUTEX_OP_ANDN, 5, FUTEX_OP_CMP_GE, 5, 8);
    wake_op(13, FUTEX_OP_XOR, 5, FUTEX_OP_CMP_GT, 5, 8);
    wake_op(1, FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 9, FUTEX_OP_CMP_LE, 0, 512);
    wake_op(1, FUTEX_OP_ADD, -1, FUTEX_OP_CMP_EQ, 0, 0);
    CHECK_ERR(futex(&a, FUTEX_WAKE_OP, 1, (void *)1l, &b, FUTEX_OP(7, 1, 0, 0)), ENOSYS);
    start(th, 4);
    CHECK_EQ(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)3l, &a,
                   FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 1)),
             0);
    CHECK_EQ(a, 1);
    CHECK_EQ(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)3l, &a,
                   FUTEX_OP(FUTEX_OP_SET, 2, FUTEX_OP_CMP_EQ, 1)),
             3);
    CHECK_EQ(futex(&a, FUTEX_WAKE_OP_PRIVATE, 5, (void *)1l, &b,
                   FUTEX_OP(FUTEX_OP_SET, 2, FUTEX_OP_CMP_EQ, 9)),
             1);
    join(th, 4);

    // Between processes.
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    pid = OK(fork());
    if (pid == 0) {
        while (__atomic_load_n(shared, __ATOMIC_ACQUIRE) == 0)
            CHECK(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 || errno == EAGAIN);
        _exit(0);
    }
    while (futex(shared, FUTEX_CMP_REQUEUE, 0, (void *)1l, shared, 0) != 1)
        sched_yield();
    CHECK_EQ(futex(shared, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0); // another key
    __atomic_store_n(shared, 1, __ATOMIC_RELEASE);
    CHECK_EQ(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    wait_ok(pid);
    return done();
}
