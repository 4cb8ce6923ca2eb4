// SPDX-License-Identifier: MIT
// Signals taken without a handler: sigtimedwait and its errors, sigwaitinfo across threads,
// signalfd with its record, and calls that bring their own mask (sigsuspend, ppoll, pselect,
// epoll_pwait): the handler runs with that mask, the old one is back afterwards.
// covers: rt_sigtimedwait, signalfd, signalfd4, rt_sigsuspend, ppoll, pselect6, epoll_pwait
#include "sig.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static volatile int runs;
static volatile int usr2_blocked, term_blocked, saved_usr1;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    runs++;
    usr2_blocked = is_blocked(SIGUSR2);
    term_blocked = is_blocked(SIGTERM);
    saved_usr1 = sigismember(&((ucontext_t *)ctx)->uc_sigmask, SIGUSR1);
}

// In the handler: the call's mask (SIGTERM) and not the thread's (SIGUSR1, SIGUSR2); saved in the
// frame and current afterwards: the thread's.
static void expect_handler(const char *name)
{
    CHECK_EQ(runs, 1);
    CHECK(!usr2_blocked && term_blocked && saved_usr1);
    CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2) && !is_blocked(SIGTERM));
    runs = 0;
    puts(name);
}

static void masks(void)
{
    sigset_t term = sigset_of(SIGTERM);
    struct pollfd pfd;
    struct epoll_event ev = {.events = EPOLLIN};
    struct timespec ts = {60, 0};
    int p[2], ep = OK(epoll_create1(0));
    fd_set fds;

    CHECK(pipe(p) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev) == 0);
    pfd = (struct pollfd){p[0], POLLIN, 0};
    catch_info(SIGUSR1, handler, SA_RESTART);
    block(SIGUSR1);
    block(SIGUSR2);
    CHECK(kill(getpid(), SIGUSR1) == 0 && runs == 0);
    CHECK_ERR(sigsuspend(&term), EINTR);
    expect_handler("sigsuspend");
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK_ERR(ppoll(&pfd, 1, &ts, &term), EINTR);
    expect_handler("ppoll");
    CHECK(kill(getpid(), SIGUSR1) == 0);
    FD_ZERO(&fds);
    FD_SET(p[0], &fds);
    CHECK_ERR(pselect(p[0] + 1, &fds, NULL, NULL, &ts, &term), EINTR);
    expect_handler("pselect");
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK_ERR(epoll_pwait(ep, &ev, 1, -1, &term), EINTR);
    expect_handler("epoll_pwait");

    // With something ready the call succeeds, and the signal waits on.
    CHECK(write(p[1], "x", 1) == 1 && kill(getpid(), SIGUSR1) == 0);
    CHECK(ppoll(&pfd, 1, &ts, NULL) == 1 && runs == 0 && is_pending(SIGUSR1));
    unblock(SIGUSR1);
    CHECK_EQ(runs, 1);
    unblock(SIGUSR2);
    CHECK_ERR(syscall(SYS_rt_sigsuspend, &term, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigsuspend, 8, 8), EFAULT);
    CHECK_ERR(syscall(SYS_ppoll, &pfd, 1, NULL, &term, 4), EINVAL);
}

static void *sender(void *arg)
{
    union sigval v = {.sival_int = 5};

    CHECK(sigqueue(getpid(), SIGRTMIN + 3, v) == 0);
    return arg;
}

static void waits(void)
{
    sigset_t set = sigset_of(SIGRTMIN + 3);
    struct timespec zero = {0, 0}, bad = {0, 1000000000}, soon = {0, 5000000};
    pthread_t th;
    siginfo_t si;

    block(SIGRTMIN + 3);
    CHECK_ERR(sigtimedwait(&set, &si, &zero), EAGAIN);
    CHECK_ERR(sigtimedwait(&set, &si, &soon), EAGAIN);
    CHECK_ERR(sigtimedwait(&set, &si, &bad), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, &si, &zero, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, 8, &si, &zero, 8), EFAULT);
    CHECK(pthread_create(&th, NULL, sender, NULL) == 0);
    CHECK(sigwaitinfo(&set, &si) == SIGRTMIN + 3);
    CHECK(si.si_code == SI_QUEUE && si.si_int == 5 && si.si_pid == getpid());
    CHECK(pthread_join(th, NULL) == 0);
    // Taken although it is not blocked by default and would kill.
    sigaddset(&set, SIGHUP);
    block(SIGHUP);
    CHECK(kill(getpid(), SIGHUP) == 0 && sigwaitinfo(&set, NULL) == SIGHUP);
    unblock(SIGHUP);
}

static void fds(void)
{
    sigset_t set = sigset_of(SIGRTMIN + 3);
    struct signalfd_siginfo rec[4];
    int fd = OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct pollfd pfd = {fd, POLLIN, 0};
    union sigval v = {.sival_int = 41};

    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERR(read(fd, rec, sizeof(rec)), EAGAIN);
    CHECK(poll(&pfd, 1, 0) == 0);
    CHECK(sigqueue(getpid(), SIGRTMIN + 3, v) == 0);
    v.sival_int++;
    CHECK(sigqueue(getpid(), SIGRTMIN + 3, v) == 0);
    CHECK(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLIN);
    CHECK_ERR(read(fd, rec, sizeof(rec[0]) - 1), EINVAL);
    CHECK_EQ(read(fd, rec, sizeof(rec)), 2 * sizeof(rec[0]));
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(rec[i].ssi_signo, SIGRTMIN + 3);
        CHECK_EQ(rec[i].ssi_code, SI_QUEUE);
        CHECK_EQ(rec[i].ssi_pid, getpid());
        CHECK_EQ(rec[i].ssi_uid, getuid());
        CHECK_EQ(rec[i].ssi_int, 41 + i);
    }
    // Changing the set of an existing descriptor.
    set = sigset_of(SIGUSR2);
    block(SIGUSR2);
    CHECK_EQ(signalfd(fd, &set, 0), fd);
    raise(SIGUSR2);
    CHECK_EQ(read(fd, rec, sizeof(rec)), sizeof(rec[0]));
    CHECK(rec[0].ssi_signo == SIGUSR2 && rec[0].ssi_code == SI_TKILL);
    unblock(SIGUSR2);
    CHECK_ERR(signalfd(0, &set, 0), EINVAL);
    CHECK_ERR(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERR(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
    CHECK(close(OK((int)syscall(SYS_signalfd, -1, &set, 8))) == 0);
}

int main(void)
{
    masks();
    waits();
    fds();
    return done();
}
