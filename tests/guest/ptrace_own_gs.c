// SPDX-License-Identifier: MIT
// A process that has set its own GS base can be attached to: its registers and signals are seen.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <asm/prctl.h>

static char area[4096];

int main(void)
{
    int ready[2];
    char c;
    pid_t pid;
    CHECK_EQ(pipe(ready), 0);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, area), 0);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        for (;;)
            ;
    }
    CHECK_EQ(read(ready[0], &c, 1), 1);
    sleep_us(10000);
    go(PTRACE_ATTACH_, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    CHECK_EQ(regs_of(pid).gs_base, (long)area);
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 10);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_DETACH_, pid, 0);
    sleep_us(10000);
    TRACE(PTRACE_SEIZE, pid, 0, 0);
    go(PTRACE_INTERRUPT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_STOP));
    go(PTRACE_KILL_, pid, 0);
    WAIT_FOR(pid, SIGKILL);
    return done();
}
