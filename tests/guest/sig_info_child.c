// SPDX-License-Identifier: MIT
// SIGCHLD: si_code, si_status, si_pid and si_uid for each way a child changes; SA_NOCLDSTOP;
// SA_NOCLDWAIT and SIG_IGN reap by themselves; WCOREDUMP is off where the core limit is zero.
// covers: rt_sigaction, wait4, waitid, kill, exit_group
#include "sig.h"

static volatile siginfo_t got; // libc declares kill and its like as leaf functions
static volatile int runs;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    CHECK(sig == SIGCHLD && si->si_signo == SIGCHLD);
    got = *si;
    runs++;
}

static pid_t child(int how)
{
    struct rlimit none = {0, 0};
    pid_t pid = OK(fork());

    if (pid)
        return pid;
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGTERM, SIG_DFL);
    if (how < 0)
        raise(-how);
    if (how == 1000)
        for (;;)
            pause();
    _exit(how);
}

// SIGCHLD stays blocked except here, so that the handler runs exactly then.
static void expect(pid_t pid, int code, int status)
{
    sigset_t none;

    sigemptyset(&none);
    runs = 0;
    while (!runs)
        CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK_EQ(runs, 1);
    CHECK_EQ(got.si_pid, pid);
    CHECK_EQ(got.si_uid, getuid());
    CHECK_EQ(got.si_code, code);
    CHECK_EQ(got.si_status, status);
}

static void reap(pid_t pid, int status)
{
    int st;

    CHECK(waitpid(pid, &st, 0) == pid);
    CHECK_EQ(st, status);
    CHECK(!WIFSIGNALED(st) || !WCOREDUMP(st));
}

static void no_zombie(pid_t pid)
{
    CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
}

int main(void)
{
    pid_t pid;
    int st;

    catch_info(SIGCHLD, handler, 0);
    block(SIGCHLD);
    pid = child(0);
    expect(pid, CLD_EXITED, 0);
    reap(pid, 0);
    pid = child(200);
    expect(pid, CLD_EXITED, 200);
    reap(pid, 200 << 8);
    pid = child(0x1ff);
    expect(pid, CLD_EXITED, 0xff);
    reap(pid, 0xff << 8);
    pid = child(-SIGTERM);
    expect(pid, CLD_KILLED, SIGTERM);
    reap(pid, SIGTERM);
    pid = child(-SIGSEGV);
    expect(pid, CLD_KILLED, SIGSEGV);
    reap(pid, SIGSEGV);
    pid = child(-SIGRTMIN);
    expect(pid, CLD_KILLED, SIGRTMIN);
    reap(pid, SIGRTMIN);

    pid = child(1000);
    CHECK(kill(pid, SIGSTOP) == 0);
    expect(pid, CLD_STOPPED, SIGSTOP);
    CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
    CHECK(kill(pid, SIGCONT) == 0);
    expect(pid, CLD_CONTINUED, SIGCONT);
    CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st) && st == 0xffff);
    CHECK(kill(pid, SIGKILL) == 0);
    expect(pid, CLD_KILLED, SIGKILL);
    reap(pid, SIGKILL);

    // SA_NOCLDSTOP: no signal for stops.
    catch_info(SIGCHLD, handler, SA_NOCLDSTOP);
    pid = child(1000);
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
    CHECK(!is_pending(SIGCHLD));
    CHECK(kill(pid, SIGKILL) == 0);
    expect(pid, CLD_KILLED, SIGKILL);
    reap(pid, SIGKILL);

    // SA_NOCLDWAIT: a signal, but no zombie.
    catch_info(SIGCHLD, handler, SA_NOCLDWAIT);
    pid = child(3);
    no_zombie(pid);
    expect(pid, CLD_EXITED, 3);
    // SIG_IGN: neither.
    signal(SIGCHLD, SIG_IGN);
    pid = child(4);
    no_zombie(pid);
    CHECK(!is_pending(SIGCHLD));
    // The default ignores the signal too, but leaves the zombie.
    signal(SIGCHLD, SIG_DFL);
    reap(child(5), 5 << 8);
    return done();
}
