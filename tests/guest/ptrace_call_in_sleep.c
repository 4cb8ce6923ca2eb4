// SPDX-License-Identifier: MIT
// covers: ptrace, clock_nanosleep
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
// As a debugger does it: the tracer finds a thread in a sleep, has it call a function, and puts the
// registers back. The sleep goes on, whether the tracer then goes away or lets it go on.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int called;

static void function(void)
{
    called++;
    __asm__ volatile("int3");
}

static void sleeper(int told)
{
    struct timespec t = {.tv_sec = 1};
    if (write(told, "x", 1) != 1)
        _exit(99);
    int r = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
    _exit(called == 1 ? r : 98);
}

static void call_in(pid_t pid, int last)
{
    struct user_regs_struct was, r;
    int status;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) || waitpid(pid, &status, 0) != pid ||
        ptrace(PTRACE_GETREGS, pid, 0, &was))
        exit(1);
    r = was;
    r.orig_rax = ~0UL; // nothing is to be made again
    r.rip = (unsigned long)function;
    r.rsp = ((was.rsp - 256) & ~15UL) - 8;
    if (ptrace(PTRACE_SETREGS, pid, 0, &r) || ptrace(PTRACE_CONT, pid, 0, 0) ||
        waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        exit(2);
    printf("stopped by %d\n", WSTOPSIG(status));
    if (ptrace(PTRACE_SETREGS, pid, 0, &was) || ptrace(last, pid, 0, 0))
        exit(3);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        exit(4);
    printf("the sleep: %d\n", WEXITSTATUS(status));
}

int main(void)
{
    static const int lasts[] = {PTRACE_DETACH, PTRACE_CONT};
    for (int i = 0; i < 2; i++) {
        int told[2];
        char c;
        if (pipe(told))
            return 5;
        pid_t pid = fork();
        if (!pid)
            sleeper(told[1]);
        if (read(told[0], &c, 1) != 1)
            return 6;
        usleep(200000); // if it does not sleep yet, the call is made all the same
        call_in(pid, lasts[i]);
    }
    return 0;
}
