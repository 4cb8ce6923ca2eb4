// SPDX-License-Identifier: MIT
// Steps, breakpoints, watched words, and the registers and memory of a traced thread.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <sys/mman.h>

static volatile long word = 1;
static volatile sig_atomic_t got;

// Some instructions, a call among them.
long steps(long a);
extern char step_begin[], step_break[], step_call[], step_behind[], step_end[];
__asm__(".pushsection .text\n"
        "steps: step_begin:\n"
        "lea 1(%rdi), %rbx\n" // a callee-saved register, which the caller below saves
        "step_break: nop\n"
        "mov $39, %eax\n" // getpid
        "step_call: syscall\n"
        "step_behind: mov %rax, %rdx\n"
        "lea (%rbx,%rbx), %rax\n"
        "step_end: ret\n"
        ".popsection");

static void runs(void)
{
    long a = 20, result;
    raise(SIGTRAP);
    __asm__ volatile("call steps" : "=a"(result), "+D"(a) : : "rbx", "rcx", "rdx", "r11", "memory");
    word = result;
    _exit((int)result);
}

static unsigned long pc(pid_t pid)
{
    return regs_of(pid).rip;
}

static void set_break(pid_t pid, const char *at, long *was)
{
    *was = peek(pid, at);
    TRACE(PTRACE_POKETEXT, pid, at, (*was & ~0xffL) | 0xcc);
}

// Stopped at the label by a breakpoint, which is gone again.
static pid_t at(const char *label)
{
    long was;
    siginfo_t info;
    pid_t pid = traced(runs, PTRACE_O_TRACESYSGOOD);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    set_break(pid, label, &was);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SI_KERNEL);
    CHECK_EQ(pc(pid), (long)label + 1);
    TRACE(PTRACE_POKETEXT, pid, label, was);
    CHECK_EQ(peek(pid, label), was);
    TRACE(PTRACE_POKEUSR, pid, offsetof(struct user_regs_struct, rip), label);
    return pid;
}

static void step(pid_t pid, const char *to)
{
    siginfo_t info;
    go(PTRACE_SINGLESTEP, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    CHECK_EQ(pc(pid), (long)to);
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_signo, SIGTRAP);
    CHECK_EQ(regs_of(pid).eflags & 0x100, 0);
}

static void stepped(void)
{
    pid_t pid = at(step_begin);
    step(pid, step_break);
    CHECK_EQ(regs_of(pid).rbx, 21);
    step(pid, step_break + 1);
    step(pid, step_call);
    step(pid, step_behind); // the call is made
    CHECK_EQ(regs_of(pid).rax, pid);
    step(pid, step_behind + 3);
    CHECK_EQ(regs_of(pid).rdx, pid);
    step(pid, step_end);
    struct user_regs_struct r = regs_of(pid);
    CHECK_EQ(r.rax, 42);
    r.rax = 43;
    TRACE(PTRACE_SETREGS_, pid, 0, &r);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(43));
}

// From the stops at a call.
static void from_calls(void)
{
    pid_t pid = at(step_break);
    struct user_regs_struct r = next_call(pid, SYS_getpid);
    CHECK_EQ(r.rip, (long)step_behind);
    step(pid, step_behind);
    CHECK_EQ(regs_of(pid).rax, pid);
    step(pid, step_behind + 3);
    go(PTRACE_KILL_, pid, 0);
    WAIT_FOR(pid, SIGKILL);

    pid = at(step_break);
    next_call(pid, SYS_getpid);
    next_call(pid, SYS_getpid);
    step(pid, step_behind + 3);
    step(pid, step_end);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(42));
}

// A breakpoint on the call itself, and behind it.
static void on_calls(void)
{
    pid_t pid = at(step_call);
    step(pid, step_behind);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(42));
    pid = at(step_behind);
    CHECK_EQ(regs_of(pid).rax, pid);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(42));
}

static void handler(int sig)
{
    got = sig;
}

static void handles(void)
{
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    _exit(got);
}

// A step with a signal leads to the first instruction of its handler.
static void into_handler(void)
{
    pid_t pid = traced(handles, 0);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_SINGLESTEP, pid, SIGUSR1);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    struct user_regs_struct r = regs_of(pid);
    CHECK_EQ(r.rip, (long)handler);
    CHECK_EQ(r.rdi, SIGUSR1);
    go(PTRACE_SINGLESTEP, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    CHECK(pc(pid) > (unsigned long)handler && pc(pid) < (unsigned long)handler + 16);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(SIGUSR1));
}

// All the way, call by call.
static void to_the_end(void)
{
    int status, count = 0;
    pid_t pid = at(step_begin);
    for (;; count++) {
        go(PTRACE_SINGLESTEP, pid, 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (status != STOPPED(SIGTRAP))
            break;
    }
    CHECK_EQ(status, EXITED(42));
    CHECK(count > 8 && count < 1000);
}

static void watched(void)
{
    const unsigned long dr0 = offsetof(struct user, u_debugreg[0]);
    const unsigned long dr7 = offsetof(struct user, u_debugreg[7]);
    siginfo_t info;
    pid_t pid = at(step_begin);
    TRACE(PTRACE_POKEUSR, pid, dr0, &word);
    TRACE(PTRACE_POKEUSR, pid, dr7, 1 | 1 << 16 | 3 << 18); // writes of 4 bytes
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, TRAP_HWBKPT);
    CHECK_EQ(peek(pid, &word), 42);
    TRACE(PTRACE_POKEUSR, pid, dr7, 0);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(42));
}

static void registers(void)
{
    struct user_regs_struct r, set;
    struct user_fpregs_struct fp;
    struct iovec v = {&set, sizeof set};
    long w;
    pid_t pid = at(step_break);
    r = regs_of(pid);
    TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v);
    CHECK_EQ(v.iov_len, sizeof set);
    CHECK_EQ(memcmp(&r, &set, sizeof r), 0);
    CHECK_EQ(r.gs_base, 0);
    CHECK(r.fs_base != 0);
    CHECK_EQ(r.cs, 0x33);
    TRACE(PTRACE_PEEKUSR, pid, offsetof(struct user_regs_struct, rbx), &w);
    CHECK_EQ(w, 21);
    CHECK_EQ(trace(PTRACE_PEEKUSR, pid, 3, (unsigned long)&w), -1);
    CHECK_EQ(errno, EIO);
    v.iov_len = 9;
    CHECK_EQ(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v), -1);
    CHECK_EQ(errno, EINVAL);
    v.iov_len = 8 * 6; // r15 to rbx
    set.rbx = 30;
    TRACE(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
    CHECK_EQ(regs_of(pid).rbx, 30);
    CHECK_EQ(regs_of(pid).rip, r.rip);
    TRACE(PTRACE_GETFPREGS_, pid, 0, &fp);
    CHECK_EQ(fp.mxcsr, 0x1f80);
    CHECK_EQ(trace(PTRACE_GETREGS_, pid, 0, 8), -1);
    CHECK_EQ(errno, EFAULT);
    // A stop at a call has them, too.
    next_call(pid, SYS_getpid);
    TRACE(PTRACE_GETFPREGS_, pid, 0, &fp);
    CHECK_EQ(fp.mxcsr, 0x1f80);
    v.iov_base = &set, v.iov_len = sizeof set;
    TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v);
    r = regs_of(pid);
    CHECK_EQ(memcmp(&r, &set, sizeof r), 0);
    CHECK_EQ(set.rbx, 30);
    CHECK_EQ(r.gs_base, 0);
    TRACE(PTRACE_POKEUSR, pid, offsetof(struct user_regs_struct, rbx), 31);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(62));
}

static void memory(void)
{
    long w;
    pid_t pid = at(step_break);
    TRACE(PTRACE_POKEDATA, pid, &word, 5);
    CHECK_EQ(peek(pid, &word), 5);
    CHECK_EQ(word, 1);
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, 8, (unsigned long)&w), -1);
    CHECK_EQ(errno, EIO);
    CHECK_EQ(trace(PTRACE_POKEDATA, pid, 8, 0), -1);
    CHECK_EQ(errno, EIO);
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, 0xffffffff81000000, (unsigned long)&w), -1);
    CHECK_EQ(errno, EIO);
    // Its text is not writable, and written all the same; other processes have their own.
    TRACE(PTRACE_POKETEXT, pid, step_break, peek(pid, step_break) & ~0xffL);
    CHECK_EQ(peek(pid, step_break) & 0xff, 0);
    CHECK_EQ(trace(9999, pid, 0, 0), -1);
    CHECK_EQ(errno, EIO);
    go(PTRACE_KILL_, pid, 0);
    WAIT_FOR(pid, SIGKILL);
}

int main(void)
{
    stepped();
    from_calls();
    on_calls();
    into_handler();
    to_the_end();
    watched();
    registers();
    memory();
    return done();
}
