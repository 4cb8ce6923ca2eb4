// SPDX-License-Identifier: MIT
// clone3 at work: a fork, a thread as glibc makes it, a child that shares memory, a pidfd,
// exit_signal 0, another exit signal, and CLONE_CLEAR_SIGHAND.
// covers: clone3, waitid
// trap: not container,old: such a host refuses clone3
#include "clone.h"
#include <linux/futex.h>

static volatile int value;
static int word, fd;

static int set(void *arg)
{
    value = (long)arg;
    return 3;
}

static void handler(int sig)
{
    (void)sig;
}

static int actions(void *arg)
{
    struct sigaction sa;

    (void)arg;
    CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN); // stays
    return 4;
}

static int plain(void *arg)
{
    return getppid() == *(pid_t *)arg ? 5 : 6;
}

int main(void)
{
    char *stack = new_stack(65536);
    struct clone_args a = {.exit_signal = SIGCHLD};
    pid_t me = getpid(), pid;
    siginfo_t si;
    int v;

    pid = clone3_call(&a, sizeof(a), plain, &me);
    CHECK(pid > 0 && exit_code(pid) == 5);

    a = (struct clone_args){.flags = CLONE_VM | CLONE_PIDFD | CLONE_PARENT_SETTID,
                            .pidfd = (uintptr_t)&fd,
                            .parent_tid = (uintptr_t)&word,
                            .exit_signal = 0,
                            .stack = (uintptr_t)stack,
                            .stack_size = 65536};
    pid = clone3_call(&a, sizeof(a), set, (void *)11);
    CHECK(pid > 0 && word == pid && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERR(waitid(P_PIDFD, fd, &si, WEXITED), ECHILD); // it is a "clone" child
    CHECK(waitid(P_PIDFD, fd, &si, WEXITED | __WALL) == 0);
    CHECK(si.si_pid == pid && si.si_code == CLD_EXITED && si.si_status == 3);
    CHECK_EQ(value, 11);
    close(fd);

    a = (struct clone_args){.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                     CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
                                     CLONE_CHILD_CLEARTID,
                            .parent_tid = (uintptr_t)&word,
                            .child_tid = (uintptr_t)&word,
                            .stack = (uintptr_t)stack,
                            .stack_size = 65536};
    value = 0;
    pid = clone3_call(&a, sizeof(a), set, (void *)12);
    CHECK(pid > 0);
    while ((v = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) != 0)
        syscall(SYS_futex, &word, FUTEX_WAIT, v, NULL, NULL, 0);
    CHECK_EQ(value, 12);

    // The exit signal arrives instead of SIGCHLD.
    sigset_t set10 = sigset_of(SIGUSR1);
    block(SIGUSR1);
    a = (struct clone_args){.exit_signal = SIGUSR1};
    pid = clone3_call(&a, sizeof(a), plain, &me);
    CHECK(pid > 0 && sigwaitinfo(&set10, &si) == SIGUSR1);
    CHECK(si.si_pid == pid && si.si_code == CLD_EXITED && si.si_status == 5);
    CHECK_EQ(exit_code(pid), 5);

    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    a = (struct clone_args){.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
    pid = clone3_call(&a, sizeof(a), actions, NULL);
    CHECK(pid > 0 && exit_code(pid) == 4);
    return done();
}
