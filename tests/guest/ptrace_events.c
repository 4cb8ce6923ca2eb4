// SPDX-License-Identifier: MIT
// New processes, threads and programs of a traced one: their tracer is told, and has them from
// their first instruction on.
// covers: ptrace
// args: x
// trap: not ptrace,nested: the host's tracer is there already; the outer finds no task of the inner's guest
#include "trace.h"
#include <linux/sched.h>

#define ALL                                                                                        \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |      \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT)

static unsigned long message(pid_t pid)
{
    unsigned long m;
    TRACE(PTRACE_GETEVENTMSG, pid, 0, &m);
    return m;
}

static void forks(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(5);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    _exit(WEXITSTATUS(status));
}

static void forked(int event, void (*fn)(void))
{
    pid_t pid = traced(fn, ALL);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(event));
    pid_t child = (pid_t)message(pid);
    CHECK(child > 0 && child != pid);
    WAIT_FOR(child, STOPPED(SIGSTOP));
    CHECK_EQ(regs_of(child).rax, 0);
    go(PTRACE_CONT, pid, 0);
    go(PTRACE_CONT, child, 0);
    WAIT_FOR(child, EVENT(PTRACE_EVENT_EXIT));
    CHECK_EQ(message(child), 5 << 8);
    go(PTRACE_CONT, child, 0);
    WAIT_FOR(child, EXITED(5));
    if (event == PTRACE_EVENT_VFORK) {
        WAIT_FOR(pid, EVENT(PTRACE_EVENT_VFORK_DONE));
        CHECK_EQ(message(pid), child);
        go(PTRACE_CONT, pid, 0);
    }
    WAIT_FOR(pid, STOPPED(SIGCHLD));
    go(PTRACE_CONT, pid, SIGCHLD);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXIT));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(5));
}

static void vforks(void)
{
    pid_t pid = vfork();
    if (!pid)
        _exit(5);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    _exit(WEXITSTATUS(status));
}

static volatile pid_t thread_id;
static void *thread(void *arg)
{
    thread_id = tid();
    return arg;
}

static void starts_thread(void)
{
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    _exit(6);
}

static void threads(void)
{
    pid_t pid = traced(starts_thread, ALL);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_CLONE));
    pid_t child = (pid_t)message(pid);
    WAIT_FOR(child, STOPPED(SIGSTOP));
    // Its calls are seen like any other's.
    go(PTRACE_CONT, pid, 0);
    int calls = 0, found = 0, status;
    for (;;) {
        go(PTRACE_SYSCALL, child, 0);
        CHECK_EQ(waitpid(child, &status, __WALL), child);
        if (status != STOPPED(CALL))
            break;
        calls++;
        struct user_regs_struct r = regs_of(child);
        found |= r.orig_rax == SYS_gettid && (long)r.rax == child;
    }
    CHECK(found && calls % 2 == 1); // it does not come back from exit()
    CHECK_EQ(status, EVENT(PTRACE_EVENT_EXIT));
    CHECK_EQ(peek(child, &thread_id) & 0xffffffff, child);
    go(PTRACE_CONT, child, 0);
    CHECK_EQ(waitpid(child, &status, __WALL), child);
    CHECK(status == EXITED(0) || status == EXITED(6)); // the process may end meanwhile
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXIT));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(6));
}

static void execs(void)
{
    execl("/proc/self/exe", "again", "exit", NULL);
    _exit(99);
}

static void executed(void)
{
    siginfo_t info;
    // Without an option it is a signal.
    pid_t pid = traced(execs, PTRACE_O_TRACESYSGOOD);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGTRAP));
    TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, pid);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(44));

    pid = traced(execs, ALL);
    struct user_regs_struct r = next_call(pid, SYS_execve);
    go(PTRACE_SYSCALL, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXEC));
    CHECK_EQ(message(pid), pid);
    r = next_call(pid, SYS_execve);
    CHECK_EQ(r.rax, 0);
    CHECK_EQ(r.rbx, 0);
    CHECK_EQ(r.rsp % 16, 0);
    CHECK_EQ(peek(pid, (void *)r.rsp), 2); // argc
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXIT));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(44));
}

// A thread that is not the first one: the process has its number from then on.
static void *executes(void *arg)
{
    (void)arg;
    execs();
    return NULL;
}

static void thread_executes(void)
{
    pthread_t t;
    pthread_create(&t, NULL, executes, NULL);
    for (;;)
        pause();
}

static void executed_by_thread(void)
{
    pid_t pid = traced(thread_executes, ALL & ~PTRACE_O_TRACEEXIT);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_CLONE));
    pid_t child = (pid_t)message(pid);
    WAIT_FOR(child, STOPPED(SIGSTOP));
    go(PTRACE_CONT, pid, 0);
    go(PTRACE_CONT, child, 0);
    WAIT_FOR(pid, EVENT(PTRACE_EVENT_EXEC));
    CHECK_EQ(message(pid), child);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(44));
}

static void untraced(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (!pid)
        _exit(5);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    _exit(WEXITSTATUS(status));
}

static void not_followed(void)
{
    pid_t pid = traced(untraced, ALL & ~PTRACE_O_TRACEEXIT);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGCHLD));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(5));

    pid = traced(forks, 0);
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, STOPPED(SIGCHLD));
    go(PTRACE_CONT, pid, 0);
    WAIT_FOR(pid, EXITED(5));
}

// A tree of processes, each traced from its birth.
static void tree(void)
{
    for (int i = 0; i < 3; i++)
        if (!fork()) {
            if (!fork())
                _exit(1);
            while (wait(NULL) > 0)
                ;
            _exit(2);
        }
    while (wait(NULL) > 0)
        ;
    _exit(3);
}

static void trees(void)
{
    int ends[4] = {0}, births = 0, status;
    pid_t pid = traced(tree, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL);
    go(PTRACE_CONT, pid, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status)) {
            ends[WEXITSTATUS(status)]++;
            continue;
        }
        CHECK(WIFSTOPPED(status));
        births += status >> 16 == PTRACE_EVENT_FORK;
        int sig = WSTOPSIG(status);
        go(PTRACE_CONT, pid, status >> 16 || sig == SIGSTOP ? 0 : sig);
    }
    CHECK_EQ(births, 6);
    CHECK_EQ(ends[1], 3);
    CHECK_EQ(ends[2], 3);
    CHECK_EQ(ends[3], 1);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "exit"))
        _exit(44);
    forked(PTRACE_EVENT_FORK, forks);
    forked(PTRACE_EVENT_VFORK, vforks);
    threads();
    executed();
    executed_by_thread();
    not_followed();
    trees();
    return done();
}
