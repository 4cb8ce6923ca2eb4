// SPDX-License-Identifier: MIT
// A limit of descriptors that is refused leaves the one that was; of what is wrong with a call on
// descriptors and one on a process, what Linux looks at first is told.
// covers: prlimit64, setrlimit, dup3, fcntl, pidfd_send_signal
// trap: not old: such a host has no pidfd_open
#include "check.h"
#include <sys/resource.h>

static struct rlimit was;

static void as_it_was(void)
{
    struct rlimit now;
    char line[256], soft[32], hard[32];
    int status, seen = 0;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
    CHECK_EQ(now.rlim_cur, was.rlim_cur);
    CHECK_EQ(now.rlim_max, was.rlim_max);
    FILE *f = fopen("/proc/self/limits", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Max open files %31s %31s", soft, hard) == 2)
            seen =
                strtoul(soft, NULL, 10) == was.rlim_cur && strtoul(hard, NULL, 10) == was.rlim_max;
    fclose(f);
    CHECK(seen);
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
        _exit(now.rlim_cur != was.rlim_cur || now.rlim_max != was.rlim_max);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void refused(void)
{
    // More than any process may have (fs.nr_open).
    const struct rlimit wanted[] = {
        {40, 1UL << 40}, {1000, 1UL << 40}, {65536, 1UL << 40}, {1UL << 40, 1UL << 40}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        CHECK_ERR(setrlimit(RLIMIT_NOFILE, &wanted[i]), EPERM);
        as_it_was();
        CHECK_ERR(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, &wanted[i], NULL), EPERM);
        as_it_was();
    }
}

int main(void)
{
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &was), 0);
    refused();
    if (was.rlim_cur > 4096)
        was.rlim_cur = 4096;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
    as_it_was();
    refused();
    CHECK_ERR(setrlimit(RLIMIT_NOFILE, &(struct rlimit){41, 40}), EINVAL);
    as_it_was();

    was.rlim_cur = 100;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
    CHECK_ERR(dup3(0, 100, 1), EINVAL);
    CHECK_ERR(dup3(0, 100, O_CLOEXEC), EBADF);
    CHECK_ERR(dup3(0, 0, 0), EINVAL);
    CHECK_ERR(dup3(77, 77, 0), EINVAL);
    CHECK_ERR(fcntl(77, F_DUPFD, 100), EBADF);
    CHECK_ERR(fcntl(77, F_DUPFD_CLOEXEC, 1 << 20), EBADF);
    CHECK_ERR(fcntl(0, F_DUPFD, 100), EINVAL);

    // The information, the signal, and whether the process is there.
    pid_t pid = OK(fork());
    if (pid == 0)
        _exit(0);
    int pidfd = OK(syscall(SYS_pidfd_open, pid, 0)), own = OK(syscall(SYS_pidfd_open, getpid(), 0));
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
    for (int i = 0; i < 2; i++) {
        CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, 65, 8, 0), EFAULT);
        CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, 65, &info, 0), EINVAL);
        CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, &info, 0), EPERM);
        CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, 65, NULL, 0), i ? ESRCH : EINVAL);
        CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 64), EINVAL);
        if (!i)
            CHECK_EQ(waitpid(pid, NULL, 0), pid);
    }
    CHECK_ERR(syscall(SYS_pidfd_send_signal, own, 65, 8, 0), EFAULT);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, own, 65, NULL, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, -1, 65, 8, 0), EBADF);
    return done();
}
