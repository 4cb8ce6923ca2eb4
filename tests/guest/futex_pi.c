// SPDX-License-Identifier: MIT
// Priority-inheritance futexes: lock, trylock, unlock and who may, the waiters bit, hand-over,
// timeouts, deadlock, an owner that died, WAIT_REQUEUE_PI with CMP_REQUEUE_PI. The word holds the
// thread id: the ids a program sees must be those the kernel uses.
// covers: futex, gettid
#include "sig.h"
#include <linux/futex.h>
#include <sched.h>

static uint32_t lock_, cond;
static atomic_int step, order;

static long futex(uint32_t *w, int op, uint32_t val, const void *timeout, uint32_t *w2,
                  uint32_t val3)
{
    return syscall(SYS_futex, w, op | FUTEX_PRIVATE_FLAG, val, timeout, w2, val3);
}

static void *taker(void *arg)
{
    CHECK(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
    CHECK_EQ(lock_ & FUTEX_TID_MASK, tid());
    order++;
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    return arg;
}

static void *holder(void *arg)
{
    CHECK(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
    step = 1;
    while (step == 1)
        usleep(500);
    if (arg) // leaves without unlocking: no robust list, the lock stays
        return arg;
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    return arg;
}

static void *cond_waiter(void *arg)
{
    CHECK(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock_, 0) == 0);
    CHECK_EQ(lock_ & FUTEX_TID_MASK, tid()); // woken as the owner
    order++;
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    return arg;
}

int main(void)
{
    struct timespec past = {1, 0}, soon;
    pthread_t th[4], h;

    CHECK(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0 && lock_ == (uint32_t)tid());
    CHECK_ERR(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    CHECK_ERR(futex(&lock_, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0 && lock_ == 0);
    CHECK_ERR(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
    CHECK(futex(&lock_, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == 0);

    // Four wait; unlocking hands the lock on from one to the next.
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&th[i], NULL, taker, NULL) == 0);
    while (!(__atomic_load_n(&lock_, __ATOMIC_ACQUIRE) & FUTEX_WAITERS))
        sched_yield();
    CHECK_EQ(lock_, (uint32_t)tid() | FUTEX_WAITERS);
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(order, 4);
    CHECK_EQ(lock_ & FUTEX_TID_MASK, 0);

    // Owned by another thread.
    lock_ = 0;
    CHECK(pthread_create(&h, NULL, holder, NULL) == 0);
    while (step == 0)
        sched_yield();
    CHECK_ERR(futex(&lock_, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
    CHECK_ERR(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
    CHECK_ERR(futex(&lock_, FUTEX_LOCK_PI, 0, &past, NULL, 0), ETIMEDOUT);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &soon) == 0);
    soon.tv_sec += soon.tv_nsec > 990000000;
    soon.tv_nsec = (soon.tv_nsec + 5000000) % 1000000000;
    CHECK_ERR(futex(&lock_, FUTEX_LOCK_PI2, 0, &soon, NULL, 0), ETIMEDOUT);
    step = 2;
    CHECK(futex(&lock_, FUTEX_LOCK_PI2, 0, NULL, NULL, 0) == 0);
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    CHECK(pthread_join(h, NULL) == 0);

    // The owner has gone.
    step = 0;
    CHECK(pthread_create(&h, NULL, holder, &lock_) == 0);
    while (step == 0)
        sched_yield();
    step = 2;
    CHECK(pthread_join(h, NULL) == 0);
    while (futex(&lock_, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) != -1 || errno == EAGAIN)
        sched_yield(); // it is still exiting
    CHECK_EQ(errno, ESRCH);
    lock_ = 0x3fffffff; // no such thread
    CHECK_ERR(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);

    // A condition variable with a PI lock: requeued waiters wake up owning it.
    lock_ = cond = order = 0;
    CHECK(futex(&lock_, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&th[i], NULL, cond_waiter, NULL) == 0);
    for (long moved = 0; moved < 3;) { // one may get the lock at once: it is ours, so none does
        long n = futex(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)100l, &lock_, 0);

        CHECK(n >= 0);
        moved += n;
        sched_yield();
    }
    CHECK(order == 0 && (lock_ & FUTEX_WAITERS));
    CHECK_ERR(futex(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)1l, &lock_, 5), EAGAIN);
    CHECK_ERR(futex(&cond, FUTEX_CMP_REQUEUE_PI, 2, (void *)1l, &lock_, 0), EINVAL);
    CHECK(futex(&lock_, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(order, 3);
    return done();
}
