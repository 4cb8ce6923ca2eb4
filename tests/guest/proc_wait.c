// SPDX-License-Identifier: MIT
// wait4 and waitid: which child, which change, WNOHANG, WNOWAIT, WCONTINUED, pidfds, groups,
// rusage, and every error.
// covers: wait4, waitid, pidfd_open, setpgid
// trap: not old: such a host has no pidfd_open
#include "sig.h"

static pid_t child(int code)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        if (code < 0)
            for (;;)
                pause();
        _exit(code);
    }
    return pid;
}

static void exited(const siginfo_t *si, pid_t pid, int code, int status)
{
    CHECK_EQ(si->si_signo, SIGCHLD);
    CHECK_EQ(si->si_errno, 0);
    CHECK_EQ(si->si_code, code);
    CHECK_EQ(si->si_pid, pid);
    CHECK_EQ(si->si_uid, getuid());
    CHECK_EQ(si->si_status, status);
}

int main(void)
{
    struct rusage ru;
    siginfo_t si;
    pid_t a, b;
    int st, fd;

    CHECK_ERR(waitpid(-1, &st, 0), ECHILD);
    CHECK_ERR(waitpid(-1, &st, WNOHANG), ECHILD);
    CHECK_ERR(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), ECHILD);
    CHECK_ERR(waitpid(1, &st, 0), ECHILD); // not ours

    a = child(-1);
    CHECK(waitpid(a, &st, WNOHANG) == 0);
    memset(&si, 0x55, sizeof(si));
    CHECK(waitid(P_PID, a, &si, WEXITED | WNOHANG) == 0);
    CHECK(si.si_pid == 0 && si.si_signo == 0);
    CHECK_ERR(waitid(P_PID, a, &si, 0), EINVAL);
    CHECK_ERR(waitid(P_PID, a, &si, WEXITED | 0x100), EINVAL);
    CHECK_ERR(waitid(P_PID, -1, &si, WEXITED), EINVAL);
    CHECK_ERR(waitid(77, a, &si, WEXITED), EINVAL);
    CHECK_ERR(waitid(P_PIDFD, -1, &si, WEXITED), EINVAL);
    CHECK_ERR(waitid(P_PIDFD, 900, &si, WEXITED), EBADF);
    CHECK_ERR(waitid(P_PIDFD, 0, &si, WEXITED), EBADF); // not a pidfd
    CHECK_ERR(waitpid(a, &st, 0x100), EINVAL);
    CHECK_ERR(syscall(SYS_wait4, (int)0x80000000, &st, 0, NULL), ESRCH);

    // Stop, continue, kill; WNOWAIT leaves each of them to be seen again.
    CHECK(kill(a, SIGSTOP) == 0);
    CHECK(waitid(P_PID, a, &si, WSTOPPED | WNOWAIT) == 0);
    exited(&si, a, CLD_STOPPED, SIGSTOP);
    CHECK(waitpid(a, &st, WUNTRACED) == a && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
    CHECK(waitpid(a, &st, WUNTRACED | WNOHANG) == 0); // told once
    CHECK(kill(a, SIGCONT) == 0);
    CHECK(waitid(P_PID, a, &si, WCONTINUED | WNOWAIT) == 0);
    exited(&si, a, CLD_CONTINUED, SIGCONT);
    CHECK(waitpid(a, &st, WCONTINUED) == a && WIFCONTINUED(st));
    CHECK(waitid(P_PID, a, &si, WCONTINUED | WNOHANG) == 0 && si.si_pid == 0);
    CHECK(kill(a, SIGTERM) == 0);
    CHECK(waitid(P_PID, a, &si, WEXITED | WNOWAIT) == 0);
    exited(&si, a, CLD_KILLED, SIGTERM);
    memset(&ru, 0xff, sizeof(ru));
    CHECK(syscall(SYS_wait4, a, &st, 0, &ru) == a && st == SIGTERM);
    CHECK(ru.ru_maxrss >= 0 && ru.ru_maxrss < 1 << 30 && ru.ru_utime.tv_sec >= 0 &&
          ru.ru_utime.tv_sec < 10);
    CHECK_ERR(waitpid(a, &st, 0), ECHILD);
    CHECK_ERR(kill(a, 0), ESRCH);

    // By group, by pidfd, without a status.
    a = child(-1);
    b = child(33);
    CHECK(setpgid(a, a) == 0);
    CHECK(waitpid(-a, &st, WNOHANG) == 0);
    CHECK(waitpid(0, &st, 0) == b && st == 33 << 8); // own group: not a
    CHECK_ERR(waitpid(0, &st, 0), ECHILD);
    CHECK_ERR(waitid(P_PGID, 0, &si, WEXITED), ECHILD);
    CHECK(kill(-a, SIGUSR2) == 0);
    CHECK(waitid(P_PGID, a, &si, WEXITED) == 0);
    exited(&si, a, CLD_KILLED, SIGUSR2);
    a = child(44);
    fd = OK((int)syscall(SYS_pidfd_open, a, 0));
    CHECK(waitid(P_PIDFD, fd, &si, WEXITED) == 0);
    exited(&si, a, CLD_EXITED, 44);
    CHECK_ERR(waitid(P_PIDFD, fd, &si, WEXITED), ECHILD);
    close(fd);
    // A pidfd with O_NONBLOCK turns a wait into EAGAIN.
    a = child(-1);
    fd = OK((int)syscall(SYS_pidfd_open, a, O_NONBLOCK));
    CHECK_ERR(waitid(P_PIDFD, fd, &si, WEXITED), EAGAIN);
    CHECK(kill(a, SIGKILL) == 0 && waitid(P_PID, a, NULL, WEXITED) == 0);

    a = child(1);
    b = child(2);
    CHECK(waitpid(b, NULL, 0) == b && waitpid(-1, &st, 0) == a && st == 1 << 8);
    a = child(3);
    CHECK_ERR(syscall(SYS_wait4, a, 8, 0, NULL), EFAULT); // reaped nevertheless
    CHECK_ERR(waitpid(a, &st, 0), ECHILD);
    CHECK_ERR(syscall(SYS_pidfd_open, a, 0), ESRCH);
    CHECK_ERR(syscall(SYS_pidfd_open, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_open, -1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_open, getpid(), 1), EINVAL);
    return done();
}
