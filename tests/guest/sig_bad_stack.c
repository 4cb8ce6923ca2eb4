// SPDX-License-Identifier: MIT
// A handler whose frame cannot be written: the program dies by SIGSEGV, unless SIGSEGV itself has a
// handler on a good alternate stack, which then runs with SI_KERNEL. The same for a sigreturn from
// a bad frame.
// covers: rt_sigaction, rt_sigreturn, sigaltstack
#include "sig.h"
#include <sys/mman.h>

static char alt[65536];
static char *readonly;

static void never(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    _exit(3);
}

static void rescued(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    CHECK(sig == SIGSEGV && si->si_code == SI_KERNEL);
    _exit(42);
}

static void rescued_return(int sig, siginfo_t *si, void *ctx)
{
    CHECK_EQ(GREG(ctx, RSP), 4096);
    CHECK_EQ(GREG(ctx, RAX), 0);
    rescued(sig, si, ctx);
}

// tgkill with the stack pointer somewhere bad.
static void raise_on(long sp, int sig)
{
    long pid = getpid(), me = tid(), old, ret;

    __asm__ volatile("mov %%rsp, %1\n"
                     "mov %5, %%rsp\n"
                     "syscall\n"
                     "mov %1, %%rsp\n"
                     : "=a"(ret), "=&r"(old)
                     : "a"(SYS_tgkill), "D"(pid), "S"(me), "r"(sp), "d"(sig)
                     : "rcx", "r11", "memory");
}

static void sigreturn_on(long sp)
{
    __asm__ volatile("mov %0, %%rsp\n"
                     "syscall\n"
                     "hlt\n"
                     :
                     : "r"(sp), "a"(SYS_rt_sigreturn)
                     : "rcx", "r11", "memory");
}

static void bad_address(void)
{
    catch_info(SIGUSR1, never, 0);
    raise_on(4096, SIGUSR1);
}
static void non_canonical(void)
{
    catch_info(SIGUSR1, never, 0);
    raise_on(1l << 60, SIGUSR1);
}
static void read_only(void)
{
    catch_info(SIGUSR1, never, 0);
    raise_on((long)readonly + 65536, SIGUSR1);
}
static void own_segv(void)
{
    catch_info(SIGSEGV, never, 0);
    raise_on(4096, SIGSEGV);
}
static void segv_without_stack(void)
{
    catch_info(SIGUSR1, never, 0);
    catch_info(SIGSEGV, never, 0);
    raise_on(4096, SIGUSR1);
}
static void with_rescue(void)
{
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};

    CHECK(sigaltstack(&ss, NULL) == 0);
    catch_info(SIGUSR1, never, 0);
    catch_info(SIGSEGV, rescued, SA_ONSTACK);
    raise_on(4096, SIGUSR1);
}
static void bad_altstack(void)
{
    stack_t ss = {.ss_sp = readonly, .ss_size = 65536};

    CHECK(sigaltstack(&ss, NULL) == 0);
    catch_info(SIGUSR1, never, SA_ONSTACK);
    raise(SIGUSR1);
}
static void return_bad(void)
{
    sigreturn_on(4096);
}
static void return_rescue(void)
{
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};

    CHECK(sigaltstack(&ss, NULL) == 0);
    catch_info(SIGSEGV, rescued_return, SA_ONSTACK);
    sigreturn_on(4096);
}

// Bad only for the frame: the call itself does not need the stack.
static void ignored_is_fine(void)
{
    signal(SIGUSR1, SIG_IGN);
    raise_on(4096, SIGUSR1);
    _exit(7);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*fn)(void);
        int exits; // 0: dies by SIGSEGV
    } tests[] = {
        {"bad address", bad_address, 0},
        {"non-canonical address", non_canonical, 0},
        {"read-only stack", read_only, 0},
        {"SIGSEGV on a bad stack", own_segv, 0},
        {"no alternate stack for SIGSEGV", segv_without_stack, 0},
        {"alternate stack for SIGSEGV", with_rescue, 42},
        {"read-only alternate stack", bad_altstack, 0},
        {"sigreturn on a bad stack", return_bad, 0},
        {"sigreturn on a bad stack, rescued", return_rescue, 42},
        {"ignored signal", ignored_is_fine, 7},
    };

    readonly = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(readonly != MAP_FAILED);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        int status = status_of(tests[i].fn);

        if (WIFSIGNALED(status))
            printf("%s: killed by %d%s\n", tests[i].name, WTERMSIG(status),
                   WCOREDUMP(status) ? ", dumped" : "");
        else
            printf("%s: exit %d\n", tests[i].name, WEXITSTATUS(status));
        CHECK_EQ(status, tests[i].exits ? tests[i].exits << 8 : SIGSEGV);
    }
    return done();
}
