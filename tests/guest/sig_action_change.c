// SPDX-License-Identifier: MIT
// Actions that change all the time: from handler to handler with every set of flags, to SIG_IGN and
// SIG_DFL and back, while another process sends. Each signal runs the handler of its moment with
// the flags of its moment; setting SIG_IGN or a default that ignores throws a pending one away, a
// handler does not.
// covers: rt_sigaction, rt_sigpending, kill
// timeout: 60
#include "sig.h"
#include <sys/mman.h>
#include <sys/time.h>

static volatile int runs[2];
static volatile char which;

// Counts the steps of the program itself. The one who sends may send only so many signals a step:
// where sending is faster than entering a handler there would be no end of them, and SA_NODEFER
// would fill the stack. (A handler could not count them: the kernel lays frame upon frame before
// the first instruction of the first handler runs.)
static volatile unsigned *step;

static void first(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    runs[0]++;
    which = 1;
}

static void second(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    runs[1]++;
    which = 2;
}

static void set(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa = {.sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO}, old;

    CHECK(sigaction(sig, &sa, NULL) == 0);
    CHECK(sigaction(sig, NULL, &old) == 0);
    CHECK(old.sa_sigaction == fn && (old.sa_flags & ~0x04000000) == sa.sa_flags);
}

// Again and again: the first may come before the call that it is to interrupt.
static void alarms(long us)
{
    struct itimerval it = {{0, us}, {0, us}};

    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

// Whether a handler that is set after another one interrupts a read, is told by its own flags.
static void restart(void)
{
    int p[2], st;
    char c;

    CHECK(pipe(p) == 0);
    for (int round = 0; round < 20; round++) {
        int flags = round & 1 ? SA_RESTART : 0;
        pid_t pid;

        set(SIGALRM, round & 2 ? first : second, round & 4 ? SA_RESTART : 0);
        set(SIGALRM, round & 2 ? second : first, flags);
        which = 0;
        // Before the fork: however late this process is run, one comes before the read.
        alarms(3000);
        pid = OK(fork());
        if (pid == 0) {
            if (flags) {
                sleep_us(12000);
                CHECK(write(p[1], "x", 1) == 1);
            }
            _exit(0);
        }
        if (flags)
            CHECK(read(p[0], &c, 1) == 1);
        else
            CHECK_ERR(read(p[0], &c, 1), EINTR);
        while (!which) // the timer's processor may have been away longer than the child's
            sleep_us(500);
        alarms(0);
        CHECK_EQ(which, round & 2 ? 2 : 1);
        CHECK(waitpid(pid, &st, 0) == pid && st == 0);
    }
}

// SA_NOCLDWAIT and SA_NOCLDSTOP take effect when one handler gives way to another.
static void children(void)
{
    pid_t pid;

    set(SIGCHLD, first, 0);
    set(SIGCHLD, second, SA_NOCLDWAIT | SA_RESTART);
    pid = OK(fork());
    if (pid == 0)
        _exit(3);
    CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
    set(SIGCHLD, first, SA_RESTART);
    pid = OK(fork());
    if (pid == 0)
        _exit(0);
    wait_ok(pid);
    signal(SIGCHLD, SIG_DFL);
}

static void pending(void)
{
    set(SIGUSR1, first, 0);
    set(SIGCHLD, first, 0);
    block(SIGUSR1);
    block(SIGCHLD);
    raise(SIGUSR1);
    raise(SIGCHLD);
    set(SIGUSR1, second, 0);
    set(SIGUSR1, first, SA_RESTART);
    CHECK(is_pending(SIGUSR1) && is_pending(SIGCHLD));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); // which ignores
    CHECK(!is_pending(SIGUSR1) && !is_pending(SIGCHLD));
    raise(SIGUSR1); // blocked: kept, though ignored
    raise(SIGCHLD);
    CHECK(is_pending(SIGUSR1) && is_pending(SIGCHLD));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    CHECK(!is_pending(SIGUSR1) && !is_pending(SIGCHLD));
    unblock(SIGUSR1);
    unblock(SIGCHLD);
}

static void once(int sig)
{
    (void)sig;
    runs[0]++;
}

// SA_RESETHAND falls back to the default, also on the host, and can be set again.
static void reset(void)
{
    struct sigaction sa = {.sa_handler = once, .sa_flags = SA_RESETHAND}, old;

    runs[0] = 0;
    for (int i = 0; i < 5; i++) {
        CHECK(sigaction(SIGUSR2, &sa, &old) == 0 && old.sa_handler == SIG_DFL);
        raise(SIGUSR2);
        CHECK_EQ(runs[0], i + 1);
    }
    CHECK(sigaction(SIGUSR2, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
}

static void die_now(void)
{
    set(SIGTERM, first, 0);
    set(SIGTERM, second, 0);
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
}

// A child sends as fast as it can while the actions change.
static void storm(void)
{
    pid_t to = getpid(), pid;
    int total = 0;

    runs[0] = runs[1] = 0;
    set(SIGUSR1, first, SA_RESTART);
    pid = OK(fork());
    if (pid == 0) {
        for (unsigned sent = 0, seen = 0; getppid() == to;) {
            if (*step != seen) {
                seen = *step;
                sent = 0;
            }
            if (sent < 50) {
                kill(to, SIGUSR1);
                sent++;
            }
        }
        _exit(0);
    }
    for (int i = 0; total < 8000 || !runs[0] || !runs[1]; i++, total++) {
        ++*step;
        switch (i % 5) {
        case 0:
            set(SIGUSR1, first, SA_RESTART);
            break;
        case 1:
            set(SIGUSR1, second, SA_RESTART);
            break;
        case 2:
            set(SIGUSR1, second, SA_RESTART | SA_NODEFER);
            break;
        case 3:
            set(SIGUSR1, first, 0);
            break;
        case 4:
            signal(SIGUSR1, SIG_IGN);
            break;
        }
    }
    set(SIGUSR1, first, SA_RESTART);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
    step = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(step != MAP_FAILED);
    restart();
    children();
    pending();
    reset();
    CHECK(WTERMSIG(status_of(die_now)) == SIGTERM);
    storm();
    return done();
}
