// SPDX-License-Identifier: MIT
// Small helpers of the signal and process tests.
#ifndef GUEST_SIG_H
#define GUEST_SIG_H

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#define GREG(ctx, r) (((ucontext_t *)(ctx))->uc_mcontext.gregs[REG_##r])

// The wait status of a child that runs fn, then exits with 0. It dumps no core.
static inline int status_of(void (*fn)(void))
{
    int status;
    pid_t pid;

    fflush(stdout);
    CHECK((pid = fork()) >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};

        setrlimit(RLIMIT_CORE, &none);
        fn();
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static inline void catch_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static inline sigset_t sigset_of(int sig)
{
    sigset_t set;

    sigemptyset(&set);
    if (sig)
        sigaddset(&set, sig);
    return set;
}

static inline void block(int sig)
{
    sigset_t set = sigset_of(sig);

    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static inline void unblock(int sig)
{
    sigset_t set = sigset_of(sig);

    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static inline int is_blocked(int sig)
{
    sigset_t set;

    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
    return sigismember(&set, sig);
}

static inline int is_pending(int sig)
{
    sigset_t set;

    CHECK(sigpending(&set) == 0);
    return sigismember(&set, sig);
}

static inline pid_t tid(void)
{
    return syscall(SYS_gettid);
}

static inline void sleep_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

// SIGALRM all the time, with a period that grows when the program gets nowhere between the signals:
// under a slow layer each handler may end when the next signal is there already. The program counts
// `pace_progress` up, the handler calls pace_tick().
static volatile long pace_progress;
static long pace_us;

static inline void pace_start(long us)
{
    struct itimerval it = {{0, us}, {0, us}};

    pace_us = us;
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

static inline void pace_tick(void)
{
    static long seen, stuck;

    if (seen != pace_progress)
        stuck = 0;
    else if (++stuck % 20 == 0 && pace_us)
        pace_start(pace_us * 2);
    seen = pace_progress;
}

#endif
