// SPDX-License-Identifier: MIT
// Engine `ptrace`: one process traces all threads of the instance. Each is let go on with
// PTRACE_SYSCALL, so it stops at every system call, at its entry and at its exit. At an entry from
// outside lxcore's host-call section another call is put in the place of the guest's, and at its
// exit the thread is sent to the door, with the registers that trap_redirect() (trap/engine.c)
// gives it under the engines that use SIGSYS. Everything else, lxcore's own calls and the guest's
// signals, goes on as if nobody were here.
//
// The tracer is a child of the front, a sibling of the supervisor (supervisor.c), so that neither
// it nor a guest waits for its children in another way than under other engines: a tracee that
// stops or ends is reported to its tracer first and to its parent afterwards (ptrace(2)).
#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "layout.h"

#define SYSCALL_STOP (SIGTRAP | 0x80) // PTRACE_O_TRACESYSGOOD
#define SYSCALL_SIZE 2                // bytes of the instruction
#define GETPID_I386 20
#define TIDS (1 << 22) // PID_MAX_LIMIT of the kernel (include/linux/threads.h)

struct thread {
    u64 task; // where its %gs must point at the door
    u64 call; // number of the guest's call, while it is `diverted`
    enum { DIVERTED_NOT, DIVERTED_NATIVE, DIVERTED_OTHER } diverted;
    // What signals have made of a call that returned EINTR (see at_signal()).
    enum { EINTR_OPEN, EINTR_HIDDEN, EINTR_MEANT } eintr;
};

struct stop {
    pid_t tid;
    int status; // as waitpid(2) gives it
};

static struct {
    const struct instance *instance;
    struct trap_map map;   // lxcore's, once it is there
    struct thread *thread; // by its id
} guest;

// As sys/ptrace.h's, which cannot be included together with linux/ptrace.h.
static long trace(long request, pid_t tid, unsigned long addr, const void *data)
{
    return syscall(SYS_ptrace, request, (long)tid, addr, data);
}

// lxcore says where its parts lie before it runs the first guest instruction. The guest could
// write there later, so the first answer stands.
static bool lxcore_is_up(void)
{
    if (!guest.map.door && __atomic_load_n(&guest.instance->trap.door, __ATOMIC_ACQUIRE))
        guest.map = guest.instance->trap;
    return guest.map.door;
}

// sigaltstack is the one call of task_arm() (task/task.c) that names the thread's block; none of
// its guest code has run before.
static void remember_task(pid_t tid, u64 altstack)
{
    u64 sp = 0;
    if (!trace(PTRACE_PEEKDATA, tid, altstack, &sp)) // ss_sp comes first in stack_t
        guest.thread[tid % TIDS].task = sp - TASK_ALTSTACK;
}

// Is it lxcore, in the host's vDSO, which cannot read the clock source (host/vdso.c)?
static bool calls_from_vdso(pid_t tid)
{
    u64 task = guest.thread[tid % TIDS].task, vdso_sp = 0;
    return !trace(PTRACE_PEEKDATA, tid, task + T_VDSO, &vdso_sp) && vdso_sp;
}

// The thread is about to make a guest's call: getpid is put in its place. Not -1, the number of no
// call, which a seccomp filter around us (a container's) may take for a forbidden one.
static void divert(pid_t tid, const struct ptrace_syscall_info *info)
{
    struct thread *t = &guest.thread[tid % TIDS];
    t->diverted = info->arch == AUDIT_ARCH_X86_64 ? DIVERTED_NATIVE : DIVERTED_OTHER;
    t->call = info->entry.nr;
    long instead = t->diverted == DIVERTED_NATIVE ? SYS_getpid : GETPID_I386;
    trace(PTRACE_POKEUSR, tid, offsetof(struct user_regs_struct, orig_rax), (void *)instead);
}

// Behind that getpid: sends the thread to the door. A guest can have changed %gs without a system
// call. (One that steps itself is put right by lxcore's SIGTRAP handler, behind the door's first
// instruction.)
static void redirect(pid_t tid)
{
    struct thread *t = &guest.thread[tid % TIDS];
    struct user_regs_struct r;
    if (trace(PTRACE_GETREGS, tid, 0, &r))
        return;
    r.orig_rax = ~0UL; // nothing to restart, whatever rax looks like
    if (t->diverted == DIVERTED_NATIVE) {
        r.rax = t->call;
        r.rcx = r.rip;
        r.rip = guest.map.door;
        r.gs_base = t->task;
        r.gs = 0;
    } else {
        r.rax = (u64)-ENOSYS; // int 0x80; see docs/syscalls.md
    }
    t->diverted = DIVERTED_NOT;
    trace(PTRACE_SETREGS, tid, 0, &r);
}

static void at_syscall(pid_t tid)
{
    struct thread *t = &guest.thread[tid % TIDS];
    struct ptrace_syscall_info info;
    t->eintr = EINTR_OPEN;
    if (t->diverted) {
        redirect(tid);
        return;
    }
    if (trace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY || !lxcore_is_up())
        return;
    // The program counter stands behind the `syscall` already.
    u64 size = guest.map.hostcall_end - guest.map.hostcall_start;
    if (info.arch != AUDIT_ARCH_X86_64 ||
        info.instruction_pointer - guest.map.hostcall_start >= size) {
        if (!calls_from_vdso(tid))
            divert(tid, &info);
    } else if (info.entry.nr == SYS_sigaltstack) {
        remember_task(tid, info.entry.args[0]);
    }
}

static bool is_stop_signal(int sig)
{
    return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

// Would the kernel throw the signal away if nobody traced? Asked only when a call was cut short.
static bool is_ignored(pid_t tid, int sig)
{
    char path[32], line[128];
    unsigned long set, bit = 1UL << (sig - 1);
    bool ignored = sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "SigIgn: %lx", &set) == 1 && (set & bit))
            ignored = true;
        else if (sscanf(line, "SigCgt: %lx", &set) == 1 && (set & bit))
            ignored = false;
    }
    if (f)
        fclose(f);
    return ignored;
}

// A signal is on its way to the thread. Of a traced one the kernel keeps also signals that are
// ignored (kernel/signal.c: sig_ignored), and some calls return EINTR for any (signal(7), last
// section): the call is made again, unless a signal that is not ignored comes too. Then EINTR is
// put back.
static void at_signal(pid_t tid, int sig)
{
    struct thread *t = &guest.thread[tid % TIDS];
    struct user_regs_struct r;
    if (t->eintr == EINTR_MEANT || trace(PTRACE_GETREGS, tid, 0, &r) || (long)r.orig_rax < 0)
        return;
    // (close is never made again: the descriptor is gone.)
    if (t->eintr == EINTR_OPEN && ((int)r.rax != -EINTR || r.orig_rax == SYS_close))
        return;
    if (is_ignored(tid, sig)) {
        if (t->eintr == EINTR_HIDDEN)
            return;
        r.rax = r.orig_rax;
        r.rip -= SYSCALL_SIZE;
        t->eintr = EINTR_HIDDEN;
    } else {
        bool hidden = t->eintr == EINTR_HIDDEN;
        t->eintr = EINTR_MEANT;
        if (!hidden)
            return;
        r.rax = (u64)-EINTR;
        r.rip += SYSCALL_SIZE;
    }
    trace(PTRACE_SETREGS, tid, 0, &r);
}

// A thread that was killed meanwhile answers ESRCH to everything; its end is reported as well.
static void at_stop(pid_t tid, int status)
{
    int sig = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_STOP && is_stop_signal(sig)) {
        trace(PTRACE_LISTEN, tid, 0, NULL); // stays stopped, until SIGCONT
        return;
    }
    unsigned long deliver = 0;
    if (sig == SYSCALL_STOP) {
        at_syscall(tid);
    } else if (event == PTRACE_EVENT_EXEC) {
        // By a thread that was not the first: its id is now that of the first, whose end is not
        // told.
        guest.thread[tid % TIDS] = (struct thread){0};
    } else if (!event) {
        at_signal(tid, sig);
        deliver = (unsigned long)sig;
    }
    trace(PTRACE_SYSCALL, tid, 0, (void *)deliver);
}

// Takes in the program, whose id comes over the link.
static void seize_first(int link)
{
    const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                  PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    pid_t pid;
    if (read(link, &pid, sizeof pid) != sizeof pid)
        _exit(0); // the program did not come so far
    int error = trace(PTRACE_SEIZE, pid, 0, (void *)options) ? errno : 0;
    // A running thread starts to stop at its calls with the next resumption.
    if (!error && trace(PTRACE_INTERRUPT, pid, 0, NULL))
        error = errno;
    if (write(link, &error, sizeof error) < 0)
        _exit(EXIT_LXRUN);
    close(link);
}

// Takes in every stop that there is before any of them is answered: waitpid(2) looks at the newest
// tracee first, and the older ones would wait for ever where the newer keep us busy. Returns how
// many; 0: there are no tracees any more.
static int collect(struct stop *stops, int room)
{
    int n = 0, status;
    for (;;) {
        pid_t tid = waitpid(-1, &status, n ? __WALL | WNOHANG : __WALL);
        if (tid <= 0)
            return n;
        if (WIFSTOPPED(status))
            stops[n++] = (struct stop){tid, status};
        else
            guest.thread[tid % TIDS] = (struct thread){0};
        if (n == room)
            return n;
    }
}

static _Noreturn void run_tracer(int link)
{
    static struct stop stops[16384];
    setpgid(0, 0);
    prctl(PR_SET_NAME, "lxrun-tracer");
    guest.thread = mmap(NULL, TIDS * sizeof *guest.thread, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (guest.thread == MAP_FAILED)
        _exit(EXIT_LXRUN);
    seize_first(link);
    for (int n; (n = collect(stops, ARRAY_LEN(stops)));)
        for (int i = 0; i < n; i++)
            at_stop(stops[i].tid, stops[i].status);
    _exit(0);
}

void tracer_start(struct tracer *t, const struct instance *in)
{
    int link[2], alive[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) || pipe2(alive, O_CLOEXEC))
        fail_errno("cannot start the tracer");
    t->pid = fork();
    if (t->pid < 0)
        fail_errno("fork");
    if (t->pid == 0) {
        // Neither the terminal nor the program's pipes are held open by us.
        int null = open("/dev/null", O_RDWR), mine = fcntl(link[1], F_DUPFD, 5);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        dup2(alive[1], 3);
        dup2(mine, 4);
        closefrom(5);
        guest.instance = in;
        run_tracer(4);
    }
    close(link[1]);
    close(alive[1]);
    t->link = link[0];
    t->alive = alive[0];
}

void tracer_join(const struct tracer *t)
{
    int error;
    pid_t self = getpid();
    prctl(PR_SET_PTRACER, (unsigned long)t->pid); // where Yama asks for it
    if (write(t->link, &self, sizeof self) != sizeof self ||
        read(t->link, &error, sizeof error) != sizeof error)
        fail("the tracer has ended");
    if (error) {
        errno = error;
        fail_errno("--trap=ptrace: this host refuses ptrace");
    }
    prctl(PR_SET_PTRACER, 0UL);
    close(t->link);
}
