// SPDX-License-Identifier: MIT
// Signals keep coming while a program executes itself again and again: ignored ones do nothing, a
// blocked real-time one queues over all the execs, and at the end exactly what was sent is there.
// covers: execve, rt_sigqueueinfo, rt_sigtimedwait, rt_sigpending
// timeout: 30
#include "sig.h"

#define ROUNDS 40

static void again(char *self, int round)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", round);
    execl("/proc/self/exe", self, text, NULL);
    CHECK(!"execl");
}

// The last round: everything sent, in order, then the end mark.
static void drain(void)
{
    sigset_t set = sigset_of(SIGRTMIN);
    siginfo_t si;
    int n = 0;

    for (;;) {
        CHECK(sigwaitinfo(&set, &si) == SIGRTMIN && si.si_pid == getppid());
        if (si.si_int == -1)
            break;
        CHECK_EQ(si.si_int, n);
        n++;
    }
    CHECK(n > 0);
    _exit(0);
}

int main(int argc, char **argv)
{
    union sigval v = {.sival_int = 0};
    int st, ended = 0;
    pid_t pid;

    if (argc > 1) {
        int round = atoi(argv[1]);
        struct sigaction sa;

        CHECK(is_blocked(SIGRTMIN) && !is_blocked(SIGUSR1) && !is_blocked(SIGSYS));
        CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
        CHECK(sigaction(SIGSYS, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
        if (round == ROUNDS) {
            raise(SIGSTOP); // tells the parent
            drain();
        }
        again(argv[0], round + 1);
    }
    pid = OK(fork());
    if (pid == 0) {
        block(SIGRTMIN);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGSYS, SIG_IGN);
        raise(SIGSTOP);
        again(argv[0], 0);
    }
    CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
    CHECK(kill(pid, SIGCONT) == 0);
    while (!ended) {
        CHECK(kill(pid, SIGUSR1) == 0 && kill(pid, SIGSYS) == 0);
        if (sigqueue(pid, SIGRTMIN, v) == 0)
            v.sival_int++;
        else
            CHECK_EQ(errno, EAGAIN);
        CHECK((ended = waitpid(pid, &st, WUNTRACED | WNOHANG)) >= 0);
        sleep_us(50);
    }
    CHECK_EQ(WIFSTOPPED(st) ? 0 : st, 0);
    v.sival_int = -1;
    CHECK(kill(pid, SIGCONT) == 0);
    while (sigqueue(pid, SIGRTMIN, v) != 0)
        sleep_us(500);
    wait_ok(pid);
    return done();
}
