// SPDX-License-Identifier: MIT
// Another process sends SIGSEGV or SIGBUS as fast as it can to one that has a handler: that lives,
// and takes them.
// covers: kill
// trap: slow ptrace: each signal goes by the tracer
#include "sig.h"

static volatile sig_atomic_t taken;

static void handler(int sig)
{
    (void)sig;
    taken = 1;
}

static void storm(int sig)
{
    int ready[2];
    char c;
    pid_t pid;
    CHECK_EQ(pipe(ready), 0);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        struct sigaction sa = {.sa_handler = handler};
        CHECK_EQ(sigaction(sig, &sa, NULL), 0);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        for (volatile long n = 0;; n++)
            if (n % 1000 == 0)
                syscall(SYS_getppid);
    }
    CHECK_EQ(read(ready[0], &c, 1), 1);
    for (int i = 0; i < 60000; i++)
        CHECK_EQ(kill(pid, sig), 0);
    sleep_us(10000);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
}

int main(void)
{
    storm(SIGSEGV);
    storm(SIGBUS);
    return done();
}
