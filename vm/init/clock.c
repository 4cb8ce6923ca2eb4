// SPDX-License-Identifier: MIT
// The VM's clock follows the host's: a kernel that measured its time-stamp counter on a busy host
// goes wrong by seconds a day, one on a host that slept by hours, and `make` with files that the
// host has written says "Clock skew detected".
//
// The keeper is asked. What it says was right at some moment between question and answer; where the
// VM's clock is within that, nothing is known against it.
#define _GNU_SOURCE
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "init.h"

#define NS 1000000000LL
#define EVERY_S 10
#define STEP_NS (NS / 2) // a clock that is ahead by less is slowed down (adjtime(3)), not set back

static int64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

void clock_look(bool idle)
{
    static int64_t last = -EVERY_S * NS;
    static bool rested = true;
    struct time_frame t = {.asked = now(CLOCK_MONOTONIC)};
    if (idle)
        rested = true;
    if (idle || t.asked - last < (rested ? 1 : EVERY_S) * NS)
        return;
    rested = false;
    last = t.asked;
    frame_add(&to_host, 0, F_TIME, 0, &t, sizeof t);
}

void clock_answer(const struct frame *f)
{
    struct time_frame t;
    if (f->size < sizeof t)
        return;
    memcpy(&t, f + 1, sizeof t);
    int64_t took = now(CLOCK_MONOTONIC) - t.asked;
    // By so much the VM is behind at least and at most.
    int64_t most = t.seconds * NS + t.nanoseconds + took - now(CLOCK_REALTIME);
    int64_t least = most - took, behind = (least + most) / 2;
    if (least <= 0 && most >= 0)
        return;
    if (behind < 0 && behind > -STEP_NS) {
        struct timeval slow = {-1, behind / 1000 + 1000000};
        adjtime(&slow, NULL);
        return;
    }
    int64_t right = now(CLOCK_REALTIME) + behind;
    clock_settime(CLOCK_REALTIME, &(struct timespec){right / NS, right % NS});
}
