// SPDX-License-Identifier: MIT
// sigaltstack: its reports and errors, SA_ONSTACK, nesting, SS_AUTODISARM; what a thread, a forked
// child and an executed program have of it.
// covers: sigaltstack, clone, fork, execve
#include "sig.h"
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIZE 65536

static char *alt;
static volatile int runs, nested;
static int stays; // what a handler sets where there was no stack

static int inside(const void *p)
{
    return (char *)p >= alt && (char *)p < alt + SIZE;
}

static void on_alt(int sig, siginfo_t *si, void *ctx)
{
    stack_t ss, same = {.ss_sp = alt, .ss_size = SIZE}, none = {.ss_flags = SS_DISABLE};
    ucontext_t *uc = ctx;

    (void)si;
    runs++;
    CHECK(inside(&ss) && inside(uc) && inside(uc->uc_mcontext.fpregs));
    CHECK(uc->uc_stack.ss_sp == alt && uc->uc_stack.ss_size == SIZE && uc->uc_stack.ss_flags == 0);
    CHECK(sigaltstack(NULL, &ss) == 0);
    CHECK(ss.ss_flags == SS_ONSTACK && ss.ss_sp == alt && ss.ss_size == SIZE);
    CHECK_ERR(sigaltstack(&none, NULL), EPERM);
    CHECK_ERR(sigaltstack(&same, NULL), EPERM);
    if (sig == SIGUSR1) {
        char *here = (char *)&ss;

        CHECK(nested == 0);
        raise(SIGUSR2);
        CHECK(nested == 1 && here == (char *)&ss);
    } else {
        nested++; // a second frame below the first, on the same stack
    }
}

static void off_alt(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    runs++;
    CHECK(!inside(&sig) && !inside(ctx));
}

static void disarmed(int sig, siginfo_t *si, void *ctx)
{
    stack_t ss;

    (void)si;
    runs++;
    CHECK(inside(&ss));
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
    CHECK(((ucontext_t *)ctx)->uc_stack.ss_flags == (int)SS_AUTODISARM);
    ss = (stack_t){.ss_sp = alt, .ss_size = SIZE / 2};
    CHECK(sigaltstack(&ss, NULL) == 0); // allowed: it counts as unused; sigreturn sets the old one
    (void)sig;
}

static void sets_one(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si;
    CHECK_EQ(((ucontext_t *)ctx)->uc_stack.ss_size, 0);
    CHECK_EQ(((ucontext_t *)ctx)->uc_stack.ss_flags, stays ? 0 : SS_DISABLE);
    CHECK(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = SIZE}, NULL) == 0);
}

// What a handler sets where there was no stack: sigreturn takes it back if the frame says
// SS_DISABLE. Where it says no flags and no size, as when none was ever set, it is refused as too
// small, and what the handler set stays.
static void set_by_handler(void)
{
    stack_t ss;

    catch_info(SIGUSR1, sets_one, 0);
    raise(SIGUSR1);
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_size == (stays ? SIZE : 0));
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
}

static void *thread(void *arg)
{
    stack_t ss;

    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
    catch_info(SIGTERM, off_alt, SA_ONSTACK); // has none
    syscall(SYS_tgkill, getpid(), tid(), SIGTERM);
    set_by_handler();
    return arg;
}

int main(int argc, char **argv)
{
    stack_t ss, mine;
    pthread_t th;
    pid_t pid;
    int status;

    CHECK(sigaltstack(NULL, &ss) == 0);
    // execve forgets the stack, but not the flag.
    CHECK((ss.ss_flags & ~SS_AUTODISARM) == SS_DISABLE && ss.ss_sp == NULL && ss.ss_size == 0);
    alt = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (argc > 1) {
        CHECK(sigaltstack(&(stack_t){0}, NULL) == 0); // changes nothing
        stays = 1;
        set_by_handler();
        return done();
    }
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    set_by_handler();
    mine = (stack_t){.ss_sp = alt, .ss_size = SIZE};

    ss = mine;
    ss.ss_size = 2047;
    CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
    ss.ss_size = getauxval(AT_MINSIGSTKSZ) - 1;
    CHECK(sigaltstack(&ss, NULL) == -1 ? errno == ENOMEM : getauxval(AT_MINSIGSTKSZ) > 2048);
    ss.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&ss, NULL) == 0);
    ss = mine;
    ss.ss_flags = 4;
    CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
    ss.ss_flags = SS_DISABLE | SS_ONSTACK;
    CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
    CHECK_ERR(sigaltstack((void *)8, NULL), EFAULT);
    CHECK_ERR(sigaltstack(NULL, (void *)8), EFAULT);
    mine.ss_flags = SS_ONSTACK; // accepted, means 0
    CHECK(sigaltstack(&mine, &ss) == 0 && ss.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == alt && ss.ss_size == SIZE);

    mine.ss_flags = 0;
    CHECK(sigaltstack(&mine, NULL) == 0);
    catch_info(SIGUSR1, on_alt, SA_ONSTACK);
    catch_info(SIGUSR2, on_alt, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK_EQ(runs, 2);
    catch_info(SIGUSR1, off_alt, 0); // not asked for
    raise(SIGUSR1);
    CHECK_EQ(runs, 3);

    mine.ss_flags = SS_AUTODISARM;
    CHECK(sigaltstack(&mine, NULL) == 0);
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == (int)SS_AUTODISARM);
    catch_info(SIGUSR1, disarmed, SA_ONSTACK);
    for (int i = 0; i < 3; i++)
        raise(SIGUSR1);
    CHECK_EQ(runs, 6);
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_size == SIZE && ss.ss_flags == (int)SS_AUTODISARM);

    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    CHECK_EQ(runs, 7);
    CHECK((pid = fork()) >= 0);
    if (pid == 0) {
        CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == alt && ss.ss_size == SIZE);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    mine.ss_flags = 0;
    CHECK(sigaltstack(&mine, NULL) == 0);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execl");
}
