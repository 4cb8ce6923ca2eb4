// SPDX-License-Identifier: MIT
// Vector and floating-point registers survive signals whose handler clobbers them all: in plain
// code, at the exit of a call that raised the signal, and in a call that is interrupted. A handler
// starts with the initial x87 and MXCSR control words, whatever the interrupted code had set.
// covers: rt_sigaction, rt_sigreturn, tgkill, kill, read, setitimer
#include "vec.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

static atomic_int handled, stop;
static pid_t target;

static void handler(int sig)
{
    struct vec other, seen;
    uint32_t mxcsr;
    uint16_t fcw;

    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
    CHECK_EQ(mxcsr, 0x1f80);
    CHECK_EQ(fcw, 0x37f);
    vec_fill(&other, 0x77);
    CHECK_EQ(vec_call(&other, &seen, SYS_getppid, 0, 0, 0, 0), getppid());
    VEC_CHECK(&other, &seen);
    // and leaves with yet other contents
    __asm__ volatile("xrstor64 (%0)" : : "r"(&other), "a"(VEC_MASK), "d"(0) : VEC_CLOBBER);
    (void)sig;
    atomic_fetch_add(&handled, 1);
}

static void *sender(void *arg)
{
    (void)arg;
    while (!stop) {
        syscall(SYS_tgkill, getpid(), target, SIGUSR1);
        usleep(100);
    }
    return NULL;
}

// Holds the state in the registers until n more signals were handled.
static void hold(const struct vec *in, struct vec *out, int until)
{
    memset(out, 0, sizeof(*out));
    __asm__ volatile("mov %[mask], %%eax\n"
                     "xor %%edx, %%edx\n"
                     "xrstor64 (%[in])\n"
                     "1: pause\n"
                     "cmp %[until], (%[handled])\n"
                     "jl 1b\n"
                     "xsave64 (%[out])\n"
                     "fninit\n"
                     :
                     : [in] "r"(in), [out] "r"(out), [until] "r"(until), [handled] "r"(&handled),
                       [mask] "i"(VEC_MASK)
                     : "rax", "rdx", VEC_CLOBBER);
    __asm__ volatile("ldmxcsr %0" : : "m"((uint32_t){0x1f80}));
}

int main(void)
{
    struct vec in, out;
    pthread_t th;
    sigset_t usr1;
    int p[2];
    char c;

    CHECK(pipe(p) == 0);
    target = getpid();
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    for (int i = 0; i < 100; i++) { // delivered at the exit of the call
        vec_fill(&in, i);
        CHECK_EQ(vec_call(&in, &out, SYS_kill, getpid(), SIGUSR1, 0, 0), 0);
        CHECK_EQ(handled, i + 1);
        VEC_CHECK(&in, &out);
    }
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    CHECK(pthread_create(&th, NULL, sender, NULL) == 0);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    for (int i = 0; i < 50; i++) {
        vec_fill(&in, i);
        hold(&in, &out, handled + 5);
        VEC_CHECK(&in, &out);
    }
    // SA_RESTART is on: the read below goes on until SIGALRM's EINTR.
    struct sigaction sa = {.sa_handler = handler};
    struct itimerval soon = {.it_value.tv_usec = 50000, .it_interval.tv_usec = 50000};
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
    vec_fill(&in, 99);
    CHECK_EQ(vec_call(&in, &out, SYS_read, p[0], (long)&c, 1, 0), -EINTR);
    VEC_CHECK(&in, &out);
    stop = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
