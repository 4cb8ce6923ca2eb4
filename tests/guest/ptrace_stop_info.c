// SPDX-License-Identifier: MIT
// A tracer sees who has sent the SIGSTOP that stops a thread, wherever that finds it: in a wait, in
// calls, in code; and what a thread that is attached or comes to be traced with its parent stops
// for.
// covers: ptrace, kill, tgkill, rt_sigqueueinfo
// needs: root
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"

static void waits(void)
{
    for (;;)
        pause();
}

static void calls(void)
{
    for (;;)
        syscall(SYS_getppid);
}

static volatile long counted;
static void computes(void)
{
    for (;;)
        counted++;
}

static void forks(void)
{
    fork();
    pause();
}

static void expect(pid_t pid, int code, pid_t from, uid_t uid)
{
    siginfo_t info;

    WAIT_FOR(pid, STOPPED(SIGSTOP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_signo, SIGSTOP);
    CHECK_EQ(info.si_code, code);
    CHECK_EQ(info.si_pid, from);
    CHECK_EQ(info.si_uid, uid);
    if (code == SI_QUEUE)
        CHECK_EQ((long)info.si_ptr, 1234567890123);
}

static void sent_to(void (*fn)(void))
{
    pid_t pid = traced(fn, 0);

    for (int i = 0; i < 30; i++) {
        go(PTRACE_CONT, pid, 0);
        let_run(pid, 1 + i % 3);
        CHECK_EQ(kill(pid, SIGSTOP), 0);
        expect(pid, SI_USER, getpid(), 0);
        go(PTRACE_CONT, pid, 0);
        let_run(pid, 1 + i % 3);
        CHECK_EQ(syscall(SYS_tgkill, pid, pid, SIGSTOP), 0);
        expect(pid, SI_TKILL, getpid(), 0);
        go(PTRACE_CONT, pid, 0);
        let_run(pid, 1 + i % 3);
        CHECK_EQ(sigqueue(pid, SIGSTOP, (union sigval){.sival_ptr = (void *)1234567890123}), 0);
        expect(pid, SI_QUEUE, getpid(), 0);
        // Of another user.
        pid_t other = OK(fork());
        if (!other) {
            CHECK_EQ(setresuid(1000, 0, 0), 0);
            CHECK_EQ(kill(pid, SIGSTOP), 0);
            _exit(0);
        }
        go(PTRACE_CONT, pid, 0);
        expect(pid, SI_USER, other, 1000);
        CHECK_EQ(waitpid(other, NULL, 0), other);
    }
    CHECK_EQ(kill(pid, SIGKILL), 0);
    WAIT_FOR(pid, SIGKILL);
}

static void attached(void (*fn)(void))
{
    int begun[2];
    char c;

    CHECK_EQ(pipe(begun), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(write(begun[1], "b", 1), 1);
        fn();
    }
    CHECK_EQ(read(begun[0], &c, 1), 1);
    CHECK_EQ(close(begun[0]) | close(begun[1]), 0);
    sleep_us(20000);
    go(PTRACE_ATTACH_, pid, 0);
    expect(pid, SI_KERNEL, 0, 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    WAIT_FOR(pid, SIGKILL);
}

static void with_its_parent(void)
{
    unsigned long child;
    pid_t pid = traced(forks, PTRACE_O_TRACEFORK);

    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_FORK));
    TRACE(PTRACE_GETEVENTMSG, pid, 0, &child);
    expect((pid_t)child, SI_USER, 0, 0);
    CHECK_EQ(kill((pid_t)child, SIGKILL) | kill(pid, SIGKILL), 0);
    WAIT_FOR((pid_t)child, SIGKILL);
    WAIT_FOR(pid, SIGKILL);
}

int main(void)
{
    sent_to(waits);
    sent_to(calls);
    sent_to(computes);
    attached(waits);
    attached(calls);
    attached(computes);
    with_its_parent();
    return done();
}
