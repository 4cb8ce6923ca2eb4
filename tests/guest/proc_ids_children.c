// SPDX-License-Identifier: MIT
// getpid and gettid in every kind of child, in handlers and after execve: what the parent was told,
// what the kernel wrote by CLONE_CHILD_SETTID, and what /proc shows.
// covers: getpid, gettid, clone, clone3, fork, vfork, execve
#include "clone.h"
#include <stdbool.h>

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static volatile int seen_pid, seen_tid, in_handler;
static int ctid;
static pid_t parent;

// No libc in children with somebody else's thread pointer.
static int look(void *arg)
{
    (void)arg;
    seen_pid = syscall(SYS_getpid);
    seen_tid = syscall(SYS_gettid);
    return 0;
}

static void handler(int sig)
{
    (void)sig;
    in_handler = syscall(SYS_getpid) == seen_pid && syscall(SYS_gettid) == seen_tid;
}

// What the host's kernel says, by another way than the calls themselves.
static void check_proc(void)
{
    char text[64];
    ssize_t n = OK(readlink("/proc/thread-self", text, sizeof(text) - 1));
    int pid, task;

    text[n] = 0;
    CHECK_EQ(sscanf(text, "%d/task/%d", &pid, &task), 2);
    CHECK_EQ(syscall(SYS_getpid), pid);
    CHECK_EQ(syscall(SYS_gettid), task);
}

static void *thread(void *arg)
{
    check_proc();
    CHECK_EQ(syscall(SYS_getpid), parent);
    CHECK(syscall(SYS_gettid) != parent);
    pid_t pid = OK(fork()); // the child's only thread is its first
    if (pid == 0) {
        check_proc();
        CHECK_EQ(syscall(SYS_getpid), syscall(SYS_gettid));
        _exit(syscall(SYS_getpid) == parent);
    }
    wait_ok(pid);
    return arg;
}

static void deep(int levels)
{
    pid_t up = syscall(SYS_getpid), pid = OK(fork());

    if (pid == 0) {
        check_proc();
        CHECK(getppid() == up && syscall(SYS_gettid) == syscall(SYS_getpid));
        if (levels)
            deep(levels - 1);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(syscall(SYS_getpid), up);
}

static void with_clone(unsigned long flags, bool wait)
{
    char *stack = new_stack(65536);
    long ret;

    ctid = -1;
    seen_pid = seen_tid = 0;
    ret = clone_call(flags | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, stack + 65536, NULL, &ctid,
                     NULL, look, NULL);
    CHECK(ret > 0);
    if (wait)
        CHECK_EQ(exit_code(ret), 0);
    else
        while (__atomic_load_n(&ctid, __ATOMIC_ACQUIRE))
            sleep_us(100);
    CHECK_EQ(seen_tid, ret);
    CHECK_EQ(seen_pid, flags & CLONE_THREAD ? parent : ret);
    CHECK_EQ(syscall(SYS_getpid), parent);
    CHECK_EQ(syscall(SYS_gettid), parent);
    CHECK(munmap(stack, 65536) == 0);
}

int main(int argc, char **argv)
{
    pthread_t th[8];
    pid_t pid;

    if (argc > 1) { // executed: by the process whose id is the argument, or by its child
        check_proc();
        CHECK_EQ(syscall(SYS_getpid), syscall(SYS_gettid));
        if (argv[1][0] == '=')
            CHECK_EQ(atoi(argv[1] + 1), syscall(SYS_getpid));
        return 0;
    }
    parent = getpid();
    check_proc();
    deep(4);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&th[i], NULL, thread, NULL) == 0);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    with_clone(THREAD, false);
    with_clone(CLONE_VM | SIGCHLD, true);
    with_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, true);
    with_clone(CLONE_VM | CLONE_SIGHAND | SIGCHLD, true);
    with_clone(CLONE_VM | CLONE_FS | CLONE_FILES, true);

    // clone without CLONE_VM: a copy looks, and tells by its status.
    for (int flags = 0; flags < 2; flags++) {
        pid = OK(
            (pid_t)syscall(SYS_clone, (flags ? CLONE_FILES | CLONE_FS : 0) | SIGCHLD, 0, 0, 0, 0));
        if (pid == 0) {
            check_proc();
            _exit(syscall(SYS_getpid) != syscall(SYS_gettid));
        }
        wait_ok(pid);
    }
    // vfork, twice deep; the parents keep theirs.
    volatile pid_t inner, outer = vfork();
    if (outer == 0) {
        look(NULL);
        inner = vfork();
        if (inner == 0) {
            seen_tid = syscall(SYS_getpid);
            _exit(0);
        }
        _exit(seen_tid != inner || syscall(SYS_getpid) != seen_pid);
    }
    wait_ok(outer);
    CHECK_EQ(seen_pid, outer);
    CHECK_EQ(syscall(SYS_getpid), parent);

    // In a handler of a child.
    signal(SIGUSR1, handler);
    pid = OK(fork());
    if (pid == 0) {
        look(NULL);
        CHECK(raise(SIGUSR1) == 0 && in_handler && seen_pid != parent);
        _exit(0);
    }
    wait_ok(pid);

    // execve keeps the id; vfork and execve give a new one.
    pid = OK(fork());
    if (pid == 0) {
        char name[16];

        snprintf(name, sizeof(name), "=%d", getpid());
        execl("/proc/self/exe", "x", name, NULL);
        _exit(1);
    }
    wait_ok(pid);
    pid = vfork();
    if (pid == 0) {
        execl("/proc/self/exe", "x", "new", NULL);
        _exit(1);
    }
    wait_ok(pid);
    return done();
}
