// SPDX-License-Identifier: MIT
// AMX: the tiles of a program that may use them are the same behind a signal's handler with tiles
// of its own, behind signals at any moment, and while other threads use theirs. Where the processor
// has none there is nothing to see.
// covers: arch_prctl, rt_sigreturn
#include "check.h"
#include "sig.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/time.h>

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILE_DATA 18
#define SIGNALS 200
#define TILE 1024

static char tile[TILE] __attribute__((aligned(64)));
static char altstack[65536];
static volatile int seen;

static void load(const char *from)
{
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm0" : : "r"(from), "r"(64L) : "memory");
}

static void configure(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.bytes[i] = 64;
        c.rows[i] = TILE / 64;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(c) : "memory");
}

static int is_there(const char *expected)
{
    char now[TILE] __attribute__((aligned(64)));
    __asm__ volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(now), "r"(64L) : "memory");
    return !memcmp(now, expected, TILE);
}

// In a handler the tiles are as at the program's start.
static void handler(int sig)
{
    (void)sig;
    configure();
    __asm__ volatile("tilezero %tmm0");
    seen++;
}

static void *thread(void *arg)
{
    char own[TILE];
    (void)arg;
    configure();
    memset(own, 0x5a, TILE);
    load(own);
    for (int i = 0; i < 200; i++) {
        getppid();
        CHECK(is_there(own));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA))
        return done(); // ENOSYS, EOPNOTSUPP or EINVAL: there are none
    stack_t alt = {.ss_sp = altstack, .ss_size = sizeof altstack};
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
    CHECK_EQ(sigaltstack(&alt, NULL), 0);
    CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
    CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
    configure();
    for (int i = 0; i < TILE; i++)
        tile[i] = (char)(i * 7);
    load(tile);
    CHECK(is_there(tile));
    for (int i = 0; i < SIGNALS; i++) {
        CHECK_EQ(kill(getpid(), SIGUSR1), 0);
        CHECK(is_there(tile));
    }
    CHECK_EQ(seen, SIGNALS);
    struct itimerval every = {.it_interval = {.tv_usec = 300}, .it_value = {.tv_usec = 300}};
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, thread, NULL), 0);
    while (seen < 2 * SIGNALS) {
        getppid();
        CHECK(is_there(tile));
    }
    memset(&every, 0, sizeof every);
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK(is_there(tile));
    return done();
}
