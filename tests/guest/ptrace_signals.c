// SPDX-License-Identifier: MIT
// A tracer sees each signal before it is delivered, ignored ones too; it may take it away, give
// another, and change what it says. A call that a signal has ended is made again if it would be.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"

static volatile sig_atomic_t got, code, value;
static int fd[2];

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    got = sig;
    code = info->si_code;
    value = info->si_value.sival_int;
}

static void raises(void)
{
    catch_info(SIGUSR1, handler, 0);
    catch_info(SIGUSR2, handler, 0);
    raise(SIGUSR1);
    _exit(got);
}

static pid_t at_signal(void (*fn)(void), int sig)
{
    pid_t pid = traced(fn, 0);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(sig));
    return pid;
}

static void taken_given(void)
{
    siginfo_t info;
    pid_t pid = at_signal(raises, SIGUSR1);
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_TKILL);
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_uid, getuid());
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));

    pid = at_signal(raises, SIGUSR1);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(0));

    pid = at_signal(raises, SIGUSR1);
    go(PTRACE_CONT, pid, SIGUSR2);
    WAIT_FOR(pid, EXITED(SIGUSR2));

    pid = at_signal(raises, SIGUSR1);
    go(PTRACE_CONT, pid, SIGTERM);
    WAIT_FOR(pid, SIGTERM);

    pid = at_signal(raises, SIGUSR1);
    CHECK_EQ(trace(PTRACE_CONT, pid, 0, 65), -1);
    CHECK_EQ(errno, EIO);
    go(PTRACE_KILL_, pid, 0);
    WAIT_FOR(pid, SIGKILL);
}

static void says(void)
{
    catch_info(SIGUSR1, handler, 0);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 5});
    _exit(got == SIGUSR1 && code == SI_QUEUE ? value : 99);
}

static void says_other(void)
{
    siginfo_t info;
    pid_t pid = at_signal(says, SIGUSR1);
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK_EQ(info.si_value.sival_int, 5);
    info.si_value.sival_int = 6;
    TRACE(PTRACE_SETSIGINFO, pid, 0, &info);
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(6));
}

static void ignores(void)
{
    signal(SIGUSR1, SIG_IGN);
    block(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGWINCH);
    raise(SIGUSR2); // not seen while it is blocked
    _exit(is_pending(SIGUSR2) ? 4 : 5);
}

static void ignored(void)
{
    pid_t pid = at_signal(ignores, SIGUSR1);
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, STOPPED(SIGWINCH));
    go(PTRACE_CONT, pid, SIGWINCH);
    WAIT_FOR(pid, EXITED(4));
}

// Signals that come from outside while the thread waits in a call.
static void reads(void)
{
    char c = 0;
    catch_info(SIGUSR1, handler, 0);
    catch_info(SIGUSR2, handler, SA_RESTART);
    long n = read(fd[0], &c, 1);
    _exit(n == 1 && c == 'x' ? 10 + got : errno == EINTR ? 50 + got : 99);
}

static pid_t reading(void (*fn)(void), int sig)
{
    CHECK_EQ(pipe(fd), 0);
    pid_t pid = traced(fn, 0);
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 50);
    CHECK_EQ(kill(pid, sig), 0);
    WAIT_FOR(pid, STOPPED(sig));
    return pid;
}

static void write_and_close(void)
{
    CHECK_EQ(write(fd[1], "x", 1), 1);
    close(fd[0]);
    close(fd[1]);
}

static void in_a_call(void)
{
    siginfo_t info;
    pid_t pid = reading(reads, SIGUSR1);
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, getpid());
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(50 + SIGUSR1));
    write_and_close();

    pid = reading(reads, SIGUSR1); // taken away: nothing has happened
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    write_and_close();
    WAIT_FOR(pid, EXITED(10));

    pid = reading(reads, SIGUSR2);
    go(PTRACE_CONT, pid, SIGUSR2);
    let_run(pid, 20);
    write_and_close();
    WAIT_FOR(pid, EXITED(10 + SIGUSR2));

    pid = reading(reads, SIGCHLD); // ignored by default
    go(PTRACE_CONT, pid, SIGCHLD);
    let_run(pid, 20);
    write_and_close();
    WAIT_FOR(pid, EXITED(10));

    pid = reading(reads, SIGTERM);
    go(PTRACE_CONT, pid, SIGTERM);
    WAIT_FOR(pid, SIGTERM);
    write_and_close();

    pid = reading(reads, SIGSTOP);
    go(PTRACE_CONT, pid, 0);
    write_and_close();
    WAIT_FOR(pid, EXITED(10));
}

static void suspends(void)
{
    sigset_t none;
    catch_info(SIGUSR1, handler, SA_RESTART);
    block(SIGUSR1);
    sigemptyset(&none);
    CHECK_EQ(sigsuspend(&none), -1);
    CHECK_EQ(errno, EINTR);
    CHECK(is_blocked(SIGUSR1));
    _exit(got);
}

static void sleeps(void)
{
    struct timespec ts = {2, 0}; // on a busy machine let_run() takes long
    CHECK_EQ(nanosleep(&ts, NULL), 0);
    _exit(1);
}

static void waits(void)
{
    pid_t pid = reading(suspends, SIGUSR1);
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));
    write_and_close();

    pid = reading(suspends, SIGUSR1); // taken away: it waits on
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));
    write_and_close();

    pid = reading(sleeps, SIGWINCH);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(1));
    write_and_close();
}

// In guest code, while it computes.
static volatile long counted;
static void computes(void)
{
    catch_info(SIGUSR1, handler, 0);
    while (!got)
        counted++;
    _exit(got);
}

static void in_code(void)
{
    CHECK_EQ(pipe(fd), 0);
    pid_t pid = traced(computes, 0);
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 50);
    kill(pid, SIGUSR1);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    CHECK_EQ(regs_of(pid).orig_rax, -1);
    CHECK(peek(pid, &counted) > 0);
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    kill(pid, SIGUSR1);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));
    close(fd[0]), close(fd[1]);
}

// Faults, and a handler for them.
static void faults(void)
{
    catch_info(SIGSEGV, handler, SA_RESETHAND);
    *(volatile char *)8 = 1; // the handler returns to it
    _exit(0);
}

static void faulty(void)
{
    siginfo_t info;
    pid_t pid = at_signal(faults, SIGSEGV);
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SEGV_MAPERR);
    CHECK_EQ(info.si_addr, 8);
    go(PTRACE_CONT, pid, SIGSEGV);
    WAIT_FOR(pid, STOPPED(SIGSEGV));
    go(PTRACE_CONT, pid, SIGSEGV);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

// A stop signal that the tracer lets through stops the whole group, which is told.
static void group(void)
{
    siginfo_t info;
    pid_t pid = traced(raises, 0);
    go(PTRACE_CONT, pid, SIGSTOP);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    CHECK_EQ(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), -1);
    CHECK_EQ(errno, EINVAL);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));
}

static void masks(void)
{
    unsigned long mask = 0, want = 1UL << (SIGUSR1 - 1);
    pid_t pid = traced(raises, 0);
    TRACE(PTRACE_GETSIGMASK, pid, 8, &mask);
    CHECK_EQ(mask, 0);
    CHECK_EQ(trace(PTRACE_GETSIGMASK, pid, 4, (unsigned long)&mask), -1);
    CHECK_EQ(errno, EINVAL);
    TRACE(PTRACE_SETSIGMASK, pid, 8, &want);
    TRACE(PTRACE_GETSIGMASK, pid, 8, &mask);
    CHECK_EQ(mask, want);
    go(PTRACE_CONT, pid, 0); // the signal is blocked now
    WAIT_FOR(pid, EXITED(0));
}

static void ends(void)
{
}

// What waits is shown with who has sent it.
static void waiting(void)
{
    sigset_t set, old;
    siginfo_t info = {0};
    struct ptrace_peeksiginfo_args what = {.nr = 1};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    pid_t pid = traced(ends, 0);
    CHECK_EQ(syscall(SYS_tgkill, pid, pid, SIGUSR1), 0);
    CHECK_EQ(trace(PTRACE_PEEKSIGINFO, pid, (uintptr_t)&what, (uintptr_t)&info), 1);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_TKILL);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_EQ(info.si_uid, getuid());
    sigprocmask(SIG_SETMASK, &old, NULL);
    kill(pid, SIGKILL);
    WAIT_FOR(pid, SIGKILL);
}

int main(void)
{
    waiting();
    taken_given();
    says_other();
    ignored();
    in_a_call();
    waits();
    in_code();
    faulty();
    group();
    masks();
    return done();
}
