// SPDX-License-Identifier: MIT
// A handler that edits the saved registers decides where and with what the program goes on: it
// skips a faulting instruction, changes results, moves the stack pointer and sets the flags; every
// register written to the frame arrives.
// covers: rt_sigreturn, rt_sigaction, tgkill
#include "sig.h"

static volatile int runs;
static char other_stack[65536] __attribute__((aligned(16)));
uint64_t landed[17]; // written by the assembly below

static void skip_fault(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    runs++;
    GREG(ctx, RIP) += 2; // mov (%rax),%eax
    GREG(ctx, RAX) = 4711;
}

void landing(void);
__asm__(".pushsection .text\n"
        "landing:\n"
        "    mov %rax, landed(%rip);     mov %rbx, 8+landed(%rip);    mov %rcx, 16+landed(%rip)\n"
        "    mov %rdx, 24+landed(%rip);  mov %rsi, 32+landed(%rip);   mov %rdi, 40+landed(%rip)\n"
        "    mov %rbp, 48+landed(%rip);  mov %rsp, 56+landed(%rip);   mov %r8, 64+landed(%rip)\n"
        "    mov %r9, 72+landed(%rip);   mov %r10, 80+landed(%rip);   mov %r11, 88+landed(%rip)\n"
        "    mov %r12, 96+landed(%rip);  mov %r13, 104+landed(%rip);  mov %r14, 112+landed(%rip)\n"
        "    mov %r15, 120+landed(%rip)\n"
        "    pushfq\n"
        "    popq 128+landed(%rip)\n"
        "    cld\n"
        "    call landed_here\n"
        ".popsection\n");

__attribute__((used, noreturn)) static void landed_here(void)
{
    static const int order[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
                                REG_RBP, -1,      REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};

    for (int i = 0; i < 16; i++)
        if (order[i] >= 0)
            CHECK_EQ(landed[i], 0x1000000000000000ul + order[i]);
    CHECK_EQ(landed[7], (uint64_t)(other_stack + sizeof(other_stack)));
    CHECK_EQ(landed[16], 0x202 | 0x400 | 0x1 | 0x800); // DF CF OF
    done();
    fflush(stdout);
    _exit(0);
}

static void go_away(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    for (int i = REG_R8; i <= REG_RCX; i++)
        ((ucontext_t *)ctx)->uc_mcontext.gregs[i] = 0x1000000000000000l + i;
    GREG(ctx, RSP) = (greg_t)(other_stack + sizeof(other_stack));
    GREG(ctx, RIP) = (greg_t)landing;
    GREG(ctx, EFL) = 0x202 | 0x400 | 0x1 | 0x800;
}

int main(void)
{
    catch_info(SIGSEGV, skip_fault, 0);
    for (int i = 0; i < 1000; i++) {
        long v = 8;

        __asm__ volatile("movl (%%rax), %%eax" : "+a"(v));
        CHECK_EQ(v, 4711);
    }
    CHECK_EQ(runs, 1000);
    catch_info(SIGUSR1, go_away, 0);
    raise(SIGUSR1);
    CHECK(!"returned from raise");
}
