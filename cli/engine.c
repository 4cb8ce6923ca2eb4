// SPDX-License-Identifier: MIT
// What the host can do is found out by doing it, in a child where it cannot be taken back: version
// numbers tell nothing of a kernel's configuration, of containers and of Yama.
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"

// Newer than some installed headers (linux/prctl.h).
#define SET_SYSCALL_USER_DISPATCH 59

static const char *const names[] = {[ENGINE_SUD] = "sud",
                                    [ENGINE_REWRITE] = "rewrite",
                                    [ENGINE_SECCOMP] = "seccomp",
                                    [ENGINE_PTRACE] = "ptrace"};

const char *engine_name(enum engine e)
{
    return names[e];
}

int engine_parse(const char *name)
{
    for (int e = 0; e < (int)ARRAY_LEN(names); e++)
        if (!strcmp(name, names[e]))
            return e;
    if (strcmp(name, "auto") != 0)
        fail("--trap=%s: there are rewrite, sud, seccomp, ptrace and auto", name);
    return ENGINE_AUTO;
}

static bool has_sud(void)
{
    // The allowed range is the whole address space: nothing is caught.
    if (prctl(SET_SYSCALL_USER_DISPATCH, 1L, 0L, -1L, 0L))
        return false;
    prctl(SET_SYSCALL_USER_DISPATCH, 0L, 0L, 0L, 0L);
    return true;
}

static bool child_has_seccomp(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    return !prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) &&
           !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static bool has_seccomp(void)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(!child_has_seccomp());
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool has_ptrace(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    if (pid < 0)
        return false;
    // What a call is asked for by (Linux 5.3), of one that is stopped.
    struct __ptrace_syscall_info info;
    bool ok = !ptrace(PTRACE_SEIZE, pid, 0, 0) && !ptrace(PTRACE_INTERRUPT, pid, 0, 0) &&
              waitpid(pid, NULL, 0) == pid &&
              ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return ok;
}

enum engine engine_choose(int wanted, bool nested)
{
    if (nested && wanted == ENGINE_REWRITE)
        fail("--trap=rewrite: not inside lxrun; --trap=sud is the engine there");
    switch (wanted) {
    case ENGINE_AUTO:
        if (has_sud())
            return nested ? ENGINE_SUD : ENGINE_REWRITE;
        if (has_seccomp())
            return ENGINE_SECCOMP;
        if (!nested && has_ptrace())
            return ENGINE_PTRACE;
        fail("this host has no way to catch system calls: it has no syscall user dispatch (Linux "
             "5.11 or newer is needed), refuses seccomp filters and refuses ptrace");
    case ENGINE_SECCOMP:
        if (!has_seccomp())
            fail("--trap=seccomp: this host refuses seccomp filters");
        break;
    case ENGINE_PTRACE:
        if (nested)
            fail("--trap=ptrace: not inside lxrun, whose processes find their threads by a GS base "
                 "of their own");
        if (!has_ptrace())
            fail("--trap=ptrace: this host refuses ptrace, even of one's own children, or is "
                 "older than Linux 5.3");
        break;
    default:
        if (!has_sud())
            fail("--trap=%s: this kernel has no syscall user dispatch (Linux 5.11 or newer is "
                 "needed)",
                 names[wanted]);
    }
    return (enum engine)wanted;
}
