// SPDX-License-Identifier: MIT
// Functions of the program's own, with system calls in them, run from copies elsewhere: in memory
// that is writable all the time, or only before; also many calls of one copy, in several threads,
// and after the text itself was asked for. A wild jump is a fault as ever.
// covers: mmap, mprotect, dup, close, getpid, getppid
#include "sig.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <sys/mman.h>

typedef long function(long nr, long a, long b, long c);

// Begins and ends with labels that the copy is made by.
#define CODE(name, body)                                                                           \
    function name;                                                                                 \
    extern const char name##_end[];                                                                \
    __asm__(".pushsection .text\n"                                                                 \
            ".globl " #name ", " #name "_end\n"                                                    \
            ".type " #name ", @function\n" #name ":\n" body "\n    ret\n" #name "_end:\n"          \
            ".size " #name ", .-" #name "\n.popsection");
// Windows of several instructions, and of one.
CODE(copied, "mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx; syscall")
CODE(number, "mov $39, %eax; syscall; mov $110, %eax; syscall; mov $39, %eax; syscall")
// None, and two calls in a row.
CODE(bare, "push %rdi; pop %rax; push %rsi; pop %rdi; push %rax; pop %rax; syscall; nop; nop")
CODE(twice, "mov $39, %eax; syscall; mov %rdi, %rax; mov %rsi, %rdi; syscall; syscall")
// A load in the window, and an address relative to its own: `text`, of the copy.
CODE(load, "push %rdi; mov 8(%rsp), %r9; mov (%rsp), %rax; mov %rsi, %rdi; syscall; pop %rdi")
CODE(address, "1: mov $39, %eax; lea 1b(%rip), %r8; syscall; mov %r8, %rax")
// A branch to the call itself.
CODE(branch, "test %rdi, %rdi; mov $39, %eax; js 1f; mov %edi, %eax; mov %rsi, %rdi; 1: syscall")

static function *copy(void *to, function *from, const char *end)
{
    memcpy(to, (void *)from, end - (const char *)from);
    return (function *)to;
}
#define COPY(name, to) copy(to, name, name##_end)

static char *area(int prot)
{
    void *w = mmap(NULL, 4 * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(w != MAP_FAILED);
    return w;
}

static void *many(void *f)
{
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(((function *)f)(SYS_getpid, 0, 0, 0), getpid());
    return NULL;
}

// All from one piece of memory; sealed: it is not writable when they run.
static void all(bool sealed)
{
    char *w = area(PROT_READ | PROT_WRITE | (sealed ? 0 : PROT_EXEC));
    function *f = COPY(copied, w), *n = COPY(number, w + 200), *b = COPY(bare, w + 400),
             *t = COPY(twice, w + 600), *l = COPY(load, w + 800), *a = COPY(address, w + 1000),
             *r = COPY(branch, w + 1200), *over = COPY(copied, w + 4096 - 11);
    pthread_t thread[4];

    if (sealed)
        CHECK(mprotect(w, 2 * 4096, PROT_READ | PROT_EXEC) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(f(SYS_dup, 0, 0, 0), 3);
        CHECK_EQ(f(SYS_close, 3, 0, 0), 0);
        CHECK_EQ(over(SYS_dup, 0, 0, 0), 3);
        CHECK_EQ(over(SYS_close, 3, 0, 0), 0);
        CHECK_EQ(n(0, 0, 0, 0), getpid());
        CHECK_EQ(b(SYS_dup, 0, 0, 0), 3);
        CHECK_EQ(b(SYS_close, 3, 0, 0), 0);
        CHECK_EQ(t(SYS_close, -1, 0, 0), -ENOSYS); // of the number -EBADF
        CHECK_EQ(l(SYS_dup, 0, 0, 0), 3);
        CHECK_EQ(l(SYS_close, 3, 0, 0), 0);
        CHECK_EQ(a(0, 0, 0, 0), (long)a);
        CHECK_EQ(r(-1, 0, 0, 0), getpid());
        CHECK_EQ(r(SYS_getppid, 0, 0, 0), getppid());
    }
    f = COPY(copied, area(PROT_READ | PROT_WRITE | PROT_EXEC));
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, many, (void *)f) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

static sigjmp_buf out;
static void *fault_pc, *fault_address;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    fault_pc = (void *)GREG(ctx, RIP);
    fault_address = si->si_addr;
    siglongjmp(out, sig);
}

// What the program does wrong by itself stays its own.
static void wrong(void)
{
    char *w = area(PROT_READ | PROT_WRITE | PROT_EXEC), *none = area(PROT_NONE);

    catch_info(SIGSEGV, handler, 0);
    if (!sigsetjmp(out, 1))
        ((void (*)(void))none)();
    CHECK(fault_pc == none && fault_address == none);
    w[0] = (char)0xf4; // hlt
    w[1] = 5;
    if (!sigsetjmp(out, 1))
        ((void (*)(void))w)();
    CHECK(fault_pc == w && fault_address == NULL && w[0] == (char)0xf4);
}

int main(void)
{
    all(false);
    all(true);
    wrong();
    CHECK_EQ(copied(SYS_getpid, 0, 0, 0), getpid());
    return done();
}
