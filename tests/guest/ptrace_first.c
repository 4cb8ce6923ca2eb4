// SPDX-License-Identifier: MIT
// The first stop of a new child, and that of a new program, come before any signal that was sent to
// it meanwhile.
// covers: ptrace
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <stdbool.h>

#define ROUNDS 40

static void forks(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid = fork();
        if (!pid)
            for (;;)
                pause();
        kill(pid, SIGUSR1);
        int status;
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (status != SIGUSR1)
            _exit(1);
    }
    _exit(2);
}

static void follow(bool seized)
{
    pid_t pid = OK(fork());
    if (!pid) {
        raise(SIGSTOP);
        forks();
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    if (seized) {
        TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK);
    } else {
        TRACE(PTRACE_ATTACH_, pid, 0, 0);
        WAIT_FOR(pid, STOPPED(SIGSTOP));
        TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK);
        go(PTRACE_CONT, pid, 0);
    }
    kill(pid, SIGCONT);
    int stops = 0, first = seized ? EVENT(PTRACE_EVENT_STOP) : STOPPED(SIGSTOP);
    pid_t known = 0, got;
    while ((got = waitpid(-1, &status, __WALL)) > 0) {
        if (got == pid && WIFEXITED(status)) {
            CHECK_EQ(WEXITSTATUS(status), 2);
            break;
        }
        if (!WIFSTOPPED(status))
            continue;
        if (got != pid && got != known) {
            known = got;
            CHECK_EQ(status, first);
            stops++;
            go(PTRACE_CONT, got, 0);
            continue;
        }
        go(PTRACE_CONT, got, status >> 16 ? 0 : WSTOPSIG(status));
    }
    CHECK_EQ(stops, ROUNDS);
}

int main(void)
{
    follow(true);
    follow(false);
    return done();
}
