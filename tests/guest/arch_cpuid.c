// SPDX-License-Identifier: MIT
// CPUID in a program's own code says what it says in code that the program has just made, on each
// processor, in threads, signal handlers and children; it changes no other register. It obeys
// arch_prctl(ARCH_SET_CPUID), and a step over it ends behind it.
// covers: arch_prctl, sched_setaffinity
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "sig.h"
#include <asm/prctl.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <ucontext.h>

struct answer {
    uint64_t ax, bx, cx, dx, flags, si, di, r8;
};

// void own(uint64_t leaf, uint64_t subleaf, struct answer *to, uint64_t flags)
typedef void (*ask)(uint64_t leaf, uint64_t subleaf, struct answer *to, uint64_t flags);
void own(uint64_t leaf, uint64_t subleaf, struct answer *to, uint64_t flags);
extern const char own_end[], the_cpuid[], behind[];
__asm__(".pushsection .text\n"
        ".type own, @function\n"
        "own: push %rbx\n"
        "    mov %rdx, %r9\n"
        "    mov %rcx, %r10\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %rcx\n"
        "    mov $0x1111111111111111, %rbx\n"
        "    mov $0x2222222222222222, %rdx\n"
        "    mov $0x3333333333333333, %rsi\n"
        "    mov $0x4444444444444444, %rdi\n"
        "    mov $0x5555555555555555, %r8\n"
        "    mov %rbx, -8(%rsp)\n" // in the red zone
        "    push %r10; popf\n"
        "the_cpuid:\n"
        "    cpuid\n"
        "behind:\n"
        "    mov %rax, (%r9)\n"
        "    mov %rbx, 8(%r9)\n"
        "    mov %rcx, 16(%r9)\n"
        "    mov %rdx, 24(%r9)\n"
        "    pushf; pop 32(%r9)\n"
        "    mov %rsi, 40(%r9)\n"
        "    mov %rdi, 48(%r9)\n"
        "    mov %r8, 56(%r9)\n"
        "    pop %rbx\n"
        "    ret\n"
        "own_end:\n"
        ".size own, . - own\n"
        ".popsection\n");

#define FLAGS 0x202 // interrupts, and what is always 1
#define CARRY 1
#define STEP 0x100

// Leaf 0xd says what is enabled, 1 and 0xb which processor it is.
static const struct {
    uint32_t leaf, subleaf;
} leaves[] = {
    {0, 0},          {0, 77},         {1, 0},           {1, 123456},     {2, 0},
    {4, 0},          {4, 1},          {4, 2},           {4, 3},          {4, 99},
    {5, 0},          {6, 0},          {7, 0},           {7, 1},          {7, 2},
    {0xa, 0},        {0xb, 0},        {0xb, 1},         {0xb, 2},        {0xd, 0},
    {0xd, 1},        {0xd, 2},        {0x14, 0},        {0x15, 0},       {0x16, 0},
    {0x19, 0},       {0x1f, 0},       {0x1f, 1},        {0x20, 0},       {0x24, 0},
    {0x77, 0},       {0x40000000, 0}, {0x40000001, 0},  {0x80000000, 0}, {0x80000001, 5},
    {0x80000002, 0}, {0x80000006, 0}, {0x80000008, 0},  {0x8000001d, 1}, {0x8000001e, 0},
    {0x80000026, 0}, {0xc0000000, 0}, {0xffffffff, 99},
};
#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))

static ask made;

static void make(void)
{
    size_t n = (size_t)(own_end - (const char *)own);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    memcpy(p, (const void *)own, n);
    CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
    made = (ask)p;
}

static void same(const struct answer *a, const struct answer *b)
{
    CHECK_EQ(a->ax, b->ax);
    CHECK_EQ(a->bx, b->bx);
    CHECK_EQ(a->cx, b->cx);
    CHECK_EQ(a->dx, b->dx);
}

static void ask_all(ask from, struct answer *to)
{
    for (size_t i = 0; i < LEAVES; i++, to++) {
        memset(to, 0xff, sizeof(*to));
        uint64_t flags = FLAGS | (i % 2 ? CARRY : 0);
        from(leaves[i].leaf | (i % 3 ? 0x9999ul << 32 : 0), leaves[i].subleaf, to, flags);
        CHECK_EQ(to->flags, flags);
        CHECK(to->si == 0x3333333333333333 && to->di == 0x4444444444444444 &&
              to->r8 == 0x5555555555555555);
        CHECK(to->ax >> 32 == 0 && to->bx >> 32 == 0 && to->cx >> 32 == 0 && to->dx >> 32 == 0);
    }
}

static void on_this_processor(void)
{
    struct answer first[LEAVES], again[LEAVES], real[LEAVES];

    ask_all(own, first);
    ask_all(own, again);
    ask_all(made, real);
    for (size_t i = 0; i < LEAVES; i++) {
        same(&first[i], &real[i]);
        same(&again[i], &real[i]);
    }
}

static void on_each(void)
{
    cpu_set_t all, one;

    CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
        on_this_processor();
    }
    CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void *thread(void *arg)
{
    struct answer got[LEAVES];

    for (int i = 0; i < 50; i++)
        ask_all(own, got);
    on_each();
    return arg;
}

static void handler(int sig)
{
    struct answer got[LEAVES];

    (void)sig;
    ask_all(own, got);
}

static sigjmp_buf back;

static void fault(int sig, siginfo_t *info, void *uc)
{
    (void)sig;
    CHECK_EQ(info->si_code, SI_KERNEL);
    CHECK_EQ(((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP], (greg_t)(uintptr_t)the_cpuid);
    siglongjmp(back, 1);
}

// Processors can make it fault; not all can.
static void switched_off(void)
{
    struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
    struct answer got, real;

    own(7, 0, &real, FLAGS);
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0))
        return;
    OK(sigaction(SIGSEGV, &sa, NULL));
    if (!sigsetjmp(back, 1)) {
        own(7, 0, &got, FLAGS);
        CHECK(!"it faults");
    }
    CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1), 0);
    own(7, 0, &got, FLAGS);
    same(&got, &real);
}

static volatile uintptr_t stepped[64];
static volatile int steps;

static void step(int sig, siginfo_t *info, void *uc)
{
    greg_t *r = ((ucontext_t *)uc)->uc_mcontext.gregs;

    (void)sig;
    (void)info;
    stepped[steps++] = (uintptr_t)r[REG_RIP];
    if (r[REG_RIP] == (greg_t)(uintptr_t)behind || steps == 64)
        r[REG_EFL] &= ~(greg_t)STEP;
}

static void in_steps(void)
{
    struct sigaction sa = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    struct answer got, real;

    own(4, 1, &real, FLAGS);
    OK(sigaction(SIGTRAP, &sa, NULL));
    for (int i = 0; i < 2; i++) {
        steps = 0;
        own(4, 1, &got, FLAGS | STEP);
        CHECK_EQ(steps, 1); // behind the instruction that comes after popf
        CHECK_EQ(stepped[0], (uintptr_t)behind);
        same(&got, &real);
    }
}

// So does its tracer's.
uint32_t traced_cpuid(void); // EBX of leaf 4, 1
extern const char traced_at[], traced_behind[];
__asm__(".pushsection .text\n"
        ".type traced_cpuid, @function\n"
        "traced_cpuid: push %rbx\n"
        "    mov $4, %eax\n"
        "    mov $1, %ecx\n"
        "    int3\n"
        "traced_at: cpuid\n"
        "traced_behind: mov %ebx, %eax\n"
        "    pop %rbx\n"
        "    ret\n"
        ".size traced_cpuid, . - traced_cpuid\n"
        ".popsection\n");

static uintptr_t stopped_at(pid_t pid)
{
    struct user_regs_struct r;
    int status;

    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
    return r.rip;
}

static void traced(void)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        struct answer real;

        own(4, 1, &real, FLAGS);
        OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
        for (int i = 0; i < 3; i++)
            CHECK_EQ(traced_cpuid(), real.bx);
        _exit(0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(stopped_at(pid), (uintptr_t)traced_at);
        if (i < 2) {
            OK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
            CHECK_EQ(stopped_at(pid), (uintptr_t)traced_behind);
        }
        OK(ptrace(PTRACE_CONT, pid, 0, 0));
    }
    wait_ok(pid);
}

int main(void)
{
    struct answer before[LEAVES];
    pthread_t th[4];

    // Nothing that nobody knows has been run so far, and nothing is asked about processors.
    ask_all(own, before);
    pid_t pid = OK(fork());
    ask_all(own, before);
    if (pid == 0)
        _exit(0);
    wait_ok(pid);
    make();
    on_each();
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&th[i], NULL, thread, NULL), 0);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(pthread_kill(th[i % 4], SIGUSR1), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(th[i], NULL), 0);
    switched_off();
    traced();
    in_steps();
    return done();
}
