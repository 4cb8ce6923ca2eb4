// SPDX-License-Identifier: MIT
// What does not interrupt a call: a signal that is ignored, one whose default is to be ignored, a
// blocked one, and (for most calls) stop and continue. After a stop, poll, nanosleep and a futex
// wait go on with the time that was left; sigtimedwait, epoll_wait, semop end with EINTR.
// covers: restart_syscall, poll, nanosleep, futex, rt_sigtimedwait, epoll_wait, semop, kill
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static int ready[2], gate[2], ep, sem;
static uint32_t word;

static void noop(int sig)
{
    (void)sig;
}

static long do_read(void)
{
    char c;
    return read(gate[0], &c, 1);
}
static long do_poll(void)
{
    struct pollfd pfd = {gate[0], POLLIN, 0};
    return poll(&pfd, 1, 60000);
}
static long do_sleep(void)
{
    return nanosleep(&(struct timespec){0, 50000000}, NULL);
}
static long do_futex(void)
{
    struct timespec ts = {0, 50000000};
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, NULL, 0);
}
static long do_epoll(void)
{
    struct epoll_event ev;
    return epoll_wait(ep, &ev, 1, 60000);
}
static long do_sigwait(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &(struct timespec){60, 0});
}
static long do_semop(void)
{
    return semop(sem, &(struct sembuf){0, -1, 0}, 1);
}

// The child tells through ready that it is about to call; stops and ignored signals come until it
// has ended, or (for calls that go on) a number of times before the call may succeed.
static void test(const char *name, long (*call)(void), long wants, int err, int use_gate)
{
    sigset_t usr1;
    int status, n = 0;
    pid_t pid;
    char c;

    fflush(stdout);
    CHECK((pid = fork()) >= 0);
    if (pid == 0) {
        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        sigaddset(&usr1, SIGUSR2);
        sigprocmask(SIG_BLOCK, &usr1, NULL);
        signal(SIGUSR1, noop);
        signal(SIGTERM, SIG_IGN);
        CHECK(write(ready[1], "r", 1) == 1);
        errno = 0;
        long ret = call();
        if (ret != wants || (ret < 0 && errno != err)) {
            dprintf(2, "%s: returned %ld, errno %d\n", name, ret, errno);
            _exit(1);
        }
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1);
    for (;;) {
        const int quiet[] = {SIGUSR1, SIGTERM, SIGCHLD, SIGURG, SIGWINCH, SIGCONT};

        for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
            CHECK(kill(pid, quiet[i]) == 0);
        CHECK(kill(pid, SIGSTOP) == 0);
        CHECK(waitpid(pid, &status, WUNTRACED) == pid);
        if (!WIFSTOPPED(status))
            break;
        CHECK(kill(pid, SIGCONT) == 0);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
        if (use_gate && ++n == 10)
            CHECK(write(gate[1], "x", 1) == 1);
        if (waitpid(pid, &status, WNOHANG) == pid)
            break;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (use_gate)
        CHECK(fcntl(gate[0], F_SETFL, O_NONBLOCK) == 0 &&
              (read(gate[0], &c, 1) == 1 || errno == EAGAIN) && fcntl(gate[0], F_SETFL, 0) == 0);
    puts(name);
}

int main(void)
{
    struct epoll_event ev = {.events = EPOLLIN};

    CHECK(pipe(ready) == 0 && pipe(gate) == 0);
    CHECK((ep = epoll_create1(0)) >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, gate[0], &ev) == 0);
    CHECK((sem = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    test("read goes on", do_read, 1, 0, 1);
    test("poll goes on", do_poll, 1, 0, 1);
    test("nanosleep goes on", do_sleep, 0, 0, 0);
    test("futex wait goes on", do_futex, -1, ETIMEDOUT, 0);
    test("epoll_wait ends", do_epoll, -1, EINTR, 0);
    test("sigtimedwait ends", do_sigwait, -1, EINTR, 0);
    test("semop ends", do_semop, -1, EINTR, 0);
    CHECK(semctl(sem, 0, IPC_RMID) == 0);
    return done();
}
