// SPDX-License-Identifier: MIT
// A tracer that is killed in the midst of its work harms none of the calls of the thread that it
// traces, and another tracer can follow it at once.
// covers: ptrace, wait4, waitid
// trap: not ptrace,nested its one tracer is lxrun's own
// timeout: 60
#include "check.h"
#include "trace.h"
#include <sys/wait.h>

#define ROUNDS 100

static void nothing(int sig)
{
    (void)sig;
}

// Calls that are passed on, answered by lxcore, that wait, and behind which a signal comes.
static void calls(int in, int out)
{
    const struct timespec moment = {.tv_nsec = 100000};
    struct sigaction sa = {.sa_handler = nothing};
    char c;
    sigaction(SIGUSR1, &sa, NULL);
    for (unsigned long i = 0;; i++) {
        CHECK_ERR(syscall(SYS_lseek, -1, 0, 0), EBADF);
        CHECK_EQ(syscall(SYS_umask, 022), 022);
        CHECK_EQ(access("/", F_OK), 0);
        if (i % 16 == 0) {
            CHECK_EQ(syscall(SYS_nanosleep, &moment, NULL), 0);
            raise(SIGUSR1); // with the tracer it may be lost, on Linux too
            if (read(in, &c, 1) == 1)
                CHECK_EQ(write(out, &c, 1), 1);
            else
                CHECK_EQ(errno, EAGAIN);
        }
    }
}

// PTRACE_O_TRACESYSGOOD: otherwise a stop at a call leaves a SIGTRAP, of which the thread dies.
static void traces(pid_t pid, int how)
{
    int status;
    siginfo_t info;
    if (trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD))
        _exit(9);
    trace(PTRACE_INTERRUPT, pid, 0, 0);
    for (;;) {
        if (how & 1) {
            CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED), 0);
            status = info.si_status << 8;
        } else {
            CHECK_EQ(waitpid(pid, &status, __WALL), pid);
        }
        if (how & 2)
            trace(PTRACE_INTERRUPT, pid, 0, 0);
        trace(how & 4 ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, status >> 8 == SIGUSR1 ? SIGUSR1 : 0);
    }
}

int main(void)
{
    int in[2], out[2], status;
    char c = 'c';

    CHECK_EQ(pipe2(in, O_NONBLOCK) | pipe(out), 0);
    umask(022);
    fflush(stdout);
    pid_t pid = OK(fork());
    if (!pid)
        calls(in[0], out[1]);
    for (int i = 0; i < ROUNDS; i++) {
        pid_t tracer = OK(fork());
        if (!tracer)
            traces(pid, i % 8);
        sleep_us(500 + i * 7919 % 3000);
        CHECK_EQ(kill(tracer, SIGKILL), 0);
        CHECK_EQ(waitpid(tracer, &status, 0), tracer);
        CHECK_EQ(status, SIGKILL);
        CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
        if (i % 10 == 9) { // it is still at work
            CHECK_EQ(write(in[1], &c, 1), 1);
            CHECK_EQ(read(out[0], &c, 1), 1);
        }
    }
    CHECK_EQ(kill(pid, SIGTERM), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGTERM);
    return done();
}
