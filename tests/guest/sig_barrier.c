// SPDX-License-Identifier: MIT
// Memory watched by faults, as garbage collectors do it: threads write to protected pages, the
// SIGSEGV handler opens the page and the write is repeated, under a storm of other signals and with
// system calls that meet the same pages (EFAULT, then opened by hand).
// covers: mprotect, rt_sigaction, rt_sigreturn, read
// timeout: 30
#include "sig.h"
#include <sys/mman.h>

#define PAGES 64
#define THREADS 4
static char *area;
static atomic_int faults, stop, others;

static void on_fault(int sig, siginfo_t *si, void *ctx)
{
    char *page = (char *)((uintptr_t)si->si_addr & -4096ul);

    (void)sig, (void)ctx;
    CHECK(page >= area && page < area + THREADS * PAGES * 4096 && si->si_code == SEGV_ACCERR);
    CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0);
    faults++;
}

static void on_other(int sig)
{
    (void)sig;
    others++;
    getppid();
}

static void *work(void *arg)
{
    char *mine = area + (long)arg * PAGES * 4096;
    int zero = OK(open("/dev/zero", O_RDONLY));

    while (!others) // the storm has begun
        sched_yield();
    for (int round = 1; round <= 20; round++) {
        CHECK(mprotect(mine, PAGES * 4096, PROT_READ) == 0);
        for (int i = 0; i < PAGES; i++) {
            volatile char *p = mine + i * 4096;

            if (i % 8 == 3) {
                CHECK_ERR(read(zero, (char *)p + 100, 10), EFAULT);
                CHECK(p[100] == (char)(round - 1));
            }
            p[100] = round;
            CHECK(p[100] == (char)round);
        }
    }
    close(zero);
    return NULL;
}

static void *sender(void *arg)
{
    while (!stop) {
        kill(getpid(), SIGUSR1);
        usleep(100);
    }
    return arg;
}

int main(void)
{
    pthread_t th[THREADS], s;

    area = mmap(NULL, THREADS * PAGES * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    catch_info(SIGSEGV, on_fault, SA_RESTART);
    signal(SIGUSR1, on_other);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&th[i], NULL, work, (void *)i) == 0);
    block(SIGUSR1);
    CHECK(pthread_create(&s, NULL, sender, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    stop = 1;
    CHECK(pthread_join(s, NULL) == 0);
    CHECK_EQ(faults, THREADS * PAGES * 20);
    CHECK(others > 0);
    return done();
}
