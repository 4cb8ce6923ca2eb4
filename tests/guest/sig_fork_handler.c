// SPDX-License-Identifier: MIT
// Handlers that do big things: fork and wait, vfork and exec, start a thread; and execve from a
// handler, after which its signal is still blocked. The call that was interrupted goes on.
// covers: fork, vfork, execve, rt_sigaction, rt_sigreturn, wait4
#include "sig.h"

static int p[2];
static volatile int runs;
static char *self;

static int status(pid_t pid)
{
    int st;

    CHECK(waitpid(pid, &st, 0) == pid);
    return st;
}

static void *thread(void *arg)
{
    CHECK(is_blocked(SIGUSR1)); // as the handler that made it
    return arg;
}

static void handler(int sig)
{
    char *args[] = {self, "seven", NULL}, *none[] = {NULL};
    pthread_t th;
    pid_t pid;

    (void)sig;
    pid = OK(fork());
    if (pid == 0) {
        CHECK(is_blocked(SIGUSR1));
        _exit(5);
    }
    CHECK_EQ(status(pid), 5 << 8);
    pid = vfork();
    if (pid == 0) {
        execve("/proc/self/exe", args, none);
        _exit(1);
    }
    CHECK_EQ(status(pid), 7 << 8);
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    runs++;
}

// Returns from the handler in the child: both go on from the interrupted point.
static volatile pid_t forked = -1;
static void fork_and_return(int sig)
{
    (void)sig;
    forked = fork();
}

static void exec_now(int sig)
{
    char *args[] = {self, "blocked?", NULL}, *none[] = {NULL};

    (void)sig;
    execve("/proc/self/exe", args, none);
    CHECK(!"execve");
}

static void exec_in_handler(void)
{
    signal(SIGUSR2, exec_now);
    raise(SIGUSR2);
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    pid_t pid;
    char c;

    self = argv[0];
    if (argc > 1) {
        if (argv[1][0] == 's')
            return 7;
        CHECK(is_blocked(SIGUSR2) && !is_blocked(SIGUSR1));
        return 9;
    }
    CHECK(pipe(p) == 0 && sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    CHECK_EQ(runs, 1);
    // A child interrupts the read, several times, before it writes. Not yet while libc forks: the
    // handler calls libc itself.
    block(SIGUSR1);
    pid = OK(fork());
    if (pid == 0) {
        for (int i = 0; i < 3; i++) {
            kill(getppid(), SIGUSR1);
            sleep_us(3000);
        }
        CHECK(write(p[1], "x", 1) == 1);
        _exit(0);
    }
    unblock(SIGUSR1);
    CHECK(read(p[0], &c, 1) == 1 && c == 'x');
    wait_ok(pid);
    CHECK(runs >= 2 && runs <= 4);

    signal(SIGUSR1, fork_and_return);
    raise(SIGUSR1);
    CHECK(forked >= 0 && !is_blocked(SIGUSR1));
    if (forked == 0)
        _exit(11);
    CHECK_EQ(status(forked), 11 << 8);
    CHECK_EQ(status_of(exec_in_handler), 9 << 8);
    return done();
}
