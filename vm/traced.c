// SPDX-License-Identifier: MIT
// A machine whose guest's processes are processes of the host, which it holds by ptrace: User-Mode
// Linux. Killed, it would let them go, and they would run on with the host's system calls in place
// of their own kernel's: a guest's kill() would reach a process of the host, its unlink() a file.
//
// So a process between keeper and machine traces the machine in turn, and adds PTRACE_O_EXITKILL to
// the options that this sets for each of its processes: those die in the same step of the kernel in
// which the machine does (kernel/ptrace.c: exit_ptrace), and the machine when its tracer does. So
// do its helpers, which share its memory and its files: CLONE_PTRACE is added to the flags of
// theirs. A seccomp filter picks out these calls; no other stops the machine for the tracer.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "machine.h"

// What User-Mode Linux uses (arch/x86/include/uapi/asm/ptrace-abi.h).
#define PTRACE_OLDSETOPTIONS 21

static pid_t machine;

// Ends all children, and theirs, which become ours when their parents end: the machine's own
// helpers, and a process of its guest that it has not told its options for yet.
static void kill_children(void)
{
    char path[64], pids[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    for (;;) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, pids, sizeof pids - 1);
        close(fd);
        pids[n > 0 ? n : 0] = 0;
        char *next = pids;
        for (long pid; (pid = strtol(next, &next, 10)) > 0;)
            kill((pid_t)pid, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
        if (n <= 0)
            return;
        usleep(1000);
    }
}

static void add_flag(pid_t pid, size_t at, long flag)
{
    long value = ptrace(PTRACE_PEEKUSER, pid, at, 0);
    ptrace(PTRACE_POKEUSER, pid, at, value | flag);
}

// Stopped at the entry of ptrace(PTRACE_SETOPTIONS, pid, 0, options), or of clone(flags, ...) of a
// helper that shares its memory: that one becomes ours to trace, too.
static void add_to_call(pid_t pid)
{
    if (ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, orig_rax), 0) == SYS_clone)
        add_flag(pid, offsetof(struct user_regs_struct, rdi), CLONE_PTRACE);
    else
        add_flag(pid, offsetof(struct user_regs_struct, r10), PTRACE_O_EXITKILL);
}

static void end_machine(int sig)
{
    (void)sig;
    kill(machine, SIGKILL);
}

// Until the machine has ended.
static void trace(void)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0 || (pid == machine && !WIFSTOPPED(status)))
            return;
        if (!WIFSTOPPED(status))
            continue;
        switch (status >> 16) {
        case PTRACE_EVENT_SECCOMP:
            add_to_call(pid);
            ptrace(PTRACE_CONT, pid, 0, 0);
            break;
        case PTRACE_EVENT_STOP: // by SIGSTOP and its like it stays stopped, else it has begun
            ptrace(WSTOPSIG(status) == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN, pid, 0, 0);
            break;
        default:
            ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status));
        }
    }
}

// In the machine's process, once it is traced.
static void filter_options(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 9),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_SETOPTIONS, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_OLDSETOPTIONS, 2, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_VM, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        fail_errno("cannot filter the VM's system calls");
}

pid_t fork_traced(int log)
{
    pid_t keeper = getpid(), tracer;
    int traced[2];
    char go;
    sigset_t mask;
    tracer = fork();
    if (tracer)
        return tracer;
    dup2(log, 2);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "lxrun-tracer");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    if (pipe2(traced, O_CLOEXEC))
        fail_errno("cannot make a pipe");
    machine = fork();
    if (machine < 0)
        fail_errno("cannot start the VM");
    if (!machine) {
        close(traced[1]);
        if (read(traced[0], &go, 1) != 1)
            _exit(EXIT_LXRUN);
        close(traced[0]);
        filter_options();
        // For whom is traced no signal is ignored by default, and each stop of a process of its
        // guest's is a SIGCHLD, which would stop it for the tracer: a blocked one does not.
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        return 0;
    }
    signal(SIGTERM, end_machine);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (ptrace(PTRACE_SEIZE, machine, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP))
        fail_errno("cannot trace the VM");
    (void)!write(traced[1], "", 1);
    // The other end of the machine's channel is to see when that is gone.
    closefrom(0);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    if (getppid() != keeper)
        end_machine(SIGTERM);
    trace();
    kill_children();
    _exit(0);
}
