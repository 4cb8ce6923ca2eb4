// SPDX-License-Identifier: MIT
// The default action of each of the 64 signals: ends, stops, is ignored; what the parent sees of
// it.
// covers: kill, wait4, rt_sigaction
#include "sig.h"

int main(void)
{
    struct rlimit none = {0, 0};
    const long dfl[4] = {0}; // the kernel's struct sigaction

    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    // glibc's posix_spawn, and so make, starts programs with signals 32 and 33 ignored.
    for (int sig = 1; sig <= 64; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            CHECK(syscall(SYS_rt_sigaction, sig, dfl, NULL, 8) == 0);
    for (int sig = 1; sig <= 64; sig++) {
        int ready[2], gate[2], st;
        pid_t pid;
        char c;

        CHECK(pipe(ready) == 0 && pipe(gate) == 0);
        pid = OK(fork());
        if (pid == 0) {
            struct sigaction sa;

            if (sig != SIGKILL && sig != SIGSTOP)
                for (int i = 0; i < 1; i++)
                    CHECK(syscall(SYS_rt_sigaction, sig, NULL, &sa, 8) == 0);
            close(gate[1]);
            CHECK(write(ready[1], "r", 1) == 1);
            if (read(gate[0], &c, 1) != 1)
                _exit(1);
            _exit(9);
        }
        close(gate[0]);
        CHECK(read(ready[0], &c, 1) == 1);
        CHECK(kill(pid, sig) == 0);
        switch (sig) {
        case SIGCHLD:
        case SIGCONT:
        case SIGURG:
        case SIGWINCH:
            CHECK(write(gate[1], "g", 1) == 1);
            CHECK(waitpid(pid, &st, 0) == pid);
            CHECK_EQ(st, 9 << 8);
            break;
        case SIGSTOP:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
            // Behind the signal, so that it is read once the child runs again, or has not stopped.
            CHECK(write(gate[1], "g", 1) == 1);
            CHECK(waitpid(pid, &st, WUNTRACED) == pid);
            // In an orphaned process group the terminal's stop signals are dropped.
            if (sig != SIGSTOP && !WIFSTOPPED(st))
                break;
            CHECK_EQ(st, sig << 8 | 0x7f);
            CHECK(kill(pid, SIGCONT) == 0);
            CHECK(waitpid(pid, &st, 0) == pid);
            CHECK_EQ(st, 9 << 8);
            break;
        default:
            CHECK(waitpid(pid, &st, 0) == pid);
            CHECK_EQ(st, sig);
        }
        close(ready[0]), close(ready[1]), close(gate[1]);
    }
    return done();
}
