// SPDX-License-Identifier: MIT
// A process whose parent dies: it gets the nearest subreaper as its parent, PR_SET_PDEATHSIG is
// delivered, and the subreaper reaps it. PDEATHSIG is per thread of the parent and cleared by fork.
// covers: prctl, getppid, fork, wait4
#include "sig.h"
#include <sys/prctl.h>

static int p[2];

static void handler(int sig)
{
    (void)sig;
}

int main(void)
{
    pid_t middle, child, reaper = getpid();
    int st, sub = -1, sig;

    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &sub) == 0 && sub == 0);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &sub) == 0 && sub == 1);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
    CHECK_ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    CHECK(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGUSR2);
    CHECK(pipe(p) == 0);
    middle = OK(fork());
    if (middle == 0) {
        CHECK(prctl(PR_GET_CHILD_SUBREAPER, &sub) == 0 && sub == 0); // not inherited
        CHECK(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == 0);
        pid_t parent = getpid();
        child = OK(fork());
        if (child == 0) {
            sigset_t set = sigset_of(SIGUSR1);
            siginfo_t si;

            signal(SIGUSR1, handler);
            block(SIGUSR1);
            CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
            CHECK(getppid() == parent);
            CHECK(write(p[1], &(pid_t){getpid()}, 4) == 4);
            CHECK(sigwaitinfo(&set, &si) == SIGUSR1);
            CHECK_EQ(getppid(), reaper);
            _exit(5);
        }
        pause();
    }
    CHECK(read(p[0], &child, 4) == 4);
    CHECK_ERR(waitpid(child, &st, WNOHANG), ECHILD);
    CHECK(kill(middle, SIGKILL) == 0);
    CHECK(waitpid(middle, &st, 0) == middle && st == SIGKILL);
    CHECK(waitpid(child, &st, 0) == child && st == 5 << 8); // now ours
    // Without the signal, and two deep.
    middle = OK(fork());
    if (middle == 0) {
        if (fork() == 0) {
            if (fork() == 0) {
                while (getppid() != reaper)
                    sleep_us(500);
                _exit(7);
            }
            _exit(0);
        }
        wait(NULL);
        _exit(6);
    }
    int sum = 0;
    for (int i = 0; i < 2; i++) {
        CHECK(wait(&st) > 0);
        sum += WEXITSTATUS(st);
    }
    CHECK_EQ(sum, 13);
    CHECK_ERR(wait(&st), ECHILD);
    return done();
}
