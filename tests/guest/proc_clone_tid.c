// SPDX-License-Identifier: MIT
// The thread-id flags of clone: PARENT_SETTID, CHILD_SETTID, CHILD_CLEARTID (cleared and woken at
// exit, also when killed), SETTLS, PIDFD; set_tid_address.
// covers: clone, set_tid_address, futex, arch_prctl, pidfd_open
#include "clone.h"
#include <asm/prctl.h>
#include <linux/futex.h>
#include <poll.h>

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static int ptid, ctid, gate;
static struct {
    void *self;
    long value;
} tls;

static void wait_zero(int *word)
{
    int v;

    while ((v = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != 0)
        syscall(SYS_futex, word, FUTEX_WAIT, v, NULL, NULL, 0);
}

// Without libc: its thread pointer is not ours.
static long sys(long nr, long a, long b, long c)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return ret;
}

static int with_tls(void *arg)
{
    long fs, v;

    (void)arg;
    if (sys(SYS_arch_prctl, ARCH_GET_FS, (long)&fs, 0) || fs != (long)&tls)
        return 1;
    __asm__ volatile("mov %%fs:8, %0" : "=r"(v));
    if (v != 4711)
        return 2;
    if (sys(SYS_gettid, 0, 0, 0) != ctid || ptid != ctid)
        return 3;
    tls.value = 99;
    return 0;
}

static int until_gate(void *arg)
{
    (void)arg;
    while (__atomic_load_n(&gate, __ATOMIC_ACQUIRE) == 0)
        sys(SYS_futex, (long)&gate, FUTEX_WAIT, 0);
    return 7;
}

static int own_address(void *arg)
{
    if (sys(SYS_set_tid_address, (long)arg, 0, 0) != sys(SYS_gettid, 0, 0, 0))
        return 1;
    return 0;
}

int main(void)
{
    char *stack = new_stack(65536);
    struct pollfd pfd = {.events = POLLIN};
    long ret;
    int fd = -1, word;

    // A thread: the futex word is cleared and woken when it is gone.
    tls.self = &tls;
    tls.value = 4711;
    ctid = 1; // until the child sets it
    ret = clone_call(THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
                         CLONE_CHILD_CLEARTID,
                     stack + 65536, &ptid, &ctid, &tls, with_tls, NULL);
    CHECK(ret > 0 && ptid == ret);
    wait_zero(&ctid);
    CHECK_EQ(tls.value, 99);

    // set_tid_address in a thread moves the word.
    word = 1;
    ret = clone_call(THREAD | CLONE_CHILD_CLEARTID, stack + 65536, NULL, &ctid, NULL, own_address,
                     &word);
    CHECK(ret > 0);
    wait_zero(&word);

    // A process with its own memory: CHILD_SETTID writes into the child's copy only.
    ctid = ptid = 0;
    ret = clone_call(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &ptid, &ctid, NULL,
                     own_address, &word);
    CHECK(ret > 0 && ptid == ret && ctid == 0);
    CHECK_EQ(exit_code(ret), 0);

    // Shared memory, killed: cleared all the same.
    gate = 0;
    ret = clone_call(CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, stack + 65536,
                     NULL, &ctid, NULL, until_gate, NULL);
    CHECK(ret > 0);
    while (__atomic_load_n(&ctid, __ATOMIC_ACQUIRE) == 0)
        sched_yield();
    CHECK(ctid == ret && kill(ret, SIGKILL) == 0);
    wait_zero(&ctid);
    CHECK(waitpid(ret, &word, 0) == ret && word == SIGKILL);

    // PIDFD: a close-on-exec descriptor that becomes readable at exit.
    ret = clone_call(CLONE_PIDFD | CLONE_VM | SIGCHLD, stack + 65536, &fd, NULL, NULL, until_gate,
                     NULL);
    CHECK(ret > 0 && fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    pfd.fd = fd;
    CHECK(poll(&pfd, 1, 0) == 0);
    __atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &gate, FUTEX_WAKE, 1, NULL, NULL, 0);
    CHECK(poll(&pfd, 1, -1) == 1 && (pfd.revents & POLLIN));
    CHECK_EQ(exit_code(ret), 7);
    CHECK(close(fd) == 0);

    CHECK(syscall(SYS_set_tid_address, &word) == getpid());
    return done();
}
