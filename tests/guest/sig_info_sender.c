// SPDX-License-Identifier: MIT
// siginfo of sent signals: kill, tkill, tgkill, sigqueue, pthread_sigqueue, pidfd_send_signal, from
// the process itself, from a child, and from a timer; and who may send which si_code.
// covers: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, pidfd_open
// trap: not old: such a host has no pidfd_open
#include "sig.h"

static volatile siginfo_t got; // libc declares kill and its like as leaf functions
static volatile int runs;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    CHECK(sig == si->si_signo && si->si_errno == 0);
    got = *si;
    runs++;
}

static void expect(int code, pid_t pid)
{
    CHECK_EQ(runs, 1);
    CHECK_EQ(got.si_code, code);
    CHECK_EQ(got.si_pid, pid);
    CHECK_EQ(got.si_uid, getuid());
    runs = 0;
}

static int queue(pid_t pid, int sig, int code, int value)
{
    siginfo_t si = {.si_signo = 63 /* is corrected */, .si_code = code};

    si.si_pid = 4711;
    si.si_uid = 4712;
    si.si_int = value;
    return syscall(SYS_rt_sigqueueinfo, pid, sig, &si);
}

int main(void)
{
    pid_t me = getpid(), child;
    union sigval v = {.sival_ptr = (void *)0x123456789abc};
    siginfo_t si = {.si_code = -5};
    int status, pidfd;

    catch_info(SIGUSR1, handler, 0);
    CHECK(kill(me, SIGUSR1) == 0);
    expect(SI_USER, me);
    CHECK(kill(me, 0) == 0 && runs == 0);
    CHECK(syscall(SYS_tkill, tid(), SIGUSR1) == 0);
    expect(SI_TKILL, me);
    CHECK(syscall(SYS_tgkill, me, tid(), SIGUSR1) == 0);
    expect(SI_TKILL, me);
    CHECK(sigqueue(me, SIGUSR1, v) == 0);
    expect(SI_QUEUE, me);
    CHECK(got.si_ptr == v.sival_ptr);
    CHECK(pthread_sigqueue(pthread_self(), SIGUSR1, v) == 0);
    expect(SI_QUEUE, me);
    CHECK(got.si_ptr == v.sival_ptr);
    pidfd = OK((int)syscall(SYS_pidfd_open, me, 0));
    CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0) == 0);
    expect(SI_USER, me);
    si.si_signo = SIGUSR1;
    CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, &si, 0) == 0);
    CHECK(runs == 1 && got.si_code == -5);
    runs = 0;
    si.si_signo = SIGUSR2;
    CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, &si, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0x100), EINVAL);

    // To oneself any code may be given; the rest is taken as it is, but for the number.
    CHECK(queue(me, SIGUSR1, SI_KERNEL, 5) == 0);
    CHECK(runs == 1 && got.si_code == SI_KERNEL && got.si_pid == 4711 && got.si_uid == 4712);
    runs = 0;
    CHECK(queue(me, SIGUSR1, SI_USER, 5) == 0 && queue(me, SIGUSR1, SI_TKILL, 6) == 0);
    CHECK(runs == 2);
    runs = 0;

    CHECK((child = fork()) >= 0);
    if (child == 0) {
        pid_t parent = getppid();

        // To another process: not those of the kernel, nor SI_TKILL.
        CHECK_ERR(queue(parent, SIGUSR1, SI_USER, 1), EPERM);
        CHECK_ERR(queue(parent, SIGUSR1, SI_KERNEL, 1), EPERM);
        CHECK_ERR(queue(parent, SIGUSR1, SI_TKILL, 1), EPERM);
        CHECK(queue(parent, SIGUSR1, SI_QUEUE, 99) == 0);
        _exit(0);
    }
    while (runs == 0)
        sleep_us(500);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(got.si_code == SI_QUEUE && got.si_int == 99 && got.si_pid == 4711);
    runs = 0;
    CHECK((child = fork()) >= 0);
    if (child == 0) {
        CHECK(kill(getppid(), SIGUSR1) == 0);
        _exit(0);
    }
    while (runs == 0)
        sleep_us(500);
    expect(SI_USER, child);
    CHECK(waitpid(child, &status, 0) == child && status == 0);

    CHECK_ERR(kill(me, 65), EINVAL);
    CHECK_ERR(kill(me, -1), EINVAL);
    CHECK_ERR(kill(child, 0), ESRCH);
    CHECK_ERR(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, child, 0), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, me, child, 0), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, 1, tid(), 0), ESRCH); // not that process's thread
    CHECK_ERR(syscall(SYS_tgkill, 0, tid(), 0), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, me, tid(), 65), EINVAL);
    CHECK_ERR(queue(me, 65, SI_QUEUE, 0), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, me, SIGUSR1, 8), EFAULT);
    return done();
}
