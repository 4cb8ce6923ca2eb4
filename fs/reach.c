// SPDX-License-Identifier: MIT
// See include/reach.h. Identities come from the process records of the instance (task/proc.c).
#include <linux/capability.h>
#include <linux/ioctl.h>
#include <linux/wait.h>

#include "fs.h"
#include "host.h"
#include "procfs.h"
#include "reach.h"

// A child is the instance's before its record is there, and until it is waited for. So may be a
// thread that the caller traces, of which not each is a process.
static bool is_child(u32 tgid)
{
    siginfo_t info;
    return !HOST5(__NR_waitid, P_PID, tgid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL) &&
           HOST3(__NR_tgkill, tgid, tgid, 0) != -ESRCH;
}

static size_t digits(const char *s)
{
    size_t n = 0;
    while (s[n] >= '0' && s[n] <= '9')
        n++;
    return n;
}

// Is the process with this record's id the one that it was made for? One that nobody has waited for
// (SIGCHLD was ignored), or whose parent was killed then, leaves its record, and the host may have
// given its id to a process of its own, which began later than the record. *ended: it is a
// zombie, and has no other thread than its first.
static bool has_record(struct task *t, struct proc_slot *s, u32 tgid, bool *ended)
{
    char path[32], text[1024];
    u64 head = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
    u64 registered = __atomic_load_n(&s->registered, __ATOMIC_RELAXED);
    *ended = false;
    fmt(path, sizeof path, "%u/stat", tgid);
    long n = proc_text(t, reserved_fd(t, RESERVED_PROC), path, text, sizeof text);
    if (n == -ENOENT || n == -ESRCH) {
        if ((u32)head == tgid)
            proc_gone(t, s, head);
        return false;
    }
    if (n < 0)
        return true; // no descriptor, no memory: not known
    const char *at = strrchr(text, ')');
    bool zombie = at && at[1] && (at[2] == 'Z' || at[2] == 'X');
    // Behind the name num_threads is the 18th field, and starttime, in hundredths of a second, the
    // 20th (proc_pid_stat(5)).
    for (int field = 1; at && field <= 20; field++) {
        at = strchr(at + 1, ' ');
        if (at && field == 18)
            *ended = zombie && str_number(at + 1, digits(at + 1)) <= 1;
    }
    if (!at)
        return false;
    return str_number(at + 1, digits(at + 1)) * 10000000 <= (long)registered;
}

bool reach_process(struct task *t, u32 tgid)
{
    if (tgid == t->proc->tgid)
        return true;
    bool ended;
    struct proc_slot *s = (s32)tgid > 0 ? proc_find(t->instance, tgid) : NULL;
    return (s && has_record(t, s, tgid, &ended)) || ((s32)tgid > 0 && is_child(tgid));
}

enum rest reach_rest(struct task *t, u32 tid)
{
    char path[32], text[128];
    fmt(path, sizeof path, "%u/stat", tid);
    long n = proc_text(t, reserved_fd(t, RESERVED_PROC), path, text, sizeof text);
    if (n == -ENOENT || n == -ESRCH)
        return REST_ENDED;
    const char *at = n < 0 ? NULL : strrchr(text, ')');
    char state = at && at[1] ? at[2] : 0;
    if (state == 'Z' || state == 'X')
        return REST_ENDED;
    if (state == 't') // engine ptrace stops it at each call
        return t->engine == ENGINE_PTRACE ? REST_NONE : REST_TRACED;
    return state == 'T' ? REST_STOPPED : REST_NONE;
}

// Others learn early that an execve has come past the point of no return: by close-on-exec, or from
// vfork. On Linux the process is the new program by then (its fs/exec.c, begin_new_exec()); to the
// host it is lxcore, and its record tells of the program before, until the new image has taken its
// state. As for who must see one of them whole, on Linux (exec_update_lock), there is a wait.
void reach_settled(struct task *t, u32 tgid)
{
    struct instance *in = t->instance;
    const struct __kernel_timespec nap = {.tv_nsec = 100000};
    for (int tries = 0; tries < 10000; tries++) {
        u32 i = exec_find(in, tgid);
        // One that was killed on its way has left that: it was of another process with this id.
        struct proc_slot *s = i < EXECS ? proc_find(in, tgid) : NULL;
        if (!s || exec_state_at(in, i)->birth != s->birth || reach_rest(t, tgid))
            return;
        HOST2(__NR_nanosleep, &nap, NULL);
    }
}

// The decimal number behind `key` at the start of a line of a file below dir; -errno.
static long proc_number(struct task *t, int dir, const char *path, const char *key)
{
    char text[1024];
    long n = proc_text(t, dir, path, text, sizeof text);
    if (n < 0)
        return n;
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (str_starts(line, key)) {
            line += strlen(key);
            return str_number(line, digits(line));
        }
    }
    return -ENOENT;
}

u32 reach_thread(struct task *t, u32 tid)
{
    if ((s32)tid <= 0)
        return 0;
    if (tid == t->tid || !HOST3(__NR_tgkill, t->proc->tgid, tid, 0))
        return t->proc->tgid;
    if (reach_process(t, tid))
        return tid;
    char path[32];
    fmt(path, sizeof path, "%u/status", tid);
    long tgid = proc_number(t, reserved_fd(t, RESERVED_PROC), path, "Tgid:\t");
    return tgid > 0 && reach_process(t, (u32)tgid) ? (u32)tgid : 0;
}

u32 reach_to_ask(struct task *t, u32 tid)
{
    if (tid == 1)
        return t->instance->supervisor;
    return reach_thread(t, tid) ? tid : 0;
}

long reach_none(u32 tid)
{
    return tid == 1 ? -EPERM : -ESRCH;
}

long reach_signal_init(struct task *t, int sig)
{
    return (u32)sig > 64 ? -EINVAL : cred_has_cap(&t->cred, CAP_KILL) ? 0 : -EPERM;
}

bool reach_group(struct task *t, u32 pgid)
{
    // A group that began outside (a shell's pipeline) has its leader outside.
    return reach_process(t, pgid) && HOST1(__NR_getpgid, pgid) == (long)pgid;
}

// PIDFD_GET_INFO of Linux 6.13; the fields that its first version has.
struct pidfd_info {
    u64 mask, cgroup;
    u32 pid, tgid, ppid;
    u32 ids[8];
    s32 exit_code;
};
_Static_assert(sizeof(struct pidfd_info) == 64, "PIDFD_INFO_SIZE_VER0");
#define PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_info)

// What a descriptor of process tgid stands for in guest terms: 1 for lxrun's supervisor.
static long as_seen(struct task *t, u32 tgid)
{
    if (tgid && tgid == t->instance->supervisor)
        return 1;
    return tgid && reach_process(t, tgid) ? (long)tgid : -ESRCH;
}

long reach_pidfd(struct task *t, int pidfd)
{
    struct pidfd_info info = {.mask = 1}; // PIDFD_INFO_PID
    long r = HOST3(__NR_ioctl, pidfd, PIDFD_GET_INFO, &info);
    if (r == -EBADF || r == -ESRCH)
        return r;
    if (!r)
        return as_seen(t, info.tgid);
    char path[40];
    fmt(path, sizeof path, "thread-self/fdinfo/%d", pidfd);
    long pid = proc_number(t, reserved_fd(t, RESERVED_PROC), path, "Pid:\t");
    if (pid == -ENOENT)
        return -EBADF; // a descriptor, but not of a process
    // "-1" has no digits: the process is gone.
    u32 tgid = pid > 0 ? reach_thread(t, (u32)pid) : 0;
    return as_seen(t, pid > 0 && !tgid ? (u32)pid : tgid);
}

long reach_signal_fd(struct task *t, int fd)
{
    long r = reach_pidfd(t, fd);
    long flags = r == -EBADF ? HOST2(__NR_fcntl, fd, F_GETFL) : 0;
    if (r != -EBADF || flags < 0 || (flags & O_PATH))
        return r;
    // What is no such directory is told by the host: the guest's own file called status also.
    long tgid = proc_number(t, fd, "status", "Tgid:\t");
    if (tgid <= 0)
        return tgid == -ESRCH ? -ESRCH : -EBADF;
    return as_seen(t, (u32)tgid);
}

// A child without a record yet still has the identity that it was forked with.
static const struct proc_slot *record(struct task *t, u32 tgid)
{
    struct proc_slot *s = proc_find(t->instance, tgid);
    return s ? s : proc_find(t->instance, t->proc->tgid);
}

// kernel/signal.c: check_kill_permission()
long reach_may_signal(struct task *t, u32 tgid, int sig)
{
    const struct cred *c = &t->cred;
    if (tgid == 1)
        return reach_signal_init(t, sig);
    const struct proc_slot *s = record(t, tgid);
    if (tgid == t->proc->tgid || cred_has_cap(c, CAP_KILL) || !s)
        return 0;
    if (c->euid == s->suid || c->euid == s->ruid || c->ruid == s->suid || c->ruid == s->ruid)
        return 0;
    if (sig == SIGCONT && HOST1(__NR_getsid, 0) == HOST1(__NR_getsid, tgid))
        return 0;
    return -EPERM;
}

long reach_same_ids(struct task *t, u32 tgid, int cap)
{
    const struct cred *c = &t->cred;
    const struct proc_slot *s = record(t, tgid);
    if (tgid == t->proc->tgid || cred_has_cap(c, cap) || !s)
        return 0;
    bool same = c->ruid == s->euid && c->ruid == s->suid && c->ruid == s->ruid &&
                c->rgid == s->egid && c->rgid == s->sgid && c->rgid == s->rgid;
    return same ? 0 : -EPERM;
}

// kernel/ptrace.c: __ptrace_may_access() with PTRACE_MODE_REALCREDS, and commoncap's part of it.
long reach_may_inspect(struct task *t, u32 tgid)
{
    if (tgid == 1)
        return -EPERM;
    const struct proc_slot *s = record(t, tgid);
    if (tgid == t->proc->tgid || cred_has_cap(&t->cred, CAP_SYS_PTRACE) || !s)
        return 0;
    if (!s->dumpable || (s->cap_permitted & ~t->cred.cap_permitted))
        return -EPERM;
    return reach_same_ids(t, tgid, CAP_SYS_PTRACE);
}

void reach_each(struct task *t,
                void (*fn)(struct task *t, u32 tgid, const struct proc_slot *s, void *arg),
                void *arg)
{
    for (u32 i = 0; i < PROC_SLOTS; i++) {
        struct proc_slot *s = proc_slot_at(t->instance, i);
        // Free, freed and those that are being made have no positive process id.
        u32 tgid = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        bool ended;
        if ((s32)tgid > 0 && (tgid == t->proc->tgid || has_record(t, s, tgid, &ended)))
            fn(t, tgid, s, arg);
    }
}

// Is a process on its way into the file, whose record does not tell it before the new image runs?
static bool is_executed(struct task *t, u64 dev, u64 ino)
{
    struct instance *in = t->instance;
    for (u32 i = 0; i < EXECS; i++) {
        u32 tgid = __atomic_load_n(&in->exec_owners[i], __ATOMIC_ACQUIRE);
        struct exec_state *e = tgid ? exec_state_at(in, i) : NULL;
        struct proc_slot *s = e && e->dev == dev && e->ino == ino ? proc_find(in, tgid) : NULL;
        bool ended;
        if (s && s->birth == e->birth && has_record(t, s, tgid, &ended) && !ended)
            return true;
    }
    return false;
}

bool reach_runs_file(struct task *t, u64 dev, u64 ino)
{
    struct instance *in = t->instance;
    u8 hash;
    if (!proc_text_seen(in, dev, ino, &hash))
        return false;
    if (is_executed(t, dev, ino)) // first: it goes on to its record
        return true;
    for (u32 i = 0; i < PROC_SLOTS; i++) {
        struct proc_slot *s = proc_slot_at(in, i);
        if (*proc_text_at(in, i) != hash || s->dev != dev || s->ino != ino)
            continue;
        u32 tgid = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        bool ended;
        // A zombie has let go of its program.
        if (tgid == t->proc->tgid || ((s32)tgid > 0 && has_record(t, s, tgid, &ended) && !ended))
            return true;
    }
    return false;
}
