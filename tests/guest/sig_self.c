// SPDX-License-Identifier: MIT
// A signal that a process sends itself and has a handler for, which a translation layer may deliver
// without the kernel: what the handler is told and under which mask it runs, what kill returns, and
// that the mask of a handler is the kernel's in every way while it runs and after it was left by a
// jump: for signals of others, in /proc, for a child, over execve.
// covers: kill, tkill, tgkill, rt_sigaction, rt_sigpending
#include "sig.h"
#include <setjmp.h>

static volatile int runs[65], depth, deepest, limit;
static siginfo_t last;
static sigset_t during, saved;
static sigjmp_buf out;

static uint64_t blocked_in_proc(void)
{
    const char *line = strstr(get_file("/proc/self/status"), "SigBlk:");

    CHECK(line);
    return strtoull(line + 7, NULL, 16);
}

static void note(int sig, siginfo_t *si, void *ctx)
{
    int before = errno;

    runs[sig]++;
    last = *si;
    memcpy(&saved, &((ucontext_t *)ctx)->uc_sigmask, 8);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &during) == 0);
    CHECK_EQ(GREG(ctx, RAX), 0);
    errno = before;
}

static void expect(int sig, int code)
{
    CHECK_EQ(runs[sig], 1);
    CHECK_EQ(last.si_signo, sig);
    CHECK_EQ(last.si_code, code);
    CHECK_EQ(last.si_errno, 0);
    CHECK_EQ(last.si_pid, getpid());
    CHECK_EQ(last.si_uid, getuid());
    CHECK(sigismember(&during, sig) && !sigismember(&saved, sig) && !is_blocked(sig));
    runs[sig] = 0;
}

// Each way to send, each signal that may be caught.
static void every_signal(void)
{
    for (int sig = 1; sig <= 64; sig++) {
        struct sigaction old;

        if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33)
            continue;
        CHECK(sigaction(sig, NULL, &old) == 0);
        catch_info(sig, note, 0);
        CHECK_EQ(kill(getpid(), sig), 0);
        expect(sig, SI_USER);
        CHECK_EQ(syscall(SYS_tkill, tid(), sig), 0);
        expect(sig, SI_TKILL);
        CHECK_EQ(syscall(SYS_tgkill, getpid(), tid(), sig), 0);
        expect(sig, SI_TKILL);
        CHECK(sigaction(sig, &old, NULL) == 0);
    }
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(getpid(), -1), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), tid(), 65), EINVAL);
    CHECK_EQ(kill(getpid(), 0), 0);
    CHECK_ERR(syscall(SYS_tgkill, 1 << 30, tid(), SIGUSR1), ESRCH);
}

static void nest(int sig, siginfo_t *si, void *ctx)
{
    (void)si, (void)ctx;
    if (++depth > deepest)
        deepest = depth;
    if (++runs[sig] < limit)
        raise(sig);
    depth--;
}

static void flags(void)
{
    limit = 20;
    catch_info(SIGUSR1, nest, SA_NODEFER);
    raise(SIGUSR1);
    CHECK(runs[SIGUSR1] == 20 && deepest == 20 && depth == 0);
    runs[SIGUSR1] = deepest = 0;
    catch_info(SIGUSR1, nest, 0); // now one after the other
    raise(SIGUSR1);
    CHECK(runs[SIGUSR1] == 20 && deepest == 1 && depth == 0);
    runs[SIGUSR1] = 0;

    catch_info(SIGUSR1, note, SA_RESETHAND);
    raise(SIGUSR1);
    expect(SIGUSR1, SI_TKILL);
    struct sigaction sa;
    CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);

    sa = (struct sigaction){.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigfillset(&sa.sa_mask);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    for (int sig = 1; sig < 32; sig++)
        CHECK_EQ(sigismember(&during, sig), sig != SIGKILL && sig != SIGSTOP);
    expect(SIGUSR1, SI_TKILL);
}

static void blocked(void)
{
    catch_info(SIGUSR1, note, 0);
    block(SIGUSR1);
    CHECK(kill(getpid(), SIGUSR1) == 0 && raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
    CHECK(runs[SIGUSR1] == 0 && is_pending(SIGUSR1));
    unblock(SIGUSR1);
    CHECK_EQ(runs[SIGUSR1], 2); // of the process and of the thread, one each
    runs[SIGUSR1] = 0;
}

static void send_and_wait(pid_t to)
{
    if (OK(fork()) == 0)
        _exit(kill(to, SIGUSR1) != 0);
    CHECK(wait(NULL) > 0);
}

static void in_handler(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    if (runs[sig]++) {
        CHECK(si->si_pid != getpid());
        return;
    }
    CHECK(blocked_in_proc() == 1u << (SIGUSR1 - 1));
    send_and_wait(getpid());
    CHECK(runs[sig] == 1 && is_pending(sig));
    if (!OK(fork()))
        _exit(!is_blocked(sig) || is_pending(sig) || blocked_in_proc() != 1u << (SIGUSR1 - 1));
    int status;
    CHECK(wait(&status) > 0);
    CHECK_EQ(status, 0);
}

static void jump_out(int sig)
{
    runs[sig]++;
    siglongjmp(out, 1);
}

static volatile long counter;

int main(int argc, char **argv)
{
    if (argc > 1) { // after execve
        CHECK(is_blocked(SIGUSR1) && is_pending(SIGUSR1));
        return done();
    }
    every_signal();
    flags();
    blocked();

    catch_info(SIGUSR1, in_handler, 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(runs[SIGUSR1], 2); // the child's came when this one was over
    runs[SIGUSR1] = 0;

    // Left by a jump that keeps the mask of the handler.
    signal(SIGUSR1, jump_out);
    if (!sigsetjmp(out, 0))
        kill(getpid(), SIGUSR1);
    CHECK(runs[SIGUSR1] == 1 && is_blocked(SIGUSR1));
    pid_t me = getpid(), child = fork();
    CHECK(child >= 0);
    if (!child) {
        sleep_us(2000);
        _exit(kill(me, SIGUSR1) != 0);
    }
    for (int i = 0; i < 20 * 1000 * 1000; i++) // without a system call
        counter++;
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(runs[SIGUSR1] == 1 && is_pending(SIGUSR1));
    CHECK_EQ(blocked_in_proc(), 1u << (SIGUSR1 - 1));
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execl");
}
