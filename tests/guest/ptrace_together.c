// SPDX-License-Identifier: MIT
// Signals, interrupts and tracers that come and go at the same time: each signal comes once, and a
// call that was interrupted for nothing ends as if it had not been.
// covers: ptrace, wait4, tkill
// trap: not ptrace,nested its one tracer is lxrun's own
// timeout: 60
#include "trace.h"
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>

#define ROUNDS 300

static struct shared {
    atomic_int handled, last, tid;
    atomic_bool stop;
} * shared;
static int to_child[2];

static void count(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    CHECK_EQ(info->si_value.sival_int, shared->last + 1); // in order, each once
    shared->last = info->si_value.sival_int;
    shared->handled++;
}

static void calls(void)
{
    catch_info(SIGRTMIN, count, 0);
    shared->tid = tid();
    while (!shared->stop) {
        CHECK_ERR(syscall(SYS_lseek, -1, 0, 0), EBADF);
        CHECK_EQ(access("/", F_OK), 0);
    }
    _exit(0);
}

static pid_t run(void (*fn)(void))
{
    shared->tid = 0;
    pid_t pid = OK(fork());
    if (!pid) {
        fn();
        _exit(9);
    }
    while (!shared->tid)
        sleep_us(100);
    return pid;
}

static void send(pid_t pid, int n)
{
    siginfo_t info = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE};
    info.si_value.sival_int = n;
    CHECK_EQ(syscall(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &info), 0);
}

// A signal and an interrupt at once, in any order of stops; then another tracer right behind it.
static void many_times(void)
{
    pid_t pid = run(calls);
    for (int i = 1; i <= ROUNDS; i++) {
        bool interrupted = false, gave = false;
        TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD);
        if (i % 2)
            send(pid, i);
        go(PTRACE_INTERRUPT, pid, 0);
        if (!(i % 2))
            send(pid, i);
        for (;;) {
            int status, sig;
            CHECK_EQ(waitpid(pid, &status, __WALL), pid);
            sig = status == STOPPED(SIGRTMIN) ? SIGRTMIN : 0;
            interrupted |= status == EVENT(PTRACE_EVENT_STOP);
            gave |= sig;
            CHECK(sig || status == EVENT(PTRACE_EVENT_STOP) || status == STOPPED(CALL));
            if (interrupted && gave) {
                go(PTRACE_DETACH_, pid, sig);
                break;
            }
            go(i % 3 ? PTRACE_SYSCALL : PTRACE_CONT, pid, sig);
        }
    }
    while (shared->handled < ROUNDS)
        sleep_us(100);
    shared->stop = true;
    wait_ok(pid);
    CHECK_EQ(shared->handled, ROUNDS);
}

static void nothing(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
}

static void reads(void)
{
    char c;
    CHECK_EQ(pipe(to_child), 0);
    catch_info(SIGUSR1, nothing, 0);
    shared->tid = tid();
    CHECK_ERR(read(to_child[0], &c, 1), EINTR);
    _exit(0);
}

// In a call that had begun before: what is taken away does not interrupt it, what is given does.
static void in_a_call(void)
{
    pid_t pid = run(reads);
    sleep_us(20000);
    go(PTRACE_ATTACH_, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGSTOP));
    go(PTRACE_DETACH_, pid, 0);
    sleep_us(20000);
    TRACE(PTRACE_SEIZE, pid, 0, 0);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_CONT, pid, 0);
    let_run(pid, 20);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    WAIT_FOR(pid, STOPPED(SIGUSR1));
    go(PTRACE_DETACH_, pid, SIGUSR1);
    wait_ok(pid);
}

static void *second(void *arg)
{
    shared->tid = tid();
    while (!shared->stop)
        sleep_us(1000);
    return arg;
}

static void with_second(void)
{
    pthread_t thread;
    catch_info(SIGUSR1, nothing, SA_RESTART);
    CHECK_EQ(pthread_create(&thread, NULL, second, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    _exit(0);
}

// A thread of another process that is no process.
static void one_thread(void)
{
    shared->stop = false;
    pid_t pid = run(with_second), thread = shared->tid;
    TRACE(PTRACE_SEIZE, thread, 0, 0);
    CHECK_EQ(syscall(SYS_tkill, thread, SIGUSR1), 0);
    WAIT_FOR(thread, STOPPED(SIGUSR1));
    CHECK_EQ(syscall(SYS_tgkill, pid, thread, SIGUSR1), 0);
    CHECK_ERR(syscall(SYS_tgkill, thread, thread, SIGUSR1), ESRCH);
    go(PTRACE_CONT, thread, 0);
    WAIT_FOR(thread, STOPPED(SIGUSR1));
    go(PTRACE_DETACH_, thread, SIGUSR1);
    shared->stop = true;
    wait_ok(pid);
}

// It stops for the last time when nothing of it is left but for the host.
static void its_end(void)
{
    unsigned long mask;
    shared->stop = false;
    pid_t pid = run(with_second), thread = shared->tid;
    TRACE(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACEEXIT);
    shared->stop = true;
    WAIT_FOR(thread, EVENT(PTRACE_EVENT_EXIT));
    struct user_regs_struct r = regs_of(thread);
    CHECK_EQ(r.orig_rax, SYS_exit);
    CHECK_EQ(r.rdi, 0);
    TRACE(PTRACE_SETREGS_, thread, 0, &r);
    TRACE(PTRACE_GETSIGMASK, thread, 8, &mask);
    TRACE(PTRACE_SETSIGMASK, thread, 8, &mask);
    go(PTRACE_CONT, thread, 0);
    WAIT_FOR(thread, EXITED(0));
    wait_ok(pid);
}

static void vforks(void)
{
    pid_t parent = tid(), pid = vfork();
    if (!pid) // stopped by its tracer
        _exit(parent != getppid());
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    _exit(status >> 8);
}

// Seizing a thread that waits for its vfork child, which the caller holds; and under signals.
static void vfork_parent(void)
{
    unsigned long child;
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    pid_t pid = traced(vforks, PTRACE_O_TRACEVFORK);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_VFORK));
    TRACE(PTRACE_GETEVENTMSG, pid, 0, &child);
    go(PTRACE_DETACH_, pid, 0);
    WAIT_FOR((pid_t)child, STOPPED(SIGSTOP));
    TRACE(PTRACE_SEIZE, pid, 0, 0);
    go(PTRACE_DETACH_, (pid_t)child, 0);
    WAIT_FOR(pid, STOPPED(SIGCHLD));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(0));
    int status;

    shared->stop = false;
    shared->handled = shared->last = 0;
    catch_info(SIGALRM, nothing, 0);
    pid = run(calls);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 100; i++) {
        int got;
        TRACE(PTRACE_SEIZE, pid, 0, 0);
        go(PTRACE_INTERRUPT, pid, 0);
        while ((got = waitpid(pid, &status, __WALL)) < 0)
            CHECK_EQ(errno, EINTR);
        CHECK_EQ(status, EVENT(PTRACE_EVENT_STOP));
        peek(pid, &to_child);
        go(PTRACE_DETACH_, pid, 0);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    shared->stop = true;
    wait_ok(pid);
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    many_times();
    in_a_call();
    one_thread();
    its_end();
    vfork_parent();
    return done();
}
