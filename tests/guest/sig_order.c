// SPDX-License-Identifier: MIT
// Pending signals: standard ones are kept once, real-time ones queue; when unblocked together the
// thread's come before the process's, lower numbers first, one number in the order sent, with their
// values.
// covers: rt_sigpending, rt_sigqueueinfo, rt_sigprocmask, tgkill, kill
#include "sig.h"

#define MAX 64
static volatile struct {
    int sig, value;
} log_[MAX];
static volatile int n;

static void note(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    log_[n].sig = sig;
    log_[n++].value = si->si_code == SI_QUEUE ? si->si_int : -1;
}

static void show(void)
{
    printf("delivered:");
    for (int i = 0; i < n; i++) {
        int rt = log_[i].sig >= SIGRTMIN;

        printf(" %s%d", rt ? "RT" : "", rt ? log_[i].sig - SIGRTMIN : log_[i].sig);
        if (log_[i].value >= 0)
            printf("=%d", log_[i].value);
    }
    printf("\n");
    n = 0;
}

static void send_all(void)
{
    union sigval v;

    for (int i = 0; i < 3; i++) {
        for (int k = 3; k >= 0; k--) {
            v.sival_int = 10 * k + i;
            CHECK(sigqueue(getpid(), SIGRTMIN + k, v) == 0);
        }
        CHECK(kill(getpid(), SIGUSR2) == 0);
        CHECK(kill(getpid(), SIGUSR1) == 0);
        CHECK(kill(getpid(), SIGTERM) == 0);
        CHECK(kill(getpid(), SIGHUP) == 0);
    }
    CHECK(syscall(SYS_tgkill, getpid(), tid(), SIGALRM) == 0);
    CHECK(syscall(SYS_tgkill, getpid(), tid(), SIGRTMIN + 1) == 0);
}

static const int sigs[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, 34, 35, 36, 37};

static void install(void)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

    sigfillset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        CHECK(sigaction(sigs[i], &sa, NULL) == 0);
}

int main(void)
{
    sigset_t all, none, pend;

    CHECK_EQ(SIGRTMIN, 34);
    sigfillset(&all);
    sigemptyset(&none);
    install();
    CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
    send_all();
    CHECK_EQ(n, 0);
    CHECK(sigpending(&pend) == 0);
    for (int s = 1; s < 65; s++) {
        int want = 0;

        for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
            want |= sigs[i] == s;
        CHECK_EQ(sigismember(&pend, s), want);
    }
    CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    CHECK(sigpending(&pend) == 0);
    for (int s = 1; s < 65; s++)
        CHECK(!sigismember(&pend, s));
    show();

    // Ignoring a pending signal throws it away.
    CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
    send_all();
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        signal(sigs[i], SIG_IGN);
    CHECK(sigpending(&pend) == 0);
    for (int s = 1; s < 65; s++)
        CHECK(!sigismember(&pend, s));
    install();
    CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    CHECK_EQ(n, 0);
    return done();
}
