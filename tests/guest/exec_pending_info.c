// SPDX-License-Identifier: MIT
// Blocked signals that are pending at an execve are there afterwards, with what their senders said:
// for a handler of the new image, and for sigwaitinfo.
// covers: execve, rt_sigqueueinfo, rt_sigtimedwait
#include "sig.h"

static const int sigs[] = {SIGSYS, SIGSEGV, SIGBUS, SIGUSR1};
static volatile int seen;

static void check(int i, int sig, const siginfo_t *si)
{
    CHECK_EQ(sig, sigs[i]);
    CHECK_EQ(si->si_signo, sigs[i]);
    CHECK_EQ(si->si_code, SI_QUEUE);
    CHECK_EQ(si->si_value.sival_int, 100 + i);
    CHECK_EQ(si->si_pid, getpid());
    seen++;
}

static void handler(int sig, siginfo_t *si, void *context)
{
    (void)context;
    for (int i = 0; i < 4; i++)
        if (sigs[i] == sig)
            check(i, sig, si);
}

int main(int argc, char **argv)
{
    sigset_t set;
    siginfo_t si;

    sigemptyset(&set);
    for (int i = 0; i < 4; i++)
        sigaddset(&set, sigs[i]);
    if (argc == 1) {
        CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
        for (int i = 0; i < 4; i++)
            CHECK(sigqueue(getpid(), sigs[i], (union sigval){.sival_int = 100 + i}) == 0);
        execl("/proc/self/exe", argv[0], "again", NULL);
        CHECK(!"execl");
    }
    // One of them by a wait, the others by handlers.
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGSEGV);
    CHECK_EQ(sigwaitinfo(&one, &si), SIGSEGV);
    check(1, SIGSEGV, &si);
    for (int i = 0; i < 4; i++) {
        struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
        CHECK(sigaction(sigs[i], &sa, NULL) == 0);
    }
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK_EQ(seen, 4);
    return done();
}
