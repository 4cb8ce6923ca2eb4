// SPDX-License-Identifier: MIT
// Stack overflow is survived by a SIGSEGV handler on the alternate stack, again and again, in the
// first thread and in others; without an alternate stack it kills, handler or not.
// covers: sigaltstack, rt_sigaction
#include "sig.h"
#include <setjmp.h>

static _Thread_local sigjmp_buf out;
static _Thread_local volatile char *fault;
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    greg_t sp = GREG(ctx, RSP);

    (void)sig;
    CHECK(si->si_addr >= (void *)(sp - 65536) && si->si_addr < (void *)(sp + 65536));
    fault = si->si_addr;
    __atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
    siglongjmp(out, 1);
}

__attribute__((noinline)) static int deep(volatile char *above)
{
    volatile char frame[4096];

    frame[0] = above[0];
    if (frame[0]) // never
        return 0;
    return deep(frame) + frame[1];
}

static void overflow(void)
{
    volatile char c = 0;

    if (sigsetjmp(out, 1) == 0)
        deep(&c);
    CHECK(fault && fault < &c);
}

static void *many(void *arg)
{
    static _Thread_local char alt[16384];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};

    CHECK(sigaltstack(&ss, NULL) == 0);
    for (int i = 0; i < 20; i++)
        overflow();
    return arg;
}

static void unprepared(void)
{
    volatile char c = 0;

    catch_info(SIGSEGV, handler, 0);
    deep(&c);
}

int main(void)
{
    struct rlimit lim = {1 << 20, 1 << 20};
    pthread_t th[4];
    int status;

    CHECK(setrlimit(RLIMIT_STACK, &lim) == 0); // the first stack grows up to this
    status = status_of(unprepared);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    catch_info(SIGSEGV, handler, SA_ONSTACK);
    many(NULL);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&th[i], NULL, many, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK_EQ(hits, 100);
    return done();
}
