// SPDX-License-Identifier: MIT
// Locks between the threads of one address space (see struct lock in lib.h).
#include <linux/errno.h>
#include <linux/futex.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "host.h"
#include "lib.h"
#include "task.h"

#define WAITERS 0x80000000u

// A process that shares memory with this one (CLONE_VM) can be killed while it holds a lock. Its
// parent still has it as a zombie.
static bool is_dead(u32 tid)
{
    siginfo_t info = {0};
    return HOST2(__NR_tkill, tid, 0) == -ESRCH ||
           (!HOST5(__NR_waitid, P_PID, tid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL) &&
            info._sifields._sigchld._pid == (int)tid);
}

void lock_take(struct lock *l)
{
    u32 me = current()->tid, seen = 0;
    if (__atomic_compare_exchange_n(&l->word, &seen, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    for (;;) {
        if (seen == 0) {
            // Somebody else may wait too: keep the bit, at worst one needless wake.
            if (__atomic_compare_exchange_n(&l->word, &seen, me | WAITERS, false, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                return;
            continue;
        }
        if (!(seen & WAITERS) &&
            !__atomic_compare_exchange_n(&l->word, &seen, seen | WAITERS, false, __ATOMIC_RELAXED,
                                         __ATOMIC_RELAXED))
            continue;
        u32 waited = seen | WAITERS;
        long r = host_futex(&l->word, FUTEX_WAIT, waited, &(struct __kernel_timespec){0, 10000000});
        seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);
        if (r == -ETIMEDOUT && seen == waited && is_dead(seen & ~WAITERS) &&
            __atomic_compare_exchange_n(&l->word, &seen, me | WAITERS, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return;
    }
}

void lock_drop(struct lock *l)
{
    if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) & WAITERS)
        host_futex(&l->word, FUTEX_WAKE, 1, NULL);
}

void lock_release_dead(struct lock *l, u32 tid)
{
    if ((__atomic_load_n(&l->word, __ATOMIC_RELAXED) & ~WAITERS) == tid)
        lock_drop(l);
}
