// SPDX-License-Identifier: MIT
// Which threads the process traces: a list of their ids; and looks at those that may have stopped
// while the guest waits for none of them. What such a stop is, is task/tracer.c's to say.
#include <linux/ptrace.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "tracees.h"

#include "host.h"
#include "tracer.h"

// Those that the process's threads trace, 0: free; all but for a tracer of more. In a forked child
// they are another's, and go when they are asked for.
#define KNOWN 1024
static u32 known[KNOWN];
static u32 known_top; // none behind it was ever used
// Of one that was seized: what tracees_take() takes.
static u32 seized_with[KNOWN];

static u32 index_of(u32 tid)
{
    u32 i = 0;
    while (i < known_top && known[i] != tid)
        i++;
    return i < known_top ? i : KNOWN;
}

bool tracees_has(u32 tid)
{
    return index_of(tid) < KNOWN;
}

void tracer_know(u32 tid)
{
    u32 i = 0;
    if (tracees_has(tid))
        return;
    while (i < known_top && known[i])
        i++;
    if (i == KNOWN)
        return;
    known[i] = tid;
    seized_with[i] = 0;
    known_top = MAX(known_top, i + 1);
}

u32 tracees_take(u32 tid, u32 bits)
{
    u32 i = index_of(tid), was = i < KNOWN ? seized_with[i] & bits : 0;
    if (i < KNOWN)
        seized_with[i] &= ~bits;
    return was;
}

long tracer_interrupt(struct task *t, u32 tid)
{
    tracer_still_runs(t, tid);
    return tracees_take(tid, SEIZED_QUIETLY) ? 0 : tracer_host(PTRACE_INTERRUPT, tid, 0, 0);
}

void tracer_forget(u32 tid)
{
    for (u32 i = 0; i < known_top; i++)
        if (known[i] == tid)
            known[i] = 0;
}

bool tracer_has_other(u32 tid)
{
    for (u32 i = 0; i < known_top; i++)
        if (known[i] && known[i] != tid)
            return true;
    return false;
}

enum { STOPPED_NOT, STOPPED_SEEN, STOPPED_UNSEEN };

// Has thread tid a stop that nobody has waited for? One that is the guest's to see stays for its
// wait; of another the thread goes on.
static int look_at_stop(struct task *t, u32 tid)
{
    siginfo_t info = {0};
    if (HOST5(__NR_waitid, P_PID, tid, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL, NULL)) {
        tracer_forget(tid);
        return STOPPED_NOT;
    }
    u32 status = (u32)info.si_status;
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
        return STOPPED_NOT;
    return tracer_stopped(t, tid, &status) ? STOPPED_SEEN : STOPPED_UNSEEN;
}

bool tracer_still_runs(struct task *t, u32 tid)
{
    return look_at_stop(t, tid) == STOPPED_UNSEEN;
}

#define SEIZE_TRIES 100
#define SEIZE_NS 50000

// Most are found at once, and do not depend on the guest's waits then. One that waits for its vfork
// child is not, and perhaps the caller holds that child.
void tracer_seized(struct task *t, u32 tid, u32 options)
{
    const struct __kernel_timespec moment = {.tv_nsec = SEIZE_NS};
    tracer_know(tid);
    u32 i = index_of(tid);
    if (i < KNOWN)
        seized_with[i] = options | SEIZED | SEIZED_QUIETLY;
    tracer_host(PTRACE_INTERRUPT, tid, 0, 0);
    for (int tries = 0; tries < SEIZE_TRIES && look_at_stop(t, tid) == STOPPED_NOT; tries++)
        HOST2(__NR_nanosleep, &moment, NULL);
}

void tracer_attend(struct task *t)
{
    for (u32 i = 0; i < known_top; i++)
        if (known[i])
            tracer_still_runs(t, known[i]);
}
