// SPDX-License-Identifier: MIT
// A tracer sees each system call before and behind it, with its number, arguments and result; it
// may change them, leave the call out, or answer it itself.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"

static volatile long result, result2;
static char text[] = "abc";

static void three_calls(void)
{
    result = syscall(SYS_lseek, -1, 1234, SEEK_SET);
    result2 = syscall(SYS_getppid);
    syscall(SYS_exit_group, result == 77 ? 7 : 8);
}

static void get_info(pid_t pid, struct ptrace_syscall_info *info, long length)
{
    memset(info, 0xff, sizeof *info);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof *info, (unsigned long)info), length);
    CHECK_EQ(info->arch, 0xc000003e);
}

static void seen_and_changed(void)
{
    struct ptrace_syscall_info info;
    pid_t pid = traced(three_calls, PTRACE_O_TRACESYSGOOD);
    get_info(pid, &info, 24);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_NONE);
    struct user_regs_struct r = next_call(pid, SYS_lseek);
    CHECK_EQ(r.rax, -ENOSYS);
    CHECK_EQ(r.rsi, 1234);
    CHECK_EQ(r.cs, 0x33);
    CHECK_EQ(r.ss, 0x2b);
    CHECK_EQ(peek(pid, (void *)(r.rip - 2)) & 0xffff, 0x050f);
    get_info(pid, &info, 80);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
    CHECK_EQ(info.entry.nr, SYS_lseek);
    CHECK_EQ((int)info.entry.args[0], -1);
    CHECK_EQ(info.entry.args[1], 1234);
    CHECK_EQ(info.instruction_pointer, r.rip);
    CHECK_EQ(info.stack_pointer, r.rsp);
    r = next_call(pid, SYS_lseek);
    CHECK_EQ(r.rax, -EBADF);
    get_info(pid, &info, 33);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    CHECK_EQ(info.exit.rval, -EBADF);
    CHECK_EQ(info.exit.is_error, 1);
    r.rax = 77;
    TRACE(PTRACE_SETREGS_, pid, 0, &r);
    // Another call in this one's place.
    r = next_call(pid, SYS_getppid);
    r.orig_rax = SYS_getpid;
    TRACE(PTRACE_SETREGS_, pid, 0, &r);
    r = next_call(pid, SYS_getpid);
    CHECK_EQ(r.rax, pid);
    r = next_call(pid, SYS_exit_group);
    CHECK_EQ(r.rdi, 7);
    r.rdi = 9;
    TRACE(PTRACE_SETREGS_, pid, 0, &r);
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, EXITED(9));
}

static void left_out(void)
{
    pid_t pid = traced(three_calls, PTRACE_O_TRACESYSGOOD);
    struct user_regs_struct r = next_call(pid, SYS_lseek);
    TRACE(PTRACE_POKEUSR, pid, offsetof(struct user_regs_struct, orig_rax), ~0UL);
    TRACE(PTRACE_POKEUSR, pid, offsetof(struct user_regs_struct, rax), 77);
    r = next_call(pid, -1);
    CHECK_EQ(r.rax, 77);
    next_call(pid, SYS_getppid);
    // No such call.
    TRACE(PTRACE_POKEUSR, pid, offsetof(struct user_regs_struct, orig_rax), 9999);
    r = next_call(pid, 9999);
    CHECK_EQ(r.rax, -ENOSYS);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(7));
}

static void answered(void)
{
    pid_t pid = traced(three_calls, PTRACE_O_TRACESYSGOOD);
    go(PTRACE_SYSEMU_, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    struct user_regs_struct r = regs_of(pid);
    CHECK_EQ(r.orig_rax, SYS_lseek);
    r.rax = 77;
    TRACE(PTRACE_SETREGS_, pid, 0, &r);
    go(PTRACE_SYSEMU_, pid, 0);
    WAIT_FOR(pid, STOPPED(CALL));
    CHECK_EQ(regs_of(pid).orig_rax, SYS_getppid);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(7));
}

static void without_good(void)
{
    siginfo_t info;
    pid_t pid = traced(three_calls, 0);
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_signo, SIGTRAP);
    CHECK_EQ(info.si_code, SIGTRAP);
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(8));
}

// Calls that lxcore serves in ways of its own: passed on, answered by itself, those that block, and
// that take paths.
static void many_calls(void)
{
    int fd[2];
    char c;
    syscall(SYS_getuid);
    syscall(SYS_umask, 022);
    syscall(SYS_pipe2, fd, 0);
    syscall(SYS_write, fd[1], "x", 1);
    syscall(SYS_read, fd[0], &c, 1);
    syscall(SYS_lseek, fd[0], 0, SEEK_CUR);
    syscall(SYS_read, 1000, text, 3);
    syscall(SYS_openat, AT_FDCWD, "no/such", O_RDONLY);
    syscall(SYS_mkdirat, AT_FDCWD, "made", 0755);
    syscall(SYS_rmdir, "made");
    syscall(SYS_close, fd[0]);
    syscall(SYS_close, fd[1]);
    syscall(SYS_getcwd, text, 1);
    syscall(SYS_sched_yield);
    syscall(SYS_nanosleep, &(struct timespec){0, 1000000}, NULL);
    syscall(9999);
    syscall(SYS_exit, 3);
}

static void printed(void)
{
    pid_t pid = traced(many_calls, PTRACE_O_TRACESYSGOOD);
    int status;
    for (int entry = 1;; entry = !entry) {
        go(PTRACE_SYSCALL, pid, 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status))
            break;
        CHECK_EQ(status, STOPPED(CALL));
        struct user_regs_struct r = regs_of(pid);
        if (entry)
            printf("%ld", (long)r.orig_rax);
        else
            printf(" = %ld\n", (long)r.rax);
    }
    CHECK_EQ(status, EXITED(3));
    printf("\n");
}

// A signal given at a call's stop comes as the kernel's own, before the thread goes on.
static void given_with_call(void)
{
    pid_t pid = traced(three_calls, PTRACE_O_TRACESYSGOOD);
    siginfo_t info;
    for (int sig = SIGUSR1; sig; sig = sig == SIGUSR1 ? SIGHUP : 0) {
        go(PTRACE_SYSCALL, pid, 0);
        WAIT_FOR(pid, STOPPED(CALL));
        go(PTRACE_SYSCALL, pid, 0);
        WAIT_FOR(pid, STOPPED(CALL));
        go(PTRACE_SYSCALL, pid, sig);
        WAIT_FOR(pid, STOPPED(sig));
        TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
        CHECK_EQ(info.si_signo, sig);
        CHECK_EQ(info.si_code, SI_KERNEL);
        CHECK_EQ(info.si_pid, 0);
    }
    kill(pid, SIGKILL);
    WAIT_FOR(pid, SIGKILL);
}

// Of the thread's number the lower half counts.
static void high_bits(void)
{
    pid_t pid = traced(three_calls, 0);
    struct user_regs_struct r;
    const long high = 0x1234567800000000;
    CHECK_EQ(syscall(SYS_ptrace, (long)PTRACE_GETREGS_, high | pid, 0, &r), 0);
    CHECK_EQ(r.orig_rax, regs_of(pid).orig_rax);
    CHECK_EQ(syscall(SYS_ptrace, (long)PTRACE_DETACH_, high | pid, 0, SIGKILL), 0);
    WAIT_FOR(pid, SIGKILL);
    CHECK_EQ(trace(PTRACE_CONT, -1, 0, 0), -1);
    CHECK_EQ(errno, ESRCH);
}

int main(void)
{
    given_with_call();
    high_bits();
    seen_and_changed();
    left_out();
    answered();
    without_good();
    printed();
    CHECK_EQ(trace(PTRACE_CONT, getppid(), 0, 0), -1);
    CHECK_EQ(errno, ESRCH);
    return done();
}
