// SPDX-License-Identifier: MIT
// A signal is blocked in its own handler, unless SA_NODEFER; another one nests; sa_mask blocks
// more; SA_RESETHAND is one-shot and shows SIG_DFL inside the handler already.
// covers: rt_sigaction, rt_sigprocmask, kill
#include "sig.h"

static volatile int depth, deepest, runs, other;

static void again(int sig)
{
    if (++depth > deepest)
        deepest = depth;
    if (++runs < 20)
        kill(getpid(), sig);
    depth--;
}

static void inner(int sig)
{
    (void)sig;
    other++;
    CHECK(depth == 1);
    CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
}

static void late(int sig)
{
    (void)sig;
    other++;
    CHECK(depth == 1);
    CHECK(!is_blocked(SIGUSR1) && is_blocked(SIGUSR2) && !is_blocked(SIGHUP));
}

static void outer(int sig)
{
    (void)sig;
    depth = 1;
    kill(getpid(), SIGUSR2);
    CHECK_EQ(other, 1); // at once
    depth = 0;
}

static void masked(int sig)
{
    (void)sig;
    CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2) && is_blocked(SIGHUP) && !is_blocked(SIGTERM));
    kill(getpid(), SIGUSR2);
    CHECK(is_pending(SIGUSR2));
    CHECK_EQ(other, 0); // only after this handler
    depth = 1;
}

static void once(int sig)
{
    struct sigaction sa;

    CHECK(sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
    CHECK(sa.sa_flags & SA_RESETHAND); // the flags stay
    runs++;
}

static void set(int sig, void (*fn)(int), int flags, int mask1, int mask2)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

    sigemptyset(&sa.sa_mask);
    if (mask1)
        sigaddset(&sa.sa_mask, mask1);
    if (mask2)
        sigaddset(&sa.sa_mask, mask2);
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void twice(void)
{
    set(SIGUSR1, once, SA_RESETHAND, 0, 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(runs, 1);
    kill(getpid(), SIGUSR1);
    CHECK(!"alive");
}

int main(void)
{
    int status;

    set(SIGUSR1, again, 0, 0, 0);
    kill(getpid(), SIGUSR1);
    CHECK(runs == 20 && deepest == 1);
    runs = deepest = 0;
    set(SIGUSR1, again, SA_NODEFER, 0, 0);
    kill(getpid(), SIGUSR1);
    CHECK(runs == 20 && deepest == 20);

    set(SIGUSR1, outer, 0, 0, 0);
    set(SIGUSR2, inner, 0, 0, 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(other, 1);

    other = depth = 0;
    set(SIGUSR2, late, 0, 0, 0);
    set(SIGUSR1, masked, 0, SIGUSR2, SIGHUP);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(other, 1);
    CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2) && !is_blocked(SIGHUP));

    // SA_NODEFER with the signal in sa_mask blocks it nevertheless.
    runs = deepest = depth = 0;
    set(SIGUSR1, again, SA_NODEFER, SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    CHECK(runs == 20 && deepest == 1);

    runs = 0;
    status = status_of(twice);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    return done();
}
