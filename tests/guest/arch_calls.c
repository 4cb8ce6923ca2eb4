// SPDX-License-Identifier: MIT
// arch_prctl: FS base read and written, GS base where it may be, CPUID faulting, errors. FS
// survives signals, fork and calls. personality: flags are kept over fork and execve.
// covers: arch_prctl, personality
#include "sig.h"
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/personality.h>

static long arch(long op, unsigned long addr)
{
    return syscall(SYS_arch_prctl, op, addr);
}

static unsigned long fs_base(void)
{
    unsigned long v;

    CHECK(arch(ARCH_GET_FS, (unsigned long)&v) == 0);
    return v;
}

static void handler(int sig)
{
    (void)sig;
    CHECK(fs_base() == (unsigned long)__builtin_thread_pointer());
}

static void *thread(void *arg)
{
    CHECK(fs_base() == (unsigned long)__builtin_thread_pointer() &&
          fs_base() != *(unsigned long *)arg);
    return arg;
}

int main(int argc, char **argv)
{
    unsigned long mine = fs_base(), words[2] = {0, 77}, got = 0, v = 1;
    pthread_t th;
    pid_t pid;

    if (argc > 1) {
        CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE | SHORT_INODE);
        return done();
    }
    CHECK_EQ(mine, (unsigned long)__builtin_thread_pointer());
    CHECK(pthread_create(&th, NULL, thread, &mine) == 0 && pthread_join(th, NULL) == 0);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(fs_base(), mine);
        _exit(0);
    }
    wait_ok(pid);
    // Another base, read through it, and back: no libc in between.
    __asm__ volatile(
        "syscall\n"
        "mov %%fs:8, %%rdi\n"
        "mov %%rdi, %[got]\n"
        "mov %[set], %%edi\n"
        "mov %[mine], %%rsi\n"
        "mov %[nr], %%eax\n"
        "syscall\n"
        : [got] "=&r"(got), "=a"(v)
        : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS),
          "S"(words), [set] "i"(ARCH_SET_FS), [mine] "r"(mine), [nr] "i"(SYS_arch_prctl)
        : "rcx", "r11", "memory");
    CHECK(got == 77 && v == 0 && fs_base() == mine);
    CHECK_ERR(arch(ARCH_SET_FS, 1ul << 60), EPERM);
    CHECK_ERR(arch(ARCH_GET_FS, 8), EFAULT);
    CHECK(arch(ARCH_GET_GS, (unsigned long)&v) == 0 && v == 0);
    CHECK_ERR(arch(0x9999, 0), EINVAL);

    CHECK_EQ(personality(0xffffffff), 0);
    CHECK_EQ(personality(ADDR_NO_RANDOMIZE | SHORT_INODE), 0);
    CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE | SHORT_INODE);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE | SHORT_INODE);
        CHECK_EQ(personality(0), ADDR_NO_RANDOMIZE | SHORT_INODE);
        _exit(0);
    }
    wait_ok(pid);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execl");
}
