// SPDX-License-Identifier: MIT
// Syscall user dispatch: calls from outside a range, while a byte says so, raise SIGSYS with what
// was called and from where; the handler may answer in the kernel's place. It is the thread's own,
// and ends with fork and execve.
// covers: prctl
#include "sig.h"
#include <linux/audit.h>
#include <sys/prctl.h>
#include <ucontext.h>

#define SET_DISPATCH 59 // newer than some headers
#define INCLUSIVE_ON 2  // since Linux 6.17

static volatile char selector;
static volatile int caught, number;
static void *volatile from;

// Two places that call: one is allowed, one is not.
long call_allowed(long nr, long arg);
long call_caught(long nr, long arg);
extern char allowed_begin[], allowed_end[], caught_at[];
__asm__(".pushsection .text\n"
        "allowed_begin: call_allowed:\n"
        "mov %rdi, %rax\nmov %rsi, %rdi\nsyscall\nret\n"
        "allowed_end:\n"
        "call_caught:\n"
        "mov %rdi, %rax\nmov %rsi, %rdi\nsyscall\ncaught_at: ret\n"
        ".popsection");

static long set(long mode, const char *begin, const char *end, volatile char *sel)
{
    return prctl(SET_DISPATCH, mode, (long)begin, end - begin, sel);
}

static void handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)sig;
    selector = 0; // the return is a call, too
    caught++;
    number = info->si_syscall;
    from = info->si_call_addr;
    CHECK_EQ(info->si_code, 2);
    CHECK_EQ(info->si_arch, AUDIT_ARCH_X86_64);
    CHECK_EQ(uc->uc_mcontext.gregs[REG_RAX], info->si_syscall);
    CHECK((void *)uc->uc_mcontext.gregs[REG_RIP] == info->si_call_addr);
    uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

// In a child: the signal that ended it.
static int dies_of(volatile char *sel, char value, int block)
{
    int status;
    pid_t pid = OK(fork());

    if (pid == 0) {
        sigset_t set_of;
        sigemptyset(&set_of);
        sigaddset(&set_of, SIGSYS);
        if (block)
            sigprocmask(SIG_BLOCK, &set_of, NULL);
        set(1, allowed_begin, allowed_end, sel);
        selector = value;
        call_caught(SYS_getppid, 0);
        selector = 0;
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void *thread(void *arg)
{
    CHECK(call_caught(SYS_getppid, 0) == getppid()); // not inherited
    return arg;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    long parent = getppid();
    pthread_t th;
    pid_t pid;

    CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
    CHECK_ERR(prctl(SET_DISPATCH, 0, 1, 0, 0), EINVAL);
    CHECK_ERR(prctl(SET_DISPATCH, 0, 0, 0, &selector), EINVAL);
    CHECK_ERR(prctl(SET_DISPATCH, 9, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(SET_DISPATCH, 1, 1, 0, 0), EINVAL);
    CHECK_ERR(prctl(SET_DISPATCH, 1, 16, -16L, 0), EINVAL);
    CHECK_ERR(prctl(SET_DISPATCH, 1, 0, 0, 1ul << 63), EFAULT);

    CHECK(set(1, allowed_begin, allowed_end, &selector) == 0);
    CHECK_EQ(call_caught(SYS_getppid, 0), parent); // the byte says no
    CHECK_EQ(caught, 0);
    for (int i = 1; i <= 1000; i++) {
        selector = 1;
        CHECK_EQ(call_allowed(SYS_getppid, 0), parent);
        CHECK_EQ(call_caught(SYS_getppid, 0), 4711);
        CHECK_EQ(caught, i);
        CHECK(number == SYS_getppid && from == caught_at && !selector);
    }
    selector = 1; // a number that there is not
    CHECK_EQ(call_caught(99999, 0), 4711);
    CHECK(number == 99999 && caught == 1001);

    // Not for children, nor for threads.
    pid = OK(fork());
    if (pid == 0) {
        selector = 1;
        _exit(call_caught(SYS_getppid, 0) != parent && caught == 1001 ? 0 : 1);
    }
    wait_ok(pid);
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    selector = 1;
    CHECK_EQ(call_caught(SYS_getppid, 0), 4711);
    CHECK_EQ(caught, 1002);

    // The range is what is caught.
    if (set(INCLUSIVE_ON, (char *)call_caught, caught_at + 1, NULL) == 0) {
        CHECK_EQ(call_caught(SYS_getppid, 0), 4711);
        CHECK_EQ(call_allowed(SYS_getppid, 0), parent);
        CHECK_EQ(getppid(), parent);
    } else {
        CHECK_EQ(errno, EINVAL);
    }
    CHECK(prctl(SET_DISPATCH, 0, 0, 0, 0) == 0);
    selector = 1;
    CHECK_EQ(call_caught(SYS_getppid, 0), parent);

    CHECK_EQ(dies_of(&selector, 2, 0), SIGSYS);  // no such value
    CHECK_EQ(dies_of((char *)8, 0, 0), SIGSEGV); // no such byte
    CHECK_EQ(dies_of(&selector, 1, 1), SIGSYS);  // blocked
    CHECK_EQ(dies_of(&selector, 0, 1), 0);
    return done();
}
