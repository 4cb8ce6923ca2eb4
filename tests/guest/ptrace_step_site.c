// SPDX-License-Identifier: MIT
// A tracer's step over a system call that nothing but itself can be made of, for a breakpoint
// stands right before it, ends behind it.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "check.h"
#include <sys/ptrace.h>
#include <sys/user.h>

long traced_call(void);
extern const char at[], behind[];
__asm__(".pushsection .text\n"
        ".type traced_call, @function\n"
        "traced_call: mov $110, %eax\n" // getppid
        "    int3\n"
        "at: syscall\n"
        "behind: ret\n"
        ".size traced_call, . - traced_call\n"
        ".popsection\n");

static struct user_regs_struct stopped(pid_t pid)
{
    struct user_regs_struct r;
    int status;

    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
    return r;
}

int main(void)
{
    pid_t parent = getpid(), pid = OK(fork());

    if (pid == 0) {
        OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
        for (int i = 0; i < 3; i++)
            CHECK_EQ(traced_call(), parent);
        _exit(0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(stopped(pid).rip, (unsigned long)at);
        if (i < 2) {
            OK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
            struct user_regs_struct r = stopped(pid);
            CHECK_EQ(r.rip, (unsigned long)behind);
            CHECK_EQ(r.rax, parent);
        }
        OK(ptrace(PTRACE_CONT, pid, 0, 0));
    }
    wait_ok(pid);
    return done();
}
