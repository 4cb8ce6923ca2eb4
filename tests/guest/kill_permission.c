// SPDX-License-Identifier: MIT
// Who may signal whom: by each way of sending, by group, to everybody, and the errors.
// covers: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_open, pidfd_send_signal
// trap: not old: such a host has no pidfd_open
// needs: root
#include "check.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>

#define A 54321 // ids that own nothing
#define B 54322

struct peer {
    pid_t pid, thread;
};

static void *second(void *arg)
{
    pid_t me = (pid_t)syscall(SYS_gettid);

    CHECK_EQ(write(*(int *)arg, &me, sizeof(me)), sizeof(me));
    for (;;)
        pause();
}

// A process with these ids and a second thread, that ignores SIGUSR1 and SIGCONT.
static struct peer peer(uid_t ruid, uid_t euid, uid_t suid, int own_group)
{
    int ready[2];
    struct peer p;

    CHECK_EQ(pipe(ready), 0);
    p.pid = OK(fork());
    if (p.pid == 0) {
        pthread_t t;

        signal(SIGUSR1, SIG_IGN);
        signal(SIGRTMIN, SIG_IGN);
        if (own_group == 1)
            CHECK_EQ(setpgid(0, 0), 0);
        if (own_group == 2)
            OK(setsid());
        CHECK_EQ(syscall(SYS_setresuid, ruid, euid, suid), 0);
        CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGKILL), 0); // a change of ids clears it
        CHECK_EQ(pthread_create(&t, NULL, second, &ready[1]), 0);
        for (;;)
            pause();
    }
    CHECK_EQ(read(ready[0], &p.thread, sizeof(p.thread)), sizeof(p.thread));
    close(ready[0]), close(ready[1]);
    return p;
}

static void end(struct peer p)
{
    int st;

    CHECK_EQ(kill(p.pid, SIGKILL), 0);
    CHECK_EQ(waitpid(p.pid, &st, 0), p.pid);
    CHECK_EQ(st, SIGKILL);
}

// What each way of sending says.
static void ways(const char *what, struct peer p, int sig)
{
    siginfo_t info;
    int r[8];

    memset(&info, 0, sizeof(info));
    info.si_code = SI_QUEUE;
    info.si_signo = sig;
    int fd = OK((int)syscall(SYS_pidfd_open, p.pid, 0));
#define WAY(i, ...) (errno = 0, r[i] = syscall(__VA_ARGS__) == 0 ? 0 : errno)
    WAY(0, SYS_kill, p.pid, sig);
    WAY(1, SYS_tkill, p.thread, sig);
    WAY(2, SYS_tgkill, p.pid, p.thread, sig);
    WAY(3, SYS_rt_sigqueueinfo, p.pid, sig, &info);
    WAY(4, SYS_rt_tgsigqueueinfo, p.pid, p.thread, sig, &info);
    WAY(5, SYS_pidfd_send_signal, fd, sig, NULL, 0);
    WAY(6, SYS_pidfd_send_signal, fd, sig, &info, 0);
    WAY(7, SYS_kill, p.thread, sig); // a thread's id finds its process
    close(fd);
    printf("%s, signal %d:", what, sig);
    for (int i = 0; i < 8; i++)
        printf(" %d", r[i]);
    puts("");
}

static void by_identity(void)
{
    struct peer root = peer(0, 0, 0, 0), a = peer(A, A, A, 0), b = peer(B, B, B, 0);
    struct peer mixed = peer(B, B, A, 0), effective = peer(B, A, B, 0), far = peer(B, B, B, 2);
    fflush(stdout);
    pid_t pid = OK(fork());
    if (pid == 0) {
        ways("root to A", a, SIGUSR1);
        become(A, A);
        ways("A to root", root, 0);
        ways("A to A", a, SIGUSR1);
        ways("A to B", b, SIGUSR1);
        ways("A to saved A", mixed, SIGUSR1);
        ways("A to effective A", effective, SIGUSR1);
        ways("A to B, session", b, SIGCONT);
        ways("A to B, other session", far, SIGCONT);
        ways("A to A, no signal", a, 65);
        ways("A to B, no signal", b, 65);
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
    end(root), end(a), end(b), end(mixed), end(effective), end(far);
}

static volatile int got;

static void count(int sig)
{
    (void)sig;
    got++;
}

static int tell(pid_t pid, int sig)
{
    errno = 0;
    return kill(pid, sig) == 0 ? 0 : errno;
}

static void by_group(void)
{
    struct peer a = peer(A, A, A, 1), b = peer(B, B, B, 1);
    fflush(stdout);
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(setpgid(0, 0), 0);
        signal(SIGUSR1, count);
        struct peer mate = peer(A, A, A, 0);
        become(A, A);
        printf("group of A: %d\n", tell(-a.pid, SIGUSR1));
        printf("group of B: %d\n", tell(-b.pid, SIGUSR1));
        printf("own group: %d", tell(0, SIGUSR1));
        printf(" and by number %d, seen %d\n", tell(-getpid(), SIGUSR1), got);
        printf("no group: %d %d\n", tell(-mate.pid, 0), tell(INT32_MIN, 0));
        printf("bad signal: %d %d\n", tell(0, 65), tell(-a.pid, -1));
        printf("all: %d, seen %d\n", tell(-1, SIGUSR1), got); // everybody but the caller
        end(mate);
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
    end(a), end(b);
}

// kill(-1) ends all of an id's processes and nobody else.
static void everybody(void)
{
    struct peer a = peer(A, A, A, 0), a2 = peer(A, A, A, 2), b = peer(B, B, B, 0);
    int st;

    pid_t pid = OK(fork());
    if (pid == 0) {
        become(A, A);
        CHECK_EQ(kill(-1, SIGTERM), 0);
        CHECK_EQ(kill(a.pid, 0), 0); // not waited for yet
        _exit(0);
    }
    wait_ok(pid);
    CHECK(waitpid(a.pid, &st, 0) == a.pid && st == SIGTERM);
    CHECK(waitpid(a2.pid, &st, 0) == a2.pid && st == SIGTERM);
    CHECK_EQ(waitpid(b.pid, &st, WNOHANG), 0);
    CHECK_ERR(kill(a.pid, 0), ESRCH);
    end(b);
}

static void errors(void)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    CHECK_ERR(kill(0x3ffffff, 0), ESRCH);
    CHECK_ERR(kill(0x3ffffff, 65), ESRCH);
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(getpid(), -1), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, -1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, 0x3ffffff, 0), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, getppid(), getpid(), 0), ESRCH);
    // The rest of a siginfo_t that claims to be the kernel's, or kill's.
    info.si_code = SI_USER;
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGURG, &info), EPERM);
    CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), SIGURG, &info), 0);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGURG, bad_ptr), EFAULT);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0), EBADF);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0), EBADF);
    int fd = OK((int)syscall(SYS_pidfd_open, getpid(), 0));
    CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 1u << 30), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 65, NULL, 0), EINVAL);
    info.si_signo = SIGURG;
    CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGCONT, &info, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGURG, bad_ptr, 0), EFAULT);
    CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGURG, &info, 0), 0);
    // Of a process that is gone.
    pid_t pid = OK(fork());
    if (pid == 0)
        _exit(0);
    fd = OK((int)syscall(SYS_pidfd_open, pid, 0));
    wait_ok(pid);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

int main(void)
{
    by_identity();
    by_group();
    everybody();
    errors();
    return done();
}
