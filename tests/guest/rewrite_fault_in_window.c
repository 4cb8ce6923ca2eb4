// SPDX-License-Identifier: MIT
// Loads and stores right before a `syscall`, which may be moved with it: a fault of one is told
// with its address in the program's own text, and a handler may make the page writable and return,
// go on behind the instruction, or jump away. Also when another signal comes between two of them.
// covers: rt_sigaction, rt_sigreturn, mprotect, getpid, getpgid, tgkill
#include "sig.h"
#include <setjmp.h>
#include <sys/mman.h>

#define PAGE 4096L
#define HUGE (1L << 21)
#define VALUE 0x123456789abcdefl
#define TF 0x100

// Each is `long f(char *page, long value, long number)`, and does the call with this number.
#define CODE(name, body)                                                                           \
    __asm__(".pushsection .text\n"                                                                 \
            ".type " #name ", @function\n" #name ":\n" body "\n    syscall\n    ret\n"             \
            ".size " #name ", .-" #name "\n.popsection");                                          \
    long name(char *page, long value, long number);
CODE(store_first, "mov %rsi, 8(%rdi); mov %edx, %eax")
CODE(store_later, "mov %edx, %eax; mov %rsi, 8(%rdi)")
CODE(store_alone, "mov %edx, %eax; mov %rsi, 0x88(%rdi)")
CODE(store_number, "mov %edx, %eax; movl $77, 8(%rdi)")
CODE(store_indexed, "mov %edx, %eax; mov %rsi, -16(%rdi,%rdx,8)")
CODE(store_vector, "movq %rsi, %xmm0; mov %edx, %eax; movups %xmm0, 8(%rdi)")
CODE(store_aligned, "movq %rsi, %xmm0; movaps %xmm0, 0x100(%rdi); mov %edx, %eax")
CODE(store_short, "push %rdx; pop %rax; mov %rsi, 8(%rdi)")
CODE(load_later, "mov %edx, %eax; mov 8(%rdi), %rdi")
CODE(load_signed, "mov %edx, %eax; movslq 0x88(%rdi), %rdi")
// Two stores in one window, to two pages.
CODE(store_twice, "lea -0x1000(%rdi), %rcx; mov %edx, %eax; mov %rsi, (%rdi); mov %rsi, (%rcx)")
#define SECOND 12 // where the second one is

static const struct access {
    const char *name;
    long (*code)(char *, long, long);
    int at, length; // of the instruction that faults
    int offset;     // in the page
    long value;
} accesses[] = {
    {"store_first", store_first, 0, 4, 8, VALUE},
    {"store_later", store_later, 2, 4, 8, VALUE},
    {"store_alone", store_alone, 2, 7, 0x88, VALUE},
    {"store_number", store_number, 2, 7, 8, 77},
    {"store_indexed", store_indexed, 2, 5, -16 + 8 * SYS_getpid, VALUE},
    {"store_vector", store_vector, 7, 4, 8, VALUE},
    {"store_aligned", store_aligned, 5, 7, 0x100, VALUE},
    {"store_short", store_short, 2, 4, 8, VALUE},
    {"load_later", load_later, 2, 4, 8, 0},
    {"load_signed", load_signed, 2, 7, 0x88, 0},
};

static const struct access *now;
static char *page;
static enum { ALLOW, SKIP, JUMP_OUT } answer;
static volatile int faults, steps;
static sigjmp_buf out;

static void on_fault(int sig, siginfo_t *si, void *ctx)
{
    faults++;
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ(si->si_code, SEGV_ACCERR);
    CHECK_EQ((long)si->si_addr, (long)(page + now->offset));
    CHECK_EQ(GREG(ctx, CR2), (long)(page + now->offset));
    CHECK_EQ(GREG(ctx, RIP), (long)now->code + now->at);
    CHECK_EQ(GREG(ctx, RDI), (long)page);
    CHECK_EQ(GREG(ctx, RSI), VALUE);
    CHECK_EQ(!(GREG(ctx, EFL) & TF), !steps);
    if (answer == ALLOW)
        CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    else if (answer == SKIP)
        GREG(ctx, RIP) += now->length;
    else
        siglongjmp(out, 1);
}

// 0: the handler jumped away.
static long call(const struct access *a, long number)
{
    return sigsetjmp(out, 1) ? 0 : a->code(page, VALUE, number);
}

static void try_one(const struct access *a, int prot)
{
    int load = !a->value;
    long number = load ? SYS_getpgid : SYS_getpid;
    long was = load ? getpid() : -1, result;

    if (load && prot != PROT_NONE)
        return;
    now = a;
    CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    memset(page, 0, PAGE);
    memcpy(page + a->offset, &was, sizeof(was));
    CHECK_EQ(mprotect(page, PAGE, prot), 0);
    faults = 0;
    result = call(a, number);
    CHECK_EQ(faults, 1);
    CHECK(!is_blocked(SIGSEGV) && !is_blocked(SIGUSR2));
    if (answer == JUMP_OUT)
        CHECK_EQ(result, 0);
    else if (!load)
        CHECK_EQ(result, getpid());
    else if (answer == ALLOW)
        CHECK_EQ(result, getpgrp());
    else // getpgid of the page's address
        CHECK_EQ(result, -ESRCH);
    if (answer != ALLOW) // it has protected the page still
        CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    memcpy(&was, page + a->offset, sizeof(was));
    if (!load && answer == ALLOW)
        CHECK_EQ(a->value == VALUE ? was : (int)was, a->value);
    else
        CHECK_EQ(was, load ? getpid() : -1);
    result = a->code(page, VALUE, number); // and without a fault
    CHECK_EQ(result, load ? getpgrp() : getpid());
    CHECK_EQ(faults, 1);
}

// ---- A program that steps itself ----

static void on_step(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    steps++;
}

static void step(void)
{
    const struct access *a = &accesses[1];
    long result;

    catch_info(SIGTRAP, on_step, 0);
    now = a;
    answer = ALLOW;
    faults = 0;
    CHECK_EQ(mprotect(page, PAGE, PROT_NONE), 0);
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "pushfq\n"
                     "orl $0x100, (%%rsp)\n"
                     "popfq\n"
                     "call *%%rbx\n"
                     "pushfq\n"
                     "andl $~0x100, (%%rsp)\n"
                     "popfq\n"
                     "lea 128(%%rsp), %%rsp\n"
                     : "=a"(result)
                     : "b"(a->code), "D"(page), "S"(VALUE), "d"((long)SYS_getpid)
                     : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
    CHECK_EQ(result, getpid());
    CHECK_EQ(faults, 1);
    CHECK(steps > 3);
    CHECK_EQ(*(long *)(page + a->offset), VALUE);
}

// ---- Nobody handles it ----

static void die(void)
{
    signal(SIGSEGV, SIG_DFL);
    mprotect(page, PAGE, PROT_NONE);
    store_later(page, VALUE, SYS_getpid);
}

// ---- Another signal comes first, between the two stores ----

static char *two;
static volatile int stop, ticks;
extern char __executable_start[], etext[];

static void on_tick(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    ticks++;
    CHECK(GREG(ctx, RIP) >= (long)__executable_start && GREG(ctx, RIP) < (long)etext);
    CHECK(!sigismember(&((ucontext_t *)ctx)->uc_sigmask, SIGUSR2));
}

static void on_second(int sig, siginfo_t *si, void *ctx)
{
    (void)sig;
    faults++;
    CHECK_EQ((long)si->si_addr, (long)(two - PAGE));
    CHECK_EQ(GREG(ctx, RIP), (long)store_twice + SECOND);
    CHECK(!sigismember(&((ucontext_t *)ctx)->uc_sigmask, SIGUSR1));
    CHECK(!sigismember(&((ucontext_t *)ctx)->uc_sigmask, SIGUSR2));
    CHECK_EQ(mprotect(two - PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
}

static void *send(void *arg)
{
    while (!stop) {
        syscall(SYS_tgkill, getpid(), *(pid_t *)arg, SIGUSR1);
        sched_yield();
    }
    return NULL;
}

static void mixed(void)
{
    pthread_t thread;
    pid_t me = tid();

    // The first store's fault shall take its time: it clears a huge page, where there are any.
    two = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(two != MAP_FAILED);
    two = (char *)(((long)two + 2 * HUGE - 1) & -HUGE);
    madvise(two, HUGE, MADV_HUGEPAGE);
    catch_info(SIGSEGV, on_second, 0);
    catch_info(SIGUSR1, on_tick, 0);
    CHECK_EQ(pthread_create(&thread, NULL, send, &me), 0);
    while (!ticks)
        sched_yield();
    for (int i = 1; i <= 500; i++) {
        faults = 0;
        CHECK_EQ(madvise(two, HUGE, MADV_DONTNEED), 0);
        CHECK_EQ(mprotect(two - PAGE, PAGE, PROT_READ), 0);
        CHECK_EQ(store_twice(two, i, SYS_getpid), getpid());
        CHECK_EQ(faults, 1);
        CHECK(*(long *)two == i && *(long *)(two - PAGE) == i);
    }
    stop = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(void)
{
    static const int prots[] = {PROT_NONE, PROT_READ};

    page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    catch_info(SIGSEGV, on_fault, 0);
    for (answer = ALLOW; answer <= JUMP_OUT; answer++)
        for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
            for (int k = 0; k < 2; k++)
                try_one(&accesses[i], prots[k]);
    step();
    CHECK_EQ(WTERMSIG(status_of(die)), SIGSEGV);
    mixed();
    return done();
}
