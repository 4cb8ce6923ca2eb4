// SPDX-License-Identifier: MIT
// The signal frame is the kernel's ABI: registers at entry, alignment, the red zone left alone,
// restorer address, uc_flags, segment selectors, the xsave area with its magic numbers. A program
// without the libc's wrappers (Go, debuggers, unwinders) reads all of this.
// covers: rt_sigaction, rt_sigreturn
#include "sig.h"
#include <cpuid.h>
#include <sys/auxv.h>

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4

struct sw_bytes { // struct _fpx_sw_bytes
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t xstate_size;
};

// Written by the assembly below.
uint64_t entry[4]; // rax, rdi, rsi, rdx
uint64_t entry_rsp;
static uint64_t interrupted_rsp;
static volatile int seen;

void entry_point(int, siginfo_t *, void *);
extern char restorer[];
__asm__(".pushsection .text\n"
        "entry_point:\n"
        "    mov %rsp, entry_rsp(%rip)\n"
        "    mov %rax, entry(%rip)\n"
        "    mov %rdi, 8+entry(%rip)\n"
        "    mov %rsi, 16+entry(%rip)\n"
        "    mov %rdx, 24+entry(%rip)\n"
        "    jmp handler\n"
        "restorer:\n"
        "    mov $15, %rax\n"
        "    syscall\n"
        ".popsection\n");

__attribute__((used)) static void handler(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    uint64_t *frame = (uint64_t *)entry_rsp, end;
    struct sw_bytes sw;
    uint32_t a, b, c, d, lo, hi, magic2;

    CHECK_EQ(sig, SIGUSR1);
    CHECK_EQ(entry[0], 0);
    CHECK_EQ(entry[1], SIGUSR1);
    CHECK_EQ(entry[2], (uint64_t)si);
    CHECK_EQ(entry[3], (uint64_t)uc);
    CHECK_EQ(entry_rsp % 16, 8);
    CHECK_EQ(frame[0], (uint64_t)restorer);
    CHECK_EQ((uint64_t)uc, entry_rsp + 8);
    CHECK_EQ((uint64_t)si, (uint64_t)uc + 304); // the kernel's ucontext, shorter than libc's
    CHECK_EQ(uc->uc_flags, UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS);
    CHECK_EQ((uint64_t)uc->uc_link, 0);
    // Without a stack: what is left of an ancestor's, not what sigaltstack would report.
    CHECK((uc->uc_stack.ss_flags & ~SS_DISABLE) == 0);
    CHECK_EQ(GREG(ctx, CSGSFS) & 0xffff, 0x33);
    CHECK_EQ(GREG(ctx, CSGSFS) >> 48, 0x2b);
    CHECK_EQ(GREG(ctx, RSP), interrupted_rsp);
    CHECK(GREG(ctx, EFL) & 0x200);

    end = (uint64_t)uc->uc_mcontext.fpregs;
    CHECK_EQ(end % 64, 0);
    CHECK(end >= (uint64_t)si + sizeof(siginfo_t));
    memcpy(&sw, (char *)end + 464, sizeof(sw));
    CHECK_EQ(sw.magic1, 0x46505853);
    __cpuid_count(0xd, 0, a, b, c, d);
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    CHECK((sw.features & ~(uint64_t)lo) == 0 && (sw.features & 3) == 3);
    CHECK(sw.xstate_size >= 576 && sw.xstate_size <= c);
    CHECK(sw.extended_size >= sw.xstate_size + 4);
    memcpy(&magic2, (char *)end + sw.xstate_size, 4);
    CHECK_EQ(magic2, 0x46505845);
    end += sw.extended_size;
    CHECK(end <= interrupted_rsp - 128); // the red zone is above
    CHECK(interrupted_rsp - entry_rsp <= getauxval(AT_MINSIGSTKSZ) + 128 + 64);
    seen = 1;
}

// Raises the signal with a known stack pointer.
static void raise_here(void)
{
    long pid = getpid(), me = tid(), ret;

    __asm__ volatile("mov %%rsp, %0\n"
                     "syscall\n"
                     : "=m"(interrupted_rsp), "=a"(ret)
                     : "a"(SYS_tgkill), "D"(pid), "S"(me), "d"(SIGUSR1)
                     : "rcx", "r11", "memory");
    CHECK_EQ(ret, 0);
}

int main(void)
{
    // The kernel's struct sigaction: handler, flags, restorer, mask.
    struct {
        void *fn;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } sa = {entry_point, SA_SIGINFO | 0x04000000 /* SA_RESTORER */, restorer, 0}, old;

    CHECK(syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8) == 0);
    CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8) == 0);
    CHECK(memcmp(&sa, &old, sizeof(sa)) == 0);
    for (int i = 0; i < 100; i++) {
        seen = 0;
        raise_here();
        CHECK(seen);
    }
    return done();
}
