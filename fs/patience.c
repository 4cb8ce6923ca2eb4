// SPDX-License-Identifier: MIT
// Waiting for another thread of the instance that has something for a moment: a word with its id
// (reserved_claim()). The moment may be long: its processor may be somebody else's, the host's too,
// for a good part of a second. So it is not yields that are counted, of which a million go by
// meanwhile, and what ends the wait is that the thread does not come back by itself.
#include <linux/time_types.h>

#include "fs.h"
#include "host.h"
#include "reach.h"

#define YIELDS 1000
#define NAP 100000    // ns; the host makes 150 us of it
#define LOOK_NAPS 500 // 75 ms
#define NAPS 40000    // 6 s: of two that wait for each other one has to give up

void patience_step(u32 tries)
{
    const struct __kernel_timespec nap = {.tv_nsec = NAP};
    if (tries < YIELDS)
        HOST0(__NR_sched_yield);
    else
        HOST2(__NR_nanosleep, &nap, NULL);
}

// Does who has the word not come to its end? One that has died, but that its parent has not waited
// for, has left it to us.
static bool is_stuck(struct task *t, u32 *owner, bool *ours)
{
    u32 seen = __atomic_load_n(owner, __ATOMIC_RELAXED);
    enum rest rest = seen ? reach_rest(t, seen) : REST_NONE;
    *ours = rest == REST_ENDED && __atomic_compare_exchange_n(owner, &seen, t->tid, false,
                                                              __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    return rest == REST_STOPPED;
}

bool reserved_wait(struct task *t, u32 *owner)
{
    bool ours = false;
    for (u32 tries = 0; !ours && !reserved_claim(owner, t->tid); tries++) {
        if (tries == YIELDS + NAPS ||
            (tries > YIELDS && tries % LOOK_NAPS == 0 && is_stuck(t, owner, &ours)))
            return false;
        patience_step(tries);
    }
    return true;
}
