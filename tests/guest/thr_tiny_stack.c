// SPDX-License-Identifier: MIT
// Threads on 4 KiB and coroutines on 2 KiB of stack make system calls of every kind: a call needs
// no stack of the program's, not even below the red zone.
// covers: clone, openat, fstat, getcwd, mmap, clock_gettime, readlink
#include "clone.h"
#include <linux/futex.h>

static long sys(long nr, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0;
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

static char name[4096], path[4096];
static struct stat st;

static int calls(void)
{
    struct timespec ts;
    long fd;

    if (sys(SYS_openat, AT_FDCWD, (long)"./a/../../absent", O_RDONLY, 0) >= 0)
        return 1;
    fd = sys(SYS_openat, AT_FDCWD, (long)".", O_RDONLY, 0);
    if (fd < 0 || sys(SYS_fstat, fd, (long)&st, 0, 0) || sys(SYS_close, fd, 0, 0, 0))
        return 2;
    if (sys(SYS_getcwd, (long)name, sizeof(name), 0, 0) <= 1)
        return 3;
    if (sys(SYS_readlink, (long)"/proc/self/exe", (long)path, sizeof(path), 0) <= 0)
        return 4;
    if (sys(SYS_clock_gettime, 1, (long)&ts, 0, 0) ||
        sys(SYS_nanosleep, (long)&(long[2]){0, 1}, 0, 0, 0))
        return 5;
    if (sys(SYS_read, -1, 8, 100, 0) != -EBADF || sys(SYS_uname, 8, 0, 0, 0) != -EFAULT)
        return 6;
    return 42;
}

static int thread_fn(void *arg)
{
    int ret = 0;

    for (int i = 0; i < 50; i++)
        ret = calls();
    *(int *)arg = ret;
    return 0;
}

// Runs fn on another stack, without a system call.
long on_stack(void *top, int (*fn)(void));
__asm__(".pushsection .text\n"
        ".globl on_stack\n"
        "on_stack:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    mov %rdi, %rsp\n"
        "    call *%rsi\n"
        "    mov %rbp, %rsp\n"
        "    pop %rbp\n"
        "    ret\n"
        ".popsection\n");

int main(void)
{
    // A guard page below; what is under the stack's end would show.
    char *mem = new_stack(3 * 4096);
    static int word, result;
    int v;

    CHECK(mprotect(mem, 4096, PROT_NONE) == 0 && mprotect(mem + 8192, 4096, PROT_NONE) == 0);
    for (int i = 0; i < 20; i++) {
        word = 1;
        result = 0;
        CHECK(clone_call(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                             CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
                         mem + 8192, NULL, &word, NULL, thread_fn, &result) > 0);
        while ((v = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) != 0)
            syscall(SYS_futex, &word, FUTEX_WAIT, v, NULL, NULL, 0);
        CHECK_EQ(result, 42);
    }
    // A coroutine: the same on the lower and the upper half of one page.
    memset(mem + 4096, 0x77, 4096);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(on_stack(mem + 8192, calls), 42);
        for (int k = 0; k < 2048; k++)
            CHECK(mem[4096 + k] == 0x77);
    }
    for (int i = 0; i < 50; i++)
        CHECK_EQ(on_stack(mem + 4096 + 2048, calls), 42);
    // In the page's last bytes: a call that returns an error and one that succeeds.
    on_stack(mem + 4096 + 512, (int (*)(void))getppid);
    return done();
}
