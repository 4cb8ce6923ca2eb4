// SPDX-License-Identifier: MIT
// A fault whose signal is blocked or ignored kills, with the fault's own signal. The same signal
// *sent* stays pending or is dropped, and a system call that finds a bad pointer gives EFAULT
// whatever the state of SIGSEGV.
// covers: rt_sigprocmask, rt_sigaction, kill, read, rt_sigtimedwait, rt_sigpending
#include "sig.h"
#include <sys/mman.h>

static volatile char *beyond; // a mapping past the end of its file
static volatile int runs;

static void fault(int sig)
{
    switch (sig) {
    case SIGSEGV:
        *(volatile int *)8 = 1;
        break;
    case SIGBUS:
        beyond[0] = 1;
        break;
    case SIGFPE:
        __asm__ volatile("xor %%eax, %%eax; div %%eax" : : : "eax", "edx");
        break;
    case SIGILL:
        __asm__ volatile("ud2");
        break;
    case SIGTRAP:
        __asm__ volatile("int3");
        break;
    }
}

static volatile int the_sig;
static void blocked(void)
{
    block(the_sig);
    fault(the_sig);
}
static void ignored(void)
{
    signal(the_sig, SIG_IGN);
    fault(the_sig);
}
static void never(int sig)
{
    (void)sig;
    _exit(3);
}
static void blocked_with_handler(void)
{
    signal(the_sig, never);
    block(the_sig);
    fault(the_sig);
}
static void plain(void)
{
    fault(the_sig);
}
static void pending_then_fault(void)
{
    block(the_sig);
    CHECK(kill(getpid(), the_sig) == 0 && is_pending(the_sig));
    fault(the_sig);
}

// In a handler with the signal blocked by it, the second fault kills.
static void fault_again(int sig)
{
    fault(sig);
    _exit(3);
}
static void in_handler(void)
{
    signal(the_sig, fault_again);
    fault(the_sig);
}

static void efault(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int p[2], zero_fd = OK(open("/dev/zero", O_RDONLY));
    struct stat st;

    CHECK(pipe(p) == 0 && mprotect(page + 4096, 4096, PROT_NONE) == 0);
    for (int i = 0; i < 50; i++) {
        CHECK_ERR(syscall(SYS_read, zero_fd, 8, 100), EFAULT);
        CHECK_ERR(read(zero_fd, page + 4096, 100), EFAULT);
        CHECK_ERR(syscall(SYS_write, p[1], -4096l, 1), EFAULT);
        CHECK_ERR(syscall(SYS_open, 8, O_RDONLY), EFAULT);
        CHECK_ERR(syscall(SYS_stat, 1, &st), EFAULT);
        CHECK_ERR(syscall(SYS_stat, ".", 8), EFAULT);
        CHECK_ERR(syscall(SYS_nanosleep, 8, 0), EFAULT);
        CHECK_ERR(syscall(SYS_uname, page + 8192 - 100), EFAULT);
        CHECK_ERR(syscall(SYS_getcwd, 8, 4096), EFAULT);
        CHECK_ERR(syscall(SYS_pipe2, 8, 0), EFAULT);
        CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8), EFAULT);
        CHECK_ERR(syscall(SYS_execve, 8, 0, 0), EFAULT);
        CHECK_ERR(open((char *)page + 4096, O_RDONLY), EFAULT);
    }
    memset(page, 'x', 4096);
    CHECK_ERR(open(page + 1, O_RDONLY), EFAULT); // a string that runs into the bad page
    CHECK(!is_pending(SIGSEGV) && !is_pending(SIGBUS));
    munmap(page, 8192);
    close(zero_fd);
    close(p[0]);
    close(p[1]);
}

static void count(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    CHECK(si->si_signo == sig && si->si_code == SI_USER && si->si_pid == getpid());
    runs++;
}

// Sent, not faulted: the signal behaves like any other.
static void sent(int sig)
{
    sigset_t set = sigset_of(sig);
    siginfo_t si;

    signal(sig, SIG_IGN);
    CHECK(kill(getpid(), sig) == 0);
    block(sig);
    signal(sig, SIG_DFL);
    CHECK(kill(getpid(), sig) == 0 && is_pending(sig));
    CHECK(sigtimedwait(&set, &si, &(struct timespec){0, 0}) == sig);
    CHECK(si.si_code == SI_USER && si.si_pid == getpid() && si.si_uid == getuid());
    CHECK(!is_pending(sig));
    CHECK_ERR(sigtimedwait(&set, &si, &(struct timespec){0, 0}), EAGAIN);
    catch_info(sig, count, 0);
    runs = 0;
    CHECK(kill(getpid(), sig) == 0 && runs == 0);
    unblock(sig);
    CHECK_EQ(runs, 1);
    CHECK(kill(getpid(), sig) == 0 && runs == 2);
    signal(sig, SIG_DFL);
}

int main(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    static void (*const ways[])(void) = {
        plain, blocked, ignored, blocked_with_handler, pending_then_fault, in_handler};
    int fd = OK(open("file", O_RDWR | O_CREAT, 0600));

    beyond = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(beyond != MAP_FAILED);
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
            the_sig = sigs[i];
            CHECK_EQ(status_of(ways[w]), sigs[i]);
        }
    efault();
    block(SIGSEGV);
    block(SIGBUS);
    efault();
    unblock(SIGSEGV);
    signal(SIGSEGV, SIG_IGN);
    signal(SIGBUS, SIG_IGN);
    efault();
    signal(SIGSEGV, never);
    efault();
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    unblock(SIGBUS);
    sent(SIGSEGV);
    sent(SIGBUS);
    sent(SIGSYS);
    sent(SIGFPE);
    sent(SIGTRAP);
    return done();
}
