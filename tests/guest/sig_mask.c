// SPDX-License-Identifier: MIT
// Masks: sigprocmask and its errors, SIGKILL and SIGSTOP never stick, the mask a handler runs with,
// its return after the handler, and a mask edited in the ucontext.
// covers: rt_sigprocmask, rt_sigreturn, rt_sigaction
#include "sig.h"

static volatile int runs;
static volatile uint64_t during;

static uint64_t mask_now(void)
{
    uint64_t m;

    CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &m, 8) == 0);
    return m;
}

static void set_mask(uint64_t m)
{
    CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, NULL, 8) == 0);
}

#define BIT(sig) (1ul << ((sig)-1))

static void watch(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    during = mask_now();
    runs++;
}

static void edit(int sig, siginfo_t *si, void *ctx)
{
    sigset_t *m = &((ucontext_t *)ctx)->uc_sigmask;

    (void)sig, (void)si;
    runs++;
    CHECK(sigismember(m, SIGHUP) && !sigismember(m, SIGUSR1)); // the interrupted mask
    sigdelset(m, SIGHUP);
    sigaddset(m, SIGTERM);
    sigaddset(m, SIGKILL);
    sigaddset(m, SIGSTOP);
    sigaddset(m, SIGSEGV);
    sigaddset(m, SIGSYS);
}

// A change made by sigprocmask inside the handler is undone by sigreturn.
static void change(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    runs++;
    set_mask(BIT(SIGQUIT));
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = watch, .sa_flags = SA_SIGINFO};
    uint64_t all = ~0ul, m;

    set_mask(0);
    set_mask(all);
    CHECK_EQ(mask_now(), all & ~BIT(SIGKILL) & ~BIT(SIGSTOP));
    m = BIT(SIGSEGV) | BIT(SIGSYS) | BIT(SIGBUS) | BIT(64);
    CHECK(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &m, &all, 8) == 0);
    CHECK_EQ(all, ~0ul & ~BIT(SIGKILL) & ~BIT(SIGSTOP));
    CHECK_EQ(mask_now(), all & ~m);
    set_mask(0);
    CHECK_EQ(mask_now(), 0);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, NULL, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, NULL, 16), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, 3, &m, NULL, 8), EINVAL);
    CHECK(syscall(SYS_rt_sigprocmask, 3, NULL, &m, 8) == 0); // `how` is not looked at
    CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_SETMASK, 8, NULL, 8), EFAULT);
    m = BIT(SIGHUP);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, 8, 8), EFAULT);
    CHECK_EQ(mask_now(), m); // set before the old one was written
    set_mask(0);

    sigfillset(&sa.sa_mask);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    CHECK_EQ(during, ~0ul & ~BIT(SIGKILL) & ~BIT(SIGSTOP) & ~BIT(32) & ~BIT(33)); // libc's two
    CHECK_EQ(mask_now(), 0);

    set_mask(BIT(SIGHUP));
    sa.sa_sigaction = edit;
    sigemptyset(&sa.sa_mask);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK_EQ(mask_now(), BIT(SIGTERM) | BIT(SIGSEGV) | BIT(SIGSYS));

    set_mask(BIT(SIGTERM));
    sa.sa_sigaction = change;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK_EQ(mask_now(), BIT(SIGTERM));
    CHECK_EQ(runs, 3);
    return done();
}
