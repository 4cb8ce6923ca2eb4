// SPDX-License-Identifier: MIT
// Small helpers of the ptrace tests. linux/ptrace.h and sys/ptrace.h do not go together: requests
// are the kernel's, by the system call.
#ifndef GUEST_TRACE_H
#define GUEST_TRACE_H

#include "sig.h"
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/user.h>

#define PTRACE_GETREGS_ 12
#define PTRACE_SETREGS_ 13
#define PTRACE_GETFPREGS_ 14
#define PTRACE_ATTACH_ 16
#define PTRACE_DETACH_ 17
#define PTRACE_KILL_ 8
#define PTRACE_SYSEMU_ 31

static inline long trace(long request, pid_t pid, unsigned long addr, unsigned long data)
{
    return syscall(SYS_ptrace, request, (long)pid, addr, data);
}

#define TRACE(request, pid, addr, data)                                                            \
    CHECK_EQ(trace(request, pid, (unsigned long)(addr), (unsigned long)(data)), 0)

#define WAIT_FOR(pid, expected)                                                                    \
    do {                                                                                           \
        int status_;                                                                               \
        CHECK_EQ(waitpid(pid, &status_, __WALL), pid);                                             \
        CHECK_EQ(status_, expected);                                                               \
    } while (0)

#define STOPPED(sig) ((sig) << 8 | 0x7f)
#define EVENT(event) ((event) << 16 | SIGTRAP << 8 | 0x7f)
#define CALL (SIGTRAP | 0x80)
#define EXITED(code) ((code) << 8)

// A child that asks to be traced, stops, and runs fn; in its first stop, with these options.
static inline pid_t traced(void (*fn)(void), unsigned long options)
{
    pid_t pid;
    fflush(stdout);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        CHECK_EQ(trace(PTRACE_TRACEME, 0, 0, 0), 0);
        raise(SIGSTOP);
        fn();
        _exit(0);
    }
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    TRACE(PTRACE_SETOPTIONS, pid, 0, options);
    return pid;
}

// Time for the thread to run on, and not to stop. Under lxrun it does so while its tracer waits or
// asks (docs/ptrace.md).
static inline void let_run(pid_t pid, int ms)
{
    int status = -1;
    for (; ms > 0; ms--) {
        pid_t got = waitpid(pid, &status, __WALL | WNOHANG);
        CHECK_EQ(status, -1);
        CHECK_EQ(got, 0);
        sleep_us(1000);
    }
}

static inline struct user_regs_struct regs_of(pid_t pid)
{
    struct user_regs_struct r;
    TRACE(PTRACE_GETREGS_, pid, 0, &r);
    return r;
}

static inline void go(long request, pid_t pid, int sig)
{
    TRACE(request, pid, 0, sig);
}

static inline long peek(pid_t pid, const volatile void *addr)
{
    long word;
    TRACE(PTRACE_PEEKDATA, pid, addr, &word);
    return word;
}

// Goes on to the next stop at a system call, which must be that one.
static inline struct user_regs_struct next_call(pid_t pid, long nr)
{
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    struct user_regs_struct r = regs_of(pid);
    CHECK_EQ(r.orig_rax, nr);
    return r;
}

#endif
