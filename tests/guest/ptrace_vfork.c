// SPDX-License-Identifier: MIT
// A vfork child that asks to be traced, as gdb's does: its tracer cannot let it go on before it has
// executed another program, and what it calls until then does not stop it.
// covers: ptrace
// args: x
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <stdbool.h>

static long traceme(void)
{
    return trace(PTRACE_TRACEME, 0, 0, 0);
}

static void executed(void)
{
    siginfo_t info;
    volatile long first = -1, second = -1, id = -1;
    volatile int error = 0;
    pid_t pid = vfork();
    if (!pid) {
        first = traceme();
        second = traceme();
        error = errno;
        signal(SIGUSR2, SIG_IGN);
        id = syscall(SYS_getpid);
        execl("/proc/self/no such file", "again", NULL);
        execl("/proc/self/exe", "again", "exit", NULL);
        _exit(99);
    }
    CHECK_EQ(first, 0);
    CHECK_EQ(second, -1);
    CHECK_EQ(error, EPERM);
    CHECK_EQ(id, pid);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, pid);
    TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
    CHECK_EQ(regs_of(pid).rax, 0);
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(44));
}

// It ends without a new program.
static void ended(void)
{
    pid_t pid = vfork();
    if (!pid) {
        traceme();
        _exit(traceme() < 0 ? 3 : 4);
    }
    WAIT_FOR(pid, EXITED(3));
}

static void execs_blocked(void)
{
    sigset_t trap;
    sigemptyset(&trap);
    sigaddset(&trap, SIGTRAP);
    sigprocmask(SIG_BLOCK, &trap, NULL);
    execl("/proc/self/exe", "again", "signal", NULL);
    _exit(99);
}

// It blocks the signal that tells of its new program, which waits.
static void blocked(bool later)
{
    pid_t pid;
    if (later) {
        pid = vfork();
        if (!pid) {
            traceme();
            execs_blocked();
        }
    } else {
        pid = traced(execs_blocked, 0);
        go(PTRACE_CONT, pid, 0);
    }
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(45));
}

// One that the tracer wants to see as an event is no signal.
static void as_event(void)
{
    pid_t pid = traced(execs_blocked, PTRACE_O_TRACEEXEC);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXEC));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(45));
}

// A child of its own has a tracer that runs.
static void forks(void)
{
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD); // for which it would stop
    pid_t pid = vfork();
    if (!pid) {
        int status = 0;
        sigprocmask(SIG_BLOCK, &ended, NULL);
        traceme();
        pid_t child = fork();
        if (!child) {
            if (traceme())
                _exit(5);
            raise(SIGSTOP);
            _exit(6);
        }
        waitpid(child, &status, 0);
        if (status != STOPPED(SIGSTOP))
            _exit(7);
        trace(PTRACE_CONT, child, 0, 0);
        waitpid(child, &status, 0);
        _exit(status == EXITED(6) ? 8 : 9);
    }
    WAIT_FOR(pid, EXITED(8));
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "exit"))
        _exit(44);
    if (argc > 1 && !strcmp(argv[1], "signal")) {
        sigset_t none;
        sigemptyset(&none);
        raise(SIGUSR1);
        sigprocmask(SIG_SETMASK, &none, NULL);
        _exit(45);
    }
    executed();
    ended();
    blocked(true);
    blocked(false);
    as_event();
    forks();
    return done();
}
