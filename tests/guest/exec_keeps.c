// SPDX-License-Identifier: MIT
// What survives execve: pid, pending signals, mask, ignored dispositions, cwd, umask, nice value,
// limits, the alarm, interval timers, process group, children, locks; and what does not: handlers,
// close-on-exec descriptors, POSIX timers, mappings, memory locks, the name, the alternate stack.
// covers: execve, rt_sigpending, alarm, setitimer, umask, chdir, setpriority, prlimit64
// covers: timer_create
#include "exec.h"
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>

static void handler(int sig)
{
    (void)sig;
}

// argv: pid ppid child fd
static int second(char **argv)
{
    struct sigaction sa;
    struct itimerval itv;
    struct rlimit lim;
    char name[16], cwd[4096];
    stack_t ss;
    timer_t timer = (timer_t)0;
    int st, fd;
    siginfo_t si;
    sigset_t set = sigset_of(SIGRTMIN);

    CHECK_EQ(getpid(), atoi(argv[1]));
    CHECK(getppid() == atoi(argv[2]) && tid() == getpid() && getpgrp() == getpid());
    for (int sig = 1; sig <= 64; sig++) {
        if (sig == 32 || sig == 33) // libc hides them
            continue;
        CHECK(sigaction(sig, NULL, &sa) == 0);
        CHECK(sa.sa_handler ==
              (sig == SIGHUP || sig == SIGSEGV || sig == SIGSYS ? SIG_IGN : SIG_DFL));
        CHECK_EQ(is_blocked(sig), sig == SIGUSR1 || sig == SIGRTMIN || sig == SIGBUS);
        CHECK_EQ(is_pending(sig), sig == SIGUSR1 || sig == SIGRTMIN || sig == SIGBUS);
    }
    for (int i = 0; i < 3; i++)
        CHECK(sigwaitinfo(&set, &si) == SIGRTMIN && si.si_int == 100 + i);
    CHECK(umask(0) == 027);
    CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(strrchr(cwd, '/'), "/sub") == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur == 200);
    CHECK(getrlimit(RLIMIT_FSIZE, &lim) == 0 && lim.rlim_cur == 1 << 20);
    CHECK(getitimer(ITIMER_VIRTUAL, &itv) == 0 && itv.it_value.tv_sec > 50);
    st = alarm(0);
    CHECK(st > 50 && st <= 100);
    CHECK_ERR(timer_delete(timer), EINVAL);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "prog") == 0);
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
    fd = atoi(argv[4]);
    CHECK(fcntl(fd, F_GETFD) == 0);
    CHECK_ERR(fcntl(fd + 1, F_GETFD), EBADF);
    // The POSIX lock is still this process's.
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK(fcntl(fd, F_GETLK, &fl) == 0 && fl.l_type == F_WRLCK && fl.l_pid == getppid());
        _exit(0);
    }
    wait_ok(pid);
    // The child made before is still there.
    CHECK(waitpid(atoi(argv[3]), &st, 0) == atoi(argv[3]) && st == 21 << 8);
    CHECK_ERR(waitpid(-1, &st, 0), ECHILD);
    return done();
}

int main(int argc, char **argv)
{
    static char alt[65536];
    char pids[4][16], *args[] = {"x", pids[0], pids[1], pids[2], pids[3], NULL};
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct itimerval itv = {.it_value.tv_sec = 100};
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct rlimit lim;
    union sigval v;
    timer_t timer;
    pid_t pid;
    int fd;

    if (argc == 5)
        return second(argv);
    copy_self("prog", 0755);
    CHECK(mkdir("sub", 0755) == 0 && chdir("sub") == 0);
    CHECK(setpgid(0, 0) == 0 || getsid(0) == getpid());
    // Well above what is open, so that the two numbers are neighbours.
    fd = OK(fcntl(OK(open("lock", O_RDWR | O_CREAT, 0600)), F_DUPFD, 50));
    CHECK_EQ(OK(fcntl(OK(open("/", O_RDONLY)), F_DUPFD_CLOEXEC, fd + 1)), fd + 1);
    CHECK(fcntl(fd, F_SETLK, &fl) == 0);
    pid = OK(fork());
    if (pid == 0)
        _exit(21);
    signal(SIGHUP, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    signal(SIGSYS, SIG_IGN);
    signal(SIGTERM, handler);
    signal(SIGILL, handler);
    CHECK(sigaltstack(&ss, NULL) == 0);
    block(SIGUSR1);
    block(SIGBUS);
    block(SIGRTMIN);
    raise(SIGUSR1);
    kill(getpid(), SIGBUS);
    for (v.sival_int = 100; v.sival_int < 103; v.sival_int++)
        CHECK(sigqueue(getpid(), SIGRTMIN, v) == 0);
    umask(027);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
    lim.rlim_cur = 200;
    CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
    CHECK(getrlimit(RLIMIT_FSIZE, &lim) == 0);
    lim.rlim_cur = 1 << 20;
    CHECK(setrlimit(RLIMIT_FSIZE, &lim) == 0);
    alarm(100);
    CHECK(setitimer(ITIMER_VIRTUAL, &itv, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    CHECK(prctl(PR_SET_NAME, "other") == 0);
    snprintf(pids[0], 16, "%d", getpid());
    snprintf(pids[1], 16, "%d", getppid());
    snprintf(pids[2], 16, "%d", pid);
    snprintf(pids[3], 16, "%d", fd);
    execv("../prog", args);
    CHECK(!"execv");
}
