// SPDX-License-Identifier: MIT
// vfork: the parent waits until the child execs or exits, also by a signal; the child shares memory
// (its writes stay) but not descriptors, cwd or handlers; other threads of the parent run on; vfork
// again in the child; hundreds of times vfork and execve.
// covers: vfork, execve, exit_group, clone
// timeout: 30
#include "sig.h"

static volatile int shared, ticks, stop, handled;

static void *ticker(void *arg)
{
    while (!stop) {
        getppid();
        ticks++;
    }
    return arg;
}

static void in_child(int sig)
{
    (void)sig;
    handled = getpid();
}

static int status_after(pid_t pid)
{
    int st;

    CHECK(waitpid(pid, &st, 0) == pid);
    return st;
}

int main(int argc, char **argv)
{
    char *again[] = {argv[0], "again", NULL}, *none[] = {NULL};
    volatile pid_t pid, inner;
    pthread_t th;
    int fd;

    if (argc > 1)
        return 17;
    // Writes of the child stay, and it had finished before the parent went on.
    for (volatile int i = 0; i < 50; i++) {
        pid = vfork();
        if (pid == 0) {
            sleep_us(200);
            shared++;
            _exit(i);
        }
        CHECK_EQ(shared, i + 1);
        CHECK_EQ(status_after(pid), i << 8);
    }
    // Descriptors, cwd and dispositions are copies.
    fd = OK(open("/dev/null", O_RDONLY));
    pid = vfork();
    if (pid == 0) {
        close(fd);
        if (chdir("/") || signal(SIGUSR1, SIG_IGN) == SIG_ERR)
            _exit(1);
        umask(077);
        _exit(0);
    }
    CHECK_EQ(status_after(pid), 0);
    CHECK(fcntl(fd, F_GETFD) == 0 && access("/proc/self/exe", F_OK) == 0);
    CHECK(signal(SIGUSR1, in_child) == SIG_DFL);
    // A handler runs in the child, on the shared stack.
    pid = vfork();
    if (pid == 0) {
        raise(SIGUSR1);
        _exit(0);
    }
    CHECK_EQ(status_after(pid), 0);
    CHECK_EQ(handled, pid);
    // The child is killed.
    pid = vfork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    CHECK_EQ(status_after(pid), SIGKILL);
    // A child that crashes.
    pid = vfork();
    if (pid == 0) {
        struct rlimit nothing = {0, 0};

        setrlimit(RLIMIT_CORE, &nothing);
        *(volatile int *)8 = 1;
    }
    CHECK_EQ(status_after(pid), SIGSEGV);
    // vfork in the child.
    pid = vfork();
    if (pid == 0) {
        inner = vfork();
        if (inner == 0) {
            shared = 4711;
            _exit(5);
        }
        if (shared != 4711)
            _exit(1);
        int st = 0;
        if (waitpid(inner, &st, 0) != inner || st != 5 << 8)
            _exit(2);
        _exit(6);
    }
    CHECK_EQ(status_after(pid), 6 << 8);
    // exec: works, and fails without harm.
    pid = vfork();
    if (pid == 0) {
        execve("absent", again, none);
        shared = errno;
        execve("/proc/self/exe", again, none);
        _exit(1);
    }
    CHECK_EQ(status_after(pid), 17 << 8);
    CHECK_EQ(shared, ENOENT);
    // Another thread runs on meanwhile.
    CHECK(pthread_create(&th, NULL, ticker, NULL) == 0);
    pid = vfork();
    if (pid == 0) {
        int from = ticks;

        while (ticks < from + 1000)
            ;
        _exit(0);
    }
    CHECK_EQ(status_after(pid), 0);
    for (volatile int i = 0; i < 300; i++) {
        pid = vfork();
        if (pid == 0) {
            execve("/proc/self/exe", again, none);
            _exit(1);
        }
        CHECK_EQ(status_after(pid), 17 << 8);
    }
    stop = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
