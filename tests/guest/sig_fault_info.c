// SPDX-License-Identifier: MIT
// What a handler is told about a fault: signal, si_code and si_addr; trap number, error code and
// the faulting address in the ucontext; the saved RIP at the instruction (behind it for int3).
// covers: rt_sigaction, mmap, mprotect, ftruncate
#include "sig.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf out;
static volatile siginfo_t info;
static ucontext_t context;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    CHECK_EQ(sig, si->si_signo);
    CHECK_EQ(si->si_errno, 0);
    info = *si;
    memcpy(&context, ctx, 304);
    siglongjmp(out, 1);
}

enum { READ, WRITE, EXEC };

static void touch(volatile char *p, int how)
{
    info.si_signo = 0;
    if (sigsetjmp(out, 1) == 0) {
        if (how == READ)
            (void)*p;
        else if (how == WRITE)
            *p = 1;
        else
            ((void (*)(void))p)();
        CHECK(!"no fault");
    }
}

// err: bit 0 protection, 1 write, 4 fetch; user mode (4) is always there
static void expect(int sig, int code, const volatile void *addr, long err)
{
    CHECK_EQ(info.si_signo, sig);
    CHECK_EQ(info.si_code, code);
    CHECK_EQ((long)info.si_addr, (long)addr);
    CHECK_EQ(GREG(&context, TRAPNO), 14);
    CHECK_EQ(GREG(&context, CR2), (long)addr);
    CHECK_EQ(GREG(&context, ERR) & 0x1f, err | 4);
}

extern char at_div[], at_ud2[], at_int3[], at_hlt[], at_gp[];

int main(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
    char *none, *ro, *file;

    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        catch_info(sigs[i], handler, 0);
    none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ro = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(none != MAP_FAILED && ro != MAP_FAILED);
    touch((char *)16, READ);
    expect(SIGSEGV, SEGV_MAPERR, (char *)16, 0);
    touch((char *)16, WRITE);
    expect(SIGSEGV, SEGV_MAPERR, (char *)16, 2);
    touch((char *)32, EXEC);
    expect(SIGSEGV, SEGV_MAPERR, (char *)32, 16);
    touch(none + 5, READ);
    expect(SIGSEGV, SEGV_ACCERR, none + 5, 0);
    (void)*(volatile char *)ro;
    touch(ro + 1, WRITE);
    expect(SIGSEGV, SEGV_ACCERR, ro + 1, 3);
    touch(ro + 7, EXEC);
    expect(SIGSEGV, SEGV_ACCERR, ro + 7, 17);
    touch((char *)handler, WRITE);
    expect(SIGSEGV, SEGV_ACCERR, (char *)handler, 3);
    CHECK(munmap(ro, 8192) == 0);
    touch(ro, READ);
    expect(SIGSEGV, SEGV_MAPERR, ro, 0);

    // A page wholly behind the end of the file; the one that holds its end reads as zeros.
    CHECK(ftruncate(fd, 100) == 0);
    file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(file != MAP_FAILED && file[200] == 0);
    touch(file + 4096, READ);
    expect(SIGBUS, BUS_ADRERR, file + 4096, 0);
    touch(file + 4100, WRITE);
    expect(SIGBUS, BUS_ADRERR, file + 4100, 2);
    CHECK(ftruncate(fd, 0) == 0);
    touch(file, READ);
    expect(SIGBUS, BUS_ADRERR, file, 0);

    // No address is known for a non-canonical pointer (a general protection fault).
    touch((char *)(1l << 60), READ);
    CHECK(info.si_signo == SIGSEGV && info.si_code == SI_KERNEL && info.si_addr == NULL);
    CHECK_EQ(GREG(&context, TRAPNO), 13);
    if (sigsetjmp(out, 1) == 0)
        __asm__ volatile("at_hlt: hlt");
    CHECK(info.si_signo == SIGSEGV && info.si_code == SI_KERNEL && info.si_addr == NULL);
    CHECK_EQ(GREG(&context, RIP), (long)at_hlt);

    if (sigsetjmp(out, 1) == 0)
        __asm__ volatile("xor %%eax, %%eax; cltd; at_div: idiv %%eax" : : : "eax", "edx");
    CHECK(info.si_signo == SIGFPE && info.si_code == FPE_INTDIV && info.si_addr == at_div);
    CHECK(GREG(&context, TRAPNO) == 0 && GREG(&context, RIP) == (long)at_div);
    if (sigsetjmp(out, 1) == 0)
        __asm__ volatile("at_ud2: ud2");
    CHECK(info.si_signo == SIGILL && info.si_code == ILL_ILLOPN && info.si_addr == at_ud2);
    CHECK(GREG(&context, TRAPNO) == 6 && GREG(&context, RIP) == (long)at_ud2);
    if (sigsetjmp(out, 1) == 0)
        __asm__ volatile("at_int3: int3");
    CHECK(info.si_signo == SIGTRAP && info.si_code == SI_KERNEL && info.si_addr == NULL);
    CHECK(GREG(&context, TRAPNO) == 3 && GREG(&context, RIP) == (long)at_int3 + 1);

    // SSE division by zero with the exception unmasked.
    if (sigsetjmp(out, 1) == 0) {
        volatile double x = 1, z = 0;

        __asm__ volatile("ldmxcsr %0" : : "m"((uint32_t){0x1d80}));
        x = x / z;
        CHECK(!"no fault");
    }
    __asm__ volatile("ldmxcsr %0" : : "m"((uint32_t){0x1f80}));
    CHECK(info.si_signo == SIGFPE && info.si_code == FPE_FLTDIV);
    CHECK_EQ(GREG(&context, TRAPNO), 19);
    return done();
}
