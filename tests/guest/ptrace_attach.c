// SPDX-License-Identifier: MIT
// Attaching to a process that runs, computes, or waits in a call, and letting it go: it goes on as
// if nothing had been.
// covers: ptrace
// needs: root
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <stdbool.h>
#include <sys/mman.h>

static volatile sig_atomic_t got;
static int to_child[2], from_child[2];

static void handler(int sig)
{
    got = sig;
}

static char read_one(int fd)
{
    char c = 0;
    CHECK_EQ(read(fd, &c, 1), 1);
    return c;
}

static void reads(void)
{
    char c;
    ssize_t n;
    signal(SIGUSR1, handler);
    CHECK_EQ(write(from_child[1], "r", 1), 1);
    n = read(to_child[0], &c, 1);
    CHECK(n == 1 || (n < 0 && errno == EINTR));
    _exit(n == 1 ? c : got);
}

static volatile long counted;
static void computes(void)
{
    signal(SIGUSR1, handler);
    CHECK_EQ(write(from_child[1], "r", 1), 1);
    while (!got)
        counted++;
    _exit(got);
}

static pid_t running(void (*fn)(void))
{
    pid_t pid;
    CHECK_EQ(pipe(to_child), 0);
    CHECK_EQ(pipe(from_child), 0);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        fn();
        _exit(99);
    }
    CHECK_EQ(read_one(from_child[0]), 'r');
    sleep_us(20000);
    return pid;
}

static void close_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(from_child[i]);
    }
}

static void attached(void)
{
    siginfo_t info;
    pid_t pid = running(reads);
    go(PTRACE_ATTACH_, pid, 0);
    CHECK_EQ(trace(PTRACE_ATTACH_, pid, 0, 0), -1); // twice
    CHECK_EQ(errno, EPERM);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_signo, SIGSTOP);
    CHECK_EQ(peek(pid, &counted), 0);
    go(PTRACE_DETACH_, pid, 0);
    sleep_us(20000);
    CHECK_EQ(write(to_child[1], "\7", 1), 1);
    WAIT_FOR(pid, EXITED(7));
    close_pipes();

    // Detached with a signal.
    pid = running(reads);
    go(PTRACE_ATTACH_, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    go(PTRACE_DETACH_, pid, SIGTERM);
    WAIT_FOR(pid, SIGTERM);
    close_pipes();

    pid = running(computes);
    go(PTRACE_ATTACH_, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    long before = peek(pid, &counted);
    sleep_us(20000);
    CHECK_EQ(peek(pid, &counted), before); // it stands
    do {                                   // till it has had a processor
        go(PTRACE_CONT, pid, 0);
        let_run(pid, 20);
        CHECK_EQ(kill(pid, SIGUSR2), 0);
        WAIT_FOR(pid, STOPPED(SIGUSR2));
    } while (peek(pid, &counted) == before);
    go(PTRACE_DETACH_, pid, SIGUSR1);
    WAIT_FOR(pid, EXITED(SIGUSR1));
    close_pipes();
}

static void seized(void)
{
    siginfo_t info;
    pid_t pid = running(reads);
    CHECK_EQ(trace(PTRACE_SEIZE, pid, 1, 0), -1);
    CHECK_EQ(errno, EIO);
    TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD);
    CHECK_EQ(trace(PTRACE_CONT, pid, 0, 0), -1); // it runs
    CHECK_EQ(errno, ESRCH);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    go(PTRACE_INTERRUPT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_STOP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, PTRACE_EVENT_STOP << 8 | SIGTRAP);
    // The call that it was in comes to an end, or is made again.
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    CHECK_EQ(regs_of(pid).orig_rax, SYS_read);
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    // A group's stop, in which it listens, and which SIGCONT ends.
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    go(PTRACE_CONT, pid, SIGSTOP);
    WAIT_FOR(pid, PTRACE_EVENT_STOP << 16 | STOPPED(SIGSTOP));
    go(PTRACE_LISTEN, pid, 0);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_STOP));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGCONT));
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_DETACH_, pid, 0);
    CHECK_EQ(write(to_child[1], "\7", 1), 1);
    WAIT_FOR(pid, EXITED(7));
    close_pipes();
}

static volatile int *handled; // shared

static void count(int sig)
{
    (void)sig;
    ++*handled;
}

// Many times, at whatever place it finds a process that makes calls all the time; and there is a
// signal right behind the detachment.
static void calls(void)
{
    signal(SIGUSR1, handler);
    signal(SIGUSR2, count);
    CHECK_EQ(write(from_child[1], "r", 1), 1);
    for (long n = 0; !got; n++) {
        char c;
        CHECK_EQ(lseek(to_child[0], 0, SEEK_CUR), -1);
        CHECK_EQ(errno, ESPIPE);
        CHECK_EQ(getuid(), 0);
        CHECK_EQ(write(to_child[1], "x", 1), 1);
        CHECK_EQ(read(to_child[0], &c, 1), 1);
        CHECK_EQ(c, 'x');
        CHECK_EQ(access("no", F_OK), -1);
        CHECK_EQ(errno, ENOENT);
    }
    _exit(got);
}

static void many_times(void)
{
    handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(handled != MAP_FAILED);
    pid_t pid = running(calls);
    for (int i = 0; i < 400; i++) {
        if (i % 2) {
            go(PTRACE_ATTACH_, pid, 0);
            WAIT_FOR(pid, STOPPED(SIGSTOP));
        } else {
            TRACE(PTRACE_SEIZE, pid, 0, 0);
            go(PTRACE_INTERRUPT, pid, 0);
            WAIT_FOR(pid, EVENT(PTRACE_EVENT_STOP));
        }
        CHECK_EQ(regs_of(pid).cs, 0x33);
        bool gives = i % 4 == 1; // of an event's stop Linux drops it
        go(PTRACE_DETACH_, pid, gives ? SIGUSR2 : 0);
        if (!gives)
            CHECK_EQ(kill(pid, SIGUSR2), 0);
        while (*handled == i)
            sleep_us(10);
        CHECK_EQ(*handled, i + 1);
    }
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, EXITED(SIGUSR1));
    close_pipes();
}

static void may_not(void)
{
    CHECK_EQ(trace(PTRACE_ATTACH_, getpid(), 0, 0), -1);
    CHECK_EQ(errno, EPERM);
    CHECK_EQ(trace(PTRACE_ATTACH_, 999999, 0, 0), -1);
    CHECK_EQ(errno, ESRCH);
    CHECK_EQ(trace(PTRACE_ATTACH_, -1, 0, 0), -1);
    CHECK_EQ(errno, ESRCH);
    pid_t pid = running(reads), other;
    // Another user's.
    CHECK((other = fork()) >= 0);
    if (!other) {
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_EQ(trace(PTRACE_ATTACH_, pid, 0, 0), -1);
        CHECK_EQ(errno, EPERM);
        CHECK_EQ(trace(PTRACE_SEIZE, pid, 0, 0), -1);
        CHECK_EQ(errno, EPERM);
        _exit(0);
    }
    wait_ok(other);
    CHECK_EQ(trace(PTRACE_CONT, pid, 0, 0), -1); // not attached
    CHECK_EQ(errno, ESRCH);
    CHECK_EQ(write(to_child[1], "\7", 1), 1);
    WAIT_FOR(pid, EXITED(7));
    close_pipes();
}

// A tracer that dies lets its threads go on, or takes them with it.
static void lost(unsigned long options, int expected)
{
    pid_t pid = running(reads), tracer;
    CHECK((tracer = fork()) >= 0);
    if (!tracer) {
        TRACE(PTRACE_SEIZE, pid, 0, options);
        go(PTRACE_INTERRUPT, pid, 0);
        WAIT_FOR(pid, EVENT(PTRACE_EVENT_STOP));
        go(PTRACE_SYSCALL, pid, 0);
        WAIT_FOR(pid, STOPPED(SIGTRAP)); // in a stop at a call
        kill(getpid(), SIGKILL);
    }
    WAIT_FOR(tracer, SIGKILL);
    sleep_us(20000);
    if (expected != SIGKILL)
        CHECK_EQ(write(to_child[1], "\7", 1), 1);
    WAIT_FOR(pid, expected);
    close_pipes();
}

int main(void)
{
    attached();
    seized();
    many_times();
    may_not();
    lost(0, EXITED(7));
    lost(PTRACE_O_EXITKILL, SIGKILL);
    return done();
}
