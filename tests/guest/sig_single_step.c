// SPDX-License-Identifier: MIT
// The trap flag: each instruction gives SIGTRAP with TRAP_TRACE; a handler sees the RIPs one by one
// and may clear the flag. Stepping across a system call leaves its result right.
// covers: rt_sigreturn, getppid
#include "sig.h"

#define TF 0x100

extern const char step_start[], step_end[];
static const char *volatile rips[64];
static volatile int n;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    CHECK(sig == SIGTRAP && si->si_code == TRAP_TRACE);
    CHECK_EQ((long)si->si_addr, GREG(ctx, RIP));
    CHECK_EQ(GREG(ctx, TRAPNO), 1);
    if (n < 64)
        rips[n] = (const char *)GREG(ctx, RIP);
    n++;
}

int main(void)
{
    long ret, flags;

    catch_info(SIGTRAP, handler, 0);
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "pushfq\n"
                     "orl $0x100, (%%rsp)\n"
                     "popfq\n"
                     "step_start: nop\n" // traps come after each from here on
                     "nop\n"
                     "inc %%rax\n"
                     "dec %%rax\n"
                     "pushfq\n"
                     "andl $~0x100, (%%rsp)\n"
                     "popfq\n"
                     "step_end: lea 128(%%rsp), %%rsp\n"
                     :
                     :
                     : "rax", "memory", "cc");
    CHECK_EQ(n, 7); // the last one behind the popfq that clears the flag
    for (int i = 0; i < 7; i++)
        printf("+%d ", (int)(rips[i] - step_start));
    CHECK(rips[6] == step_end);
    printf("\n");
    n = 0;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "pushfq\n"
                     "orl $0x100, (%%rsp)\n"
                     "popfq\n"
                     "nop\n"
                     "syscall\n"
                     "nop\n"
                     "nop\n"
                     "pushfq\n"
                     "mov (%%rsp), %%rdx\n"
                     "andl $~0x100, (%%rsp)\n"
                     "popfq\n"
                     "lea 128(%%rsp), %%rsp\n"
                     : "=a"(ret), "=d"(flags)
                     : "a"(SYS_getppid)
                     : "rcx", "r11", "memory", "cc");
    CHECK_EQ(ret, getppid());
    CHECK(flags & TF);
    CHECK(n >= 7 && n <= 9);
    return done();
}
