// SPDX-License-Identifier: MIT
// SIGSYS is an ordinary signal for the program: handler, mask, SIG_IGN, sigwait, sigqueue with a
// value, SA_RESETHAND, default death; it interrupts calls as others do. A translation layer that
// uses the signal itself must not let it show.
// covers: rt_sigaction, rt_sigprocmask, rt_sigtimedwait, tgkill, rt_sigqueueinfo, read
#include "sig.h"
#include <sys/time.h>

static volatile int runs, code, value;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    char c;

    (void)ctx;
    CHECK_EQ(sig, SIGSYS);
    CHECK(is_blocked(SIGSYS));
    CHECK_ERR(read(-1, &c, 1), EBADF);
    code = si->si_code;
    value = si->si_int;
    runs++;
}

static void die(void)
{
    raise(SIGSYS);
}
static void die_reset(void)
{
    catch_info(SIGSYS, handler, SA_RESETHAND);
    raise(SIGSYS);
    CHECK_EQ(runs, 1);
    raise(SIGSYS);
}
static void die_unblocked(void)
{
    block(SIGSYS);
    raise(SIGSYS);
    signal(SIGSYS, SIG_DFL);
    getppid();
    unblock(SIGSYS);
}

static void *sender(void *arg)
{
    pid_t to = *(pid_t *)arg;

    while (runs == 0) {
        syscall(SYS_tgkill, getpid(), to, SIGSYS);
        sleep_us(1000);
    }
    return NULL;
}

int main(void)
{
    struct sigaction sa;
    sigset_t set = sigset_of(SIGSYS), old;
    union sigval v = {.sival_int = 77};
    siginfo_t si;
    pid_t me = getpid();
    pthread_t th;
    int p[2];
    char c;

    CHECK(sigaction(SIGSYS, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL && sa.sa_flags == 0);
    CHECK(!is_blocked(SIGSYS));
    CHECK_EQ(status_of(die), SIGSYS);
    CHECK_EQ(status_of(die_reset), SIGSYS);
    CHECK_EQ(status_of(die_unblocked), SIGSYS);

    catch_info(SIGSYS, handler, 0);
    for (int i = 1; i <= 1000; i++) {
        raise(SIGSYS);
        CHECK_EQ(runs, i);
        CHECK(getpid() == me && code == SI_TKILL);
    }
    CHECK(sigqueue(me, SIGSYS, v) == 0 && code == SI_QUEUE && value == 77);
    block(SIGSYS);
    CHECK(is_blocked(SIGSYS));
    runs = 0;
    CHECK(kill(me, SIGSYS) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(getpid() == me && is_pending(SIGSYS) && runs == 0);
    CHECK(sigwaitinfo(&set, &si) == SIGSYS && si.si_code == SI_USER && si.si_pid == me);
    CHECK(!is_pending(SIGSYS));
    CHECK(kill(me, SIGSYS) == 0);
    sigemptyset(&old);
    CHECK_ERR(sigsuspend(&old), EINTR);
    CHECK(runs == 1 && code == SI_USER && is_blocked(SIGSYS));
    unblock(SIGSYS);
    signal(SIGSYS, SIG_IGN);
    raise(SIGSYS);
    CHECK_EQ(runs, 1);

    // It interrupts a call.
    CHECK(pipe(p) == 0);
    runs = 0;
    catch_info(SIGSYS, handler, 0);
    block(SIGSYS);
    CHECK(pthread_create(&th, NULL, sender, &me) == 0);
    while (runs == 0) {
        unblock(SIGSYS);
        CHECK_ERR(runs ? (errno = EINTR, -1) : read(p[0], &c, 1), EINTR);
    }
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
