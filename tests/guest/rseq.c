// SPDX-License-Identifier: MIT
// Restartable sequences: libc has registered each thread's area, the kernel keeps the processor
// number in it, a second registration is refused, and a critical section that a signal interrupts
// is left through its abort handler.
// covers: rseq, getcpu
#include "sig.h"
#include <sched.h>
#include <sys/rseq.h>

#define SIG 0x53053053

static struct rseq *area(void)
{
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static atomic_int stop;
static pid_t target;

static void handler(int sig)
{
    (void)sig;
    CHECK(area()->rseq_cs == 0); // already left when the handler runs
}

static void *sender(void *arg)
{
    while (!stop) {
        syscall(SYS_tgkill, getpid(), target, SIGUSR1);
        usleep(200);
    }
    return arg;
}

static void registered(void)
{
    unsigned cpu;

    CHECK(__rseq_size > 0);
    for (int i = 0; i < 1000; i++)
        CHECK(area()->cpu_id < 4096 && area()->cpu_id_start < 4096);
    do
        CHECK(getcpu(&cpu, NULL) == 0);
    while (cpu != area()->cpu_id); // may have moved in between
    CHECK_EQ(syscall(SYS_rseq, area(), 32, 0, 1), -1);
    CHECK(errno == EPERM || errno == EINVAL); // another signature
    CHECK_ERR(syscall(SYS_rseq, area(), 32, 0, SIG), EBUSY);
    CHECK_ERR(syscall(SYS_rseq, area(), 31, 0, SIG), EINVAL);
    CHECK_ERR(syscall(SYS_rseq, area(), 32, 8, SIG), EINVAL);
}

static void *thread(void *arg)
{
    registered();
    return arg;
}

// Spins inside a critical section until it is aborted.
static int section(void)
{
    int aborted;
    struct rseq *rs = area();

    __asm__ volatile(".pushsection __rseq_cs_test, \"aw\"\n"
                     ".balign 32\n"
                     "3: .long 0, 0\n"
                     "   .quad 1f, 2f - 1f, 4f\n"
                     ".popsection\n"
                     "lea 3b(%%rip), %%rax\n"
                     "mov %%rax, 8(%[rs])\n"
                     "1: mov $400000000, %%ecx\n"
                     "5: dec %%ecx\n"
                     "jnz 5b\n"
                     "2: xor %[aborted], %[aborted]\n"
                     "jmp 6f\n"
                     ".long 0x53053053\n"
                     "4: mov $1, %[aborted]\n"
                     "6:\n"
                     : [aborted] "=&r"(aborted)
                     : [rs] "r"(rs)
                     : "rax", "rcx", "memory", "cc");
    rs->rseq_cs = 0;
    return aborted;
}

int main(void)
{
    pthread_t th;
    int aborted = 0;

    registered();
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    target = tid();
    signal(SIGUSR1, handler);
    block(SIGUSR1);
    CHECK(pthread_create(&th, NULL, sender, NULL) == 0);
    unblock(SIGUSR1);
    for (int i = 0; i < 20; i++)
        aborted += section();
    CHECK_EQ(aborted, 20);
    stop = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
