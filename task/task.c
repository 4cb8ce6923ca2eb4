// SPDX-License-Identifier: MIT
// Threads' blocks, lxcore's arena, and making a thread ready to run guest code. What a task is:
// include/task.h; where signals find it: trap/signal.c.
#include <asm/prctl.h>
#include <linux/mman.h>

#include "host.h"
#include "memory.h"
#include "signal.h"
#include "task.h"
#include "trap.h"

#define AT(field, offset)                                                                          \
    _Static_assert(offsetof(struct task, field) == (offset), #field " as assembly sees it")
AT(self, T_SELF);
AT(stack, T_STACK);
AT(noted, T_NOTED);
AT(keeps, T_KEEPS);
AT(wanted, T_WANTED);
AT(vdso_sp, T_VDSO);
AT(regs.r15, T_R15);
AT(regs.r11, T_R11);
AT(regs.r8, T_R8);
AT(regs.rax, T_RAX);
AT(regs.rcx, T_RCX);
AT(regs.rdx, T_RDX);
AT(regs.rsi, T_RSI);
AT(regs.rdi, T_RDI);
AT(regs.orig_rax, T_ORIG_RAX);
AT(regs.rip, T_RIP);
AT(regs.eflags, T_EFLAGS);
AT(regs.rsp, T_RSP);
AT(inside, T_INSIDE);
AT(guest_gs, T_GUEST_GS);
_Static_assert(TASK_AT + sizeof(struct task_room) <= TASK_BLOCK, "they fit at the block's end");
_Static_assert(TASK_AT % 16 == 0, "the stack below is aligned");

__attribute__((section(".bss.first_block"))) char first_block[TASK_BLOCK];
__attribute__((section(".bss.first_objects"))) struct process_objects first_objects;

// The next place to try in the arena, in blocks; LX_SHARED lies behind the first few. One word for
// each address space, also when a vfork child allocates in its parent's.
static u32 arena_next;
#define BEHIND_SHARED                                                                              \
    ((u32)((LX_SHARED - LX_ARENA + sizeof(struct instance) + TASK_BLOCK - 1) / TASK_BLOCK))

// Blocks that are not used any more, for the next who needs one: a new mapping costs two calls,
// page faults, and an interruption of every processor that runs the process.
#define SPARE_BLOCKS 8
#define SPARE_CLAIMED 1 // by a thread that will leave its own
static uptr spare[SPARE_BLOCKS];

static void *map_blocks(size_t size)
{
    const u32 blocks = (LX_END - LX_ARENA) / TASK_BLOCK;
    u32 need = (u32)(size / TASK_BLOCK);
    for (u32 tries = 0; tries < blocks; tries += need) {
        u32 at = __atomic_fetch_add(&arena_next, need, __ATOMIC_RELAXED) % blocks;
        uptr addr = LX_ARENA + (uptr)at * TASK_BLOCK;
        if (at + need > blocks)
            continue;
        if (addr + size > LX_SHARED && addr < LX_SHARED + sizeof(struct instance)) {
            __atomic_store_n(&arena_next, BEHIND_SHARED, __ATOMIC_RELAXED);
            continue;
        }
        long r =
            host_mmap(addr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (r == (long)addr)
            return (void *)r;
        if (r != -EEXIST)
            return NULL;
    }
    return NULL;
}

// A block whose first `used` bytes are zero.
static void *take_block(size_t used)
{
    for (int i = 0; i < SPARE_BLOCKS; i++) {
        uptr block = __atomic_load_n(&spare[i], __ATOMIC_RELAXED);
        if (block > SPARE_CLAIMED &&
            __atomic_compare_exchange_n(&spare[i], &block, 0, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return memset((void *)block, 0, used);
    }
    return map_blocks(TASK_BLOCK);
}

// Puts value where a spare block could be; NULL when there are enough.
static uptr *fill_spare(uptr value)
{
    for (int i = 0; i < SPARE_BLOCKS; i++) {
        uptr free = 0;
        if (__atomic_compare_exchange_n(&spare[i], &free, value, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return &spare[i];
    }
    return NULL;
}

void *arena_alloc(size_t size)
{
    return size <= TASK_BLOCK ? take_block(size) : map_blocks(ALIGN_UP(size, (size_t)TASK_BLOCK));
}

void arena_free(void *p, size_t size)
{
    if (size > TASK_BLOCK || !fill_spare((uptr)p))
        host_munmap((uptr)p, ALIGN_UP(size, (size_t)TASK_BLOCK));
}

struct task *task_init(char *block)
{
    struct task *t = (struct task *)(block + TASK_AT);
    t->self = t;
    t->stack = t; // which grows down
    return t;
}

struct task *task_alloc(void)
{
    char *block = take_block(0);
    if (!block)
        return NULL;
    memset(block + TASK_AT, 0, sizeof(struct task));
    return task_init(block);
}

void task_free(struct task *t)
{
    arena_free((char *)t - TASK_AT, TASK_BLOCK);
}

uptr *task_claim_spare(void)
{
    return fill_spare(SPARE_CLAIMED);
}

void task_forget_claims(void)
{
    for (int i = 0; i < SPARE_BLOCKS; i++)
        if (spare[i] == SPARE_CLAIMED)
            spare[i] = 0;
}

void task_set_gs(struct task *t)
{
    if (t->proc->fsgsbase)
        __asm__ volatile("wrgsbase %0" : : "r"(t));
    else
        HOST2(__NR_arch_prctl, ARCH_SET_GS, t);
}

static void name_altstack(struct task *t)
{
    struct {
        void *sp;
        int flags;
        size_t size;
    } altstack = {(char *)t + TASK_ALTSTACK, 0, TASK_ALTSTACK_SIZE};
    HOST2(__NR_sigaltstack, &altstack, NULL);
}

static void arm(struct task *t)
{
    if (t->stats)
        t->stats = &t->instance->stats[t->tid % STATS_SHARDS];
    task_set_gs(t);
    trap_arm(t);
}

void task_arm(struct task *t)
{
    name_altstack(t);
    arm(t);
}

void task_arm_forked(struct task *t)
{
    if (t->engine == ENGINE_PTRACE) // by this call the tracer knows the block (cli/tracer.c)
        name_altstack(t);
    arm(t);
}

void task_child_start(struct task *t)
{
    task_set_gs(t);
    t->tid = (u32)host_gettid();
    if (t->proc->tgid == 0) { // a process of its own
        t->proc->tgid = t->tid;
        proc_register_new(t);
    }
    for (int sig = 1; t->reset_host_actions && sig <= 64; sig++)
        signal_set_host_action(t, sig);
    task_arm(t);
    signal_unblock(t);
}
