// SPDX-License-Identifier: MIT
// setcontext and swapcontext out of a handler, and a preemptive switch between coroutines: each
// handler run leaves one stack and resumes another one that was interrupted the same way.
// covers: rt_sigprocmask, rt_sigaction, setitimer
#include "sig.h"
#include <sys/mman.h>
#include <sys/time.h>

#define COROUTINES 4
#define SWITCHES 200

static ucontext_t main_ctx, ctx[COROUTINES], back;
static volatile int current, switches, finished[COROUTINES];
static volatile long work[COROUTINES];

static void leave(int sig)
{
    (void)sig;
    setcontext(&back);
    CHECK(!"setcontext returned");
}

static void preempt(int sig)
{
    int from = current, to = (from + 1) % COROUTINES;

    (void)sig;
    if (switches == SWITCHES)
        return; // from now on they end, and the next one may have
    switches++;
    current = to;
    CHECK(swapcontext(&ctx[from], &ctx[to]) == 0);
}

static void coroutine(int me)
{
    double sum = 0;

    unblock(SIGALRM);
    while (switches < SWITCHES) {
        CHECK_EQ(current, me);
        CHECK(getppid() > 0);
        work[me]++;
        sum += work[me] * 0.5;
    }
    block(SIGALRM);
    CHECK(sum == work[me] * (work[me] + 1.0) / 4);
    finished[me] = 1;
    for (int i = 0; i < COROUTINES; i++)
        if (!finished[i]) {
            current = i;
            setcontext(&ctx[i]);
        }
    setcontext(&main_ctx);
}

int main(void)
{
    struct itimerval itv = {{0, 500}, {0, 500}};
    volatile int times = 0;

    signal(SIGUSR1, leave);
    getcontext(&back);
    CHECK(!is_blocked(SIGUSR1)); // setcontext restored the mask
    if (times++ < 1000) {
        raise(SIGUSR1);
        CHECK(!"raise returned");
    }
    signal(SIGALRM, preempt);
    // A context that let the signal in would be saved over while it is being resumed.
    block(SIGALRM);
    for (int i = 0; i < COROUTINES; i++) {
        getcontext(&ctx[i]);
        ctx[i].uc_stack.ss_size = 65536;
        ctx[i].uc_stack.ss_sp =
            mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(ctx[i].uc_stack.ss_sp != MAP_FAILED);
        makecontext(&ctx[i], (void (*)(void))coroutine, 1, i);
    }
    CHECK(setitimer(ITIMER_REAL, &itv, NULL) == 0);
    volatile int started = 0;
    getcontext(&main_ctx);
    if (!started++)
        setcontext(&ctx[0]);
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
    for (int i = 0; i < COROUTINES; i++)
        CHECK(finished[i] && work[i] > 0);
    return done();
}
