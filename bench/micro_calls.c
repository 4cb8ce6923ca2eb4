// SPDX-License-Identifier: MIT
// Calls without a file behind them, signals, and plain computation.
#include "micro.h"

#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static void run_getpid(long n)
{
    while (n--)
        getpid();
}

static void run_getppid(long n)
{
    while (n--)
        getppid();
}

static void run_getuid(long n)
{
    while (n--)
        getuid();
}

static void run_umask(long n)
{
    while (n--)
        umask(022);
}

// By the function for all calls, whose `syscall` instruction follows a load from the stack.
static void run_libc_syscall(long n)
{
    while (n--)
        MUST(syscall(SYS_getppid));
}

// As a system call: libc's own would ask the vDSO.
static void run_clock(long n)
{
    struct timespec t;
    while (n--)
        if (RAW(SYS_clock_gettime, CLOCK_MONOTONIC, &t, 0, 0))
            die("clock_gettime");
}

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
    caught += sig == SIGUSR1;
}

static void prepare_signal(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    MUST(sigaction(SIGUSR1, &sa, NULL));
}

static void run_sigaction(long n)
{
    struct sigaction sa = {.sa_handler = on_signal};
    while (n--)
        MUST(sigaction(SIGUSR1, &sa, NULL));
}

// Of a signal that has a handler, in a process with one thread: the case that can be answered
// without the host.
static void run_sigprocmask(long n)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (n--)
        MUST(sigprocmask(n & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL));
}

static void run_signal(long n)
{
    pid_t me = getpid();
    caught = 0;
    for (long i = 0; i < n; i++)
        MUST(kill(me, SIGUSR1));
    if (caught != n)
        die("signals were lost");
}

// Steps over the store that faulted (`movb $0,(%rax)`, three bytes).
static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
    caught++;
}

static void prepare_segv(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    MUST(sigaction(SIGSEGV, &sa, NULL));
}

static void run_segv(long n)
{
    caught = 0;
    for (long i = 0; i < n; i++)
        __asm__ volatile("movb $0, (%0)" : : "a"(8L) : "memory");
    if (caught != n)
        die("faults were lost");
}

enum { STEPS = 1000 }; // of a computation, per operation

static volatile uint64_t integer_result;
static volatile double float_result;

static void run_integer(long n)
{
    uint64_t x = 88172645463325252;
    while (n--)
        for (int i = 0; i < STEPS; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
    integer_result = x;
}

static void run_float(long n)
{
    double x = 0.5;
    while (n--)
        for (int i = 0; i < STEPS; i++)
            x = 3.7 * x * (1 - x); // chaotic, stays in (0, 1)
    if (!(x > 0 && x < 1))
        die("wrong result");
    float_result = x;
}

const struct work call_works[] = {
    {"getpid", run_getpid, NULL},
    {"getppid", run_getppid, NULL},
    {"getuid", run_getuid, NULL},
    {"umask", run_umask, NULL},
    {"sigaction", run_sigaction, NULL},
    {"sigprocmask", run_sigprocmask, prepare_signal},
    {"libc-syscall", run_libc_syscall, NULL},
    {"clock_gettime", run_clock, NULL},
    {"signal", run_signal, prepare_signal},
    {"segv", run_segv, prepare_segv},
    {"integer", run_integer, NULL},
    {"float", run_float, NULL},
    {0},
};
