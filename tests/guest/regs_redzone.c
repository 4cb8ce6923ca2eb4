// SPDX-License-Identifier: MIT
// The 128 bytes below the stack pointer belong to the program: they survive system calls and
// signals that arrive during them or between them.
// covers: getppid, openat, read, rt_sigaction, tgkill
// timeout: 60
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

static atomic_int handled, stop;
static pid_t target;

static void handler(int sig)
{
    char scratch[4096];

    (void)sig;
    memset(scratch, 0xee, sizeof(scratch));
    __asm__ volatile("" : : "r"(scratch) : "memory");
    getppid();
    atomic_fetch_add(&handled, 1);
}

static void *sender(void *arg)
{
    (void)arg;
    while (!stop)
        syscall(SYS_tgkill, getpid(), target, SIGUSR1);
    return NULL;
}

// Fills the red zone, makes the call n times, counts the words that changed.
long redzone_call(long nr, long a, long b, long c, long n);
__asm__(".pushsection .text\n"
        ".globl redzone_call\n"
        ".type redzone_call, @function\n"
        "redzone_call:\n"
        "    push %rbx; push %r12; push %r13; push %r14\n"
        "    mov %rdi, %rbx; mov %rsi, %r12; mov %rdx, %r13; mov %rcx, %r14\n"
        "    mov $-16, %r9\n"
        "1:  lea 0x1234(%r9), %rax\n"
        "    mov %rax, (%rsp, %r9, 8)\n"
        "    inc %r9\n"
        "    jnz 1b\n"
        "2:  mov %rbx, %rax; mov %r12, %rdi; mov %r13, %rsi; mov %r14, %rdx\n"
        "    syscall\n"
        "    dec %r8\n"
        "    jnz 2b\n"
        "    xor %eax, %eax\n"
        "    mov $-16, %r9\n"
        "3:  lea 0x1234(%r9), %rdx\n"
        "    cmp %rdx, (%rsp, %r9, 8)\n"
        "    je 4f\n"
        "    inc %rax\n"
        "4:  inc %r9\n"
        "    jnz 3b\n"
        "    pop %r14; pop %r13; pop %r12; pop %rbx\n"
        "    ret\n"
        ".size redzone_call, . - redzone_call\n"
        ".popsection\n");

static void calls(void)
{
    char buf[64];

    CHECK_EQ(redzone_call(SYS_getppid, 0, 0, 0, 200), 0);
    CHECK_EQ(redzone_call(SYS_read, -1, (long)buf, 64, 200), 0);
    CHECK_EQ(redzone_call(SYS_openat, AT_FDCWD, (long)"absent", O_RDONLY, 200), 0);
    CHECK_EQ(redzone_call(SYS_openat, AT_FDCWD, 8 /* bad pointer */, O_RDONLY, 20), 0);
    CHECK_EQ(redzone_call(9999, 0, 0, 0, 200), 0);
}

int main(void)
{
    pthread_t th;
    sigset_t usr1;

    calls();
    target = getpid();
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    CHECK(pthread_create(&th, NULL, sender, NULL) == 0);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    while (handled < 2000)
        calls();
    stop = 1;
    CHECK(pthread_join(th, NULL) == 0);
    return done();
}
