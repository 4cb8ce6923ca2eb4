// SPDX-License-Identifier: MIT
// Locks between the threads of one address space (see struct lock in lib.h).
#include <linux/futex.h>

#include "host.h"
#include "lib.h"
#include "task.h"

#define WAITERS 0x80000000u

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
        host_futex(&l->word, FUTEX_WAIT, seen | WAITERS, NULL);
        seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);
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
