// SPDX-License-Identifier: MIT
// Who runs under the engine `rewrite` with syscall user dispatch underneath: nobody, until code may
// come that is not clean; then every thread of the address space (docs/rewriting.md, "Clean code").
//
// Dispatch is the thread's own, so each must switch it on itself. One that is in lxcore does so at
// the door: dispatch() looks on the way in, the door on the way out. One in guest code is sent a
// SIGSYS, which no mask blocks. Only those: a blocking call of another would end with EINTR. The
// flag `inside` says which is which. The thread writes it and then looks at `wanted`, the caller
// writes `wanted` and then looks at the flag, and membarrier(2) is the barrier of both sides, so
// that one of them sees the other. The second membarrier lets each processor take the signal: no
// instruction of the guest runs between it and the handler. So nobody has to be waited for, stopped
// and traced threads neither.
#include <linux/membarrier.h>

#include "host.h"
#include "memory.h"
#include "task.h"
#include "trap.h"

// Of the SIGSYS that is sent: no code of the kernel's.
#define CODE_KICK (-0x6c78)

#define BLOCKS (LX_SIZE / TASK_BLOCK)

// One for each address space, also when a vfork child uses its parent's. Threads are known by their
// blocks, each a bit, so that a process that is killed leaves nothing half-done.
static struct {
    u32 shared;       // more than one thread has run here, and membarrier(2) is ready if need be
    u32 words;        // of block_used, that were ever written to
    u32 all_armed;    // or know that they have to
    struct lock lock; // held while others are armed or visited: their blocks stay
} runners;
static __attribute__((section(".bss.images"))) u64 block_used[BLOCKS / 64];

static u64 *word_of(const struct task *t, u64 *bit)
{
    u64 i = ((uptr)t - LX_BASE) / TASK_BLOCK;
    *bit = 1UL << i % 64;
    return &block_used[i / 64];
}

static void add(const struct task *t)
{
    u64 bit, *word = word_of(t, &bit);
    u32 words = (u32)(word - block_used) + 1;
    u32 seen = __atomic_load_n(&runners.words, __ATOMIC_RELAXED);
    while (seen < words && !__atomic_compare_exchange_n(&runners.words, &seen, words, false,
                                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
}

static long barrier(int command)
{
    return HOST3(__NR_membarrier, command, 0, 0);
}

bool task_is_watched(const struct task *t)
{
    return runners.shared && t->engine == ENGINE_REWRITE && memory_is_clean();
}

void task_announce(struct task *t, struct task *c)
{
    bool may_arm = t->engine == ENGINE_REWRITE && memory_is_clean();
    add(t);
    if (!runners.shared) {
        // Of its own kind, so that a program's use of the usual one is as it would be.
        if (may_arm && barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)) {
            task_need_engine(t);
            may_arm = false;
        }
        runners.all_armed = !may_arm;
        __atomic_store_n(&runners.shared, 1, __ATOMIC_SEQ_CST);
    }
    add(c);
}

void task_forget(struct task *t)
{
    if (!runners.shared)
        return;
    u64 bit, *word = word_of(t, &bit);
    __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&runners.lock.word, __ATOMIC_SEQ_CST))
        return;
    // Somebody is at it, who may have seen the bit.
    lock_take(&runners.lock);
    lock_drop(&runners.lock);
}

void task_forget_others(void)
{
    if (!runners.shared)
        return;
    memset(block_used, 0, runners.words * sizeof block_used[0]);
    memset(&runners, 0, sizeof runners);
}

void task_release_dead(u32 tid)
{
    lock_release_dead(&runners.lock, tid);
}

// The next one after *t, which begins as NULL.
static bool next_other(const struct task *me, struct task **t)
{
    u64 i = *t ? ((uptr)*t - LX_BASE) / TASK_BLOCK + 1 : 0;
    for (; i < (u64)runners.words * 64; i++) {
        u64 word = __atomic_load_n(&block_used[i / 64], __ATOMIC_SEQ_CST) >> i % 64;
        if (!word) {
            i |= 63;
            continue;
        }
        i += (u64)__builtin_ctzl(word);
        *t = (struct task *)(LX_BASE + i * TASK_BLOCK + TASK_AT);
        if (*t != me)
            return true;
    }
    return false;
}

void task_each_other(struct task *t, void (*visit)(struct task *o, void *arg), void *arg)
{
    if (!runners.shared)
        return;
    lock_take(&runners.lock);
    for (struct task *o = NULL; next_other(t, &o);)
        if (o->proc == t->proc)
            visit(o, arg);
    lock_drop(&runners.lock);
}

siginfo_t task_kick_info(struct task *t)
{
    siginfo_t info = {.si_signo = SIGSYS, .si_code = CODE_KICK};
    info.si_ptr = t;
    return info;
}

static void kick(struct task *t)
{
    siginfo_t info = task_kick_info(t);
    HOST4(__NR_rt_tgsigqueueinfo, t->proc->tgid, t->tid, SIGSYS, &info);
}

// Changes `wanted` of a thread, which may do so itself.
static bool advance(struct task *t, u32 from, u32 to)
{
    return __atomic_compare_exchange_n(&t->wanted, &from, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static void arm_others(const struct task *me)
{
    bool kicked = false;
    for (struct task *t = NULL; next_other(me, &t);)
        __atomic_store_n(&t->wanted, WANTED, __ATOMIC_SEQ_CST);
    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
    for (struct task *t = NULL; next_other(me, &t);) {
        if (__atomic_load_n(&t->inside, __ATOMIC_SEQ_CST) || !advance(t, WANTED, WANTED_KICKING))
            continue;
        kick(t);
        kicked = true;
    }
    if (!kicked)
        return;
    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
    for (struct task *t = NULL; next_other(me, &t);)
        advance(t, WANTED_KICKING, WANTED_KICKED);
}

void task_need_engine(struct task *t)
{
    if (t->engine != ENGINE_REWRITE)
        return;
    if (runners.shared) {
        lock_take(&runners.lock);
        memory_not_clean(); // for new threads
        if (!runners.all_armed)
            arm_others(t);
        runners.all_armed = 1;
        lock_drop(&runners.lock);
    } else {
        memory_not_clean();
    }
    if (!t->armed)
        trap_arm(t);
}

void task_follow_engine(struct task *t)
{
    if (runners.shared) // by threads of the child
        add(t);
    if (!t->armed && !memory_is_clean())
        trap_arm(t);
}

void task_arm_wanted(struct task *t)
{
    if (!t->armed)
        trap_arm(t);
    // A signal that is on its way must not end a call that comes later.
    while (!advance(t, WANTED, WANTED_NOT) && !advance(t, WANTED_KICKED, WANTED_NOT) &&
           __atomic_load_n(&runners.lock.word, __ATOMIC_RELAXED))
        HOST0(__NR_sched_yield);
}

void task_arm_kicked(struct task *t)
{
    if (!t->armed)
        trap_arm(t);
}

bool task_is_kick(const struct task *t, const siginfo_t *info)
{
    return info->si_code == CODE_KICK && info->si_ptr == t;
}
