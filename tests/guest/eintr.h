// SPDX-License-Identifier: MIT
// Interrupts a blocking call with a handled signal, with and without SA_RESTART, and compares what
// happens with signal(7). Nothing depends on timing: a second thread sends SIGUSR1 again and again
// until the call has returned, or until the handler has run three times *inside* the call, which
// its saved RIP tells; only then does it make the call succeed.
#ifndef GUEST_EINTR_H
#define GUEST_EINTR_H

#include "check.h"
#include "rawcall.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

enum eintr_kind {
    NEVER,     // EINTR whatever the flags
    RESTARTS,  // EINTR without SA_RESTART, goes on with it
    ALWAYS_ON, // goes on even without SA_RESTART
};

#define ANY LONG_MIN // any result that is no error

struct eintr {
    const char *name;
    enum eintr_kind kind;
    long (*call)(void);  // blocks in raw(); the raw result
    void (*wake)(void);  // lets the call succeed; runs in the other thread
    long wants;          // result once woken
    void (*setup)(void); // before each run
};

static struct {
    const struct eintr *test;
    pid_t target;
    int wake_after; // handler runs inside the call, 0: never
    atomic_int inside, interrupted, returned;
} eintr_now;

static void eintr_handler(int sig, siginfo_t *si, void *ctx)
{
    const greg_t *regs = ((ucontext_t *)ctx)->uc_mcontext.gregs;

    (void)sig, (void)si;
    if (regs[REG_RIP] == (greg_t)raw_insn)
        atomic_fetch_add(&eintr_now.inside, 1);
    else if (regs[REG_RIP] == (greg_t)raw_next && regs[REG_RAX] == -EINTR)
        atomic_fetch_add(&eintr_now.interrupted, 1);
}

static void *eintr_pester(void *arg)
{
    (void)arg;
    while (!eintr_now.returned) {
        if (eintr_now.wake_after && eintr_now.inside >= eintr_now.wake_after) {
            eintr_now.test->wake();
            break;
        }
        syscall(SYS_tgkill, getpid(), eintr_now.target, SIGUSR1);
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
    return NULL;
}

static inline long eintr_run(const struct eintr *t, int flags, int wake_after)
{
    struct sigaction sa = {.sa_sigaction = eintr_handler, .sa_flags = SA_SIGINFO | flags};
    sigset_t usr1, old;
    pthread_t th;
    long ret;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    if (t->setup)
        t->setup();
    eintr_now.test = t;
    eintr_now.target = syscall(SYS_gettid);
    eintr_now.wake_after = wake_after;
    eintr_now.inside = eintr_now.interrupted = eintr_now.returned = 0;
    // The pestering thread starts with SIGUSR1 blocked, so that only the target runs the handler.
    CHECK(pthread_sigmask(SIG_BLOCK, &usr1, &old) == 0);
    CHECK(pthread_create(&th, NULL, eintr_pester, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    ret = t->call();
    eintr_now.returned = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return ret;
}

static inline void eintr_expect(const struct eintr *t, const char *flags, long ret, int interrupted)
{
    // The handler that ended the call saw the result already in RAX.
    int good = interrupted       ? ret == -EINTR && eintr_now.interrupted >= 1
               : t->wants == ANY ? ret >= 0
                                 : ret == t->wants;

    if (!good) {
        fflush(stdout);
        dprintf(2, "%s, %s: returned %ld\n", t->name, flags, ret);
        _exit(1);
    }
}

static inline void eintr_test(const struct eintr *tests, int n)
{
    for (const struct eintr *t = tests; t < tests + n; t++) {
        int on = t->kind == ALWAYS_ON;

        eintr_expect(t, "without SA_RESTART", eintr_run(t, 0, on ? 3 : 0), !on);
        eintr_expect(t, "with SA_RESTART", eintr_run(t, SA_RESTART, t->kind == NEVER ? 0 : 3),
                     t->kind == NEVER);
        printf("%s: %s\n", t->name,
               (const char *[]){"always EINTR", "SA_RESTART decides", "always restarts"}[t->kind]);
    }
}

#define EINTR_TEST(tests) eintr_test(tests, sizeof(tests) / sizeof((tests)[0]))

#endif
