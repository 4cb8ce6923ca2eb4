// SPDX-License-Identifier: MIT
// procfs: the host's /proc in the instance's terms: which names are there, and what their inodes
// are. Only the instance's processes are shown; files that tell of identity, mounts, memory maps or
// signals are made by lxcore (proc_open.c and its neighbours); links are translated (proc_links.c);
// the rest is the host's own. Outside the processes' directories nothing can be written.
#include "proc.h"

#include "host.h"
#include "procfs.h"
#include "reach.h"

// Names in /proc that show or change the host's kernel, which a guest root has no say in.
static const char *const hidden_in_root[] = {
    "acpi",        "bus",      "driver",        "irq",        "kallsyms",    "kcore", "key-users",
    "keys",        "kmsg",     "kpagecgroup",   "kpagecount", "kpageflags",  "mtrr",  "scsi",
    "sched_debug", "slabinfo", "sysrq-trigger", "timer_list", "vmallocinfo",
};
// Names in a process's directory whose contents are host paths.
static const char *const hidden_in_process[] = {"map_files", "numa_maps"};

static bool in_list(const char *const *list, size_t count, const char *name, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (!strncmp(list[i], name, n) && !list[i][n])
            return true;
    return false;
}
#define IN_LIST(list, name, n) in_list(list, ARRAY_LEN(list), name, n)

static size_t component(const char *s)
{
    size_t n = 0;
    while (s[n] && s[n] != '/')
        n++;
    return n;
}

static const char *behind(const char *s, size_t n)
{
    return s + n + (s[n] == '/');
}

// A process or thread id as /proc writes it; 0: another name.
static u32 id_of_name(const char *s, size_t n)
{
    long v = s[0] == '0' ? -1 : str_number(s, n);
    return v > 0 && v <= 0x7fffffff ? (u32)v : 0;
}

// The process of the instance that thread tid belongs to, 0 for none. Not reach_thread(): that
// one counts its temporary descriptor, and the walk that asks here has counted already.
static u32 process_of(struct task *t, u32 tid)
{
    if (tid == t->tid || reach_process(t, tid))
        return tid == t->tid ? t->proc->tgid : tid;
    if (!HOST3(__NR_tgkill, t->proc->tgid, tid, 0))
        return t->proc->tgid;
    struct proc_path pp = {.pid = tid, .tid = tid};
    struct proc_lines in = {.fd = (int)proc_host_open(t, &pp, "status")};
    long tgid = 0;
    for (char *line; in.fd >= 0 && !tgid && (line = proc_line(&in));)
        if (str_starts(line, "Tgid:\t"))
            tgid = str_number(line + 6, strlen(line + 6));
    if (in.fd >= 0)
        host_close(in.fd);
    return tgid > 0 && reach_process(t, (u32)tgid) ? (u32)tgid : 0;
}

void proc_parse(struct task *t, const char *rel, struct proc_path *pp)
{
    size_t n = component(rel);
    *pp = (struct proc_path){.pid = id_of_name(rel, n), .rest = rel};
    if (!pp->pid)
        return;
    pp->tid = pp->pid;
    pp->rest = behind(rel, n);
    pp->init = pp->pid == t->instance->supervisor;
    pp->tgid = pp->init ? pp->pid : process_of(t, pp->pid);
    if (!str_starts(pp->rest, "task/"))
        return;
    const char *thread = pp->rest + 5;
    n = component(thread);
    u32 tid = id_of_name(thread, n);
    if (tid) {
        pp->tid = tid;
        pp->in_task = true;
        pp->rest = behind(thread, n);
    }
}

void proc_settled(struct task *t, const struct proc_path *pp)
{
    if (pp->tgid && !pp->init && pp->tgid != t->proc->tgid)
        reach_settled(t, pp->tgid);
}

long proc_host_open(struct task *t, const struct proc_path *pp, const char *name)
{
    char path[96];
    if (pp->in_task)
        fmt(path, sizeof path, "%u/task/%u/%s", pp->pid, pp->tid, name);
    else
        fmt(path, sizeof path, "%u/%s", pp->pid, name);
    return host_openat(reserved_fd(t, RESERVED_PROC), path, O_RDONLY | O_CLOEXEC, 0);
}

long proc_text(struct task *t, int dir, const char *path, char *text, size_t size)
{
    temps_begin(t);
    long fd = host_openat(dir, path, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? fd : host_read((int)fd, text, size - 1);
    if (fd >= 0)
        host_close((int)fd);
    temps_end(t);
    if (n >= 0)
        text[n] = 0;
    return n;
}

// Is this the directory of process 1's threads? By the host's number, as paths in /proc are kept.
static bool is_init_task(struct task *t, const char *rel, size_t n)
{
    size_t k = component(rel);
    u32 pid = id_of_name(rel, k);
    return pid && pid == t->instance->supervisor && n == k + 5 && !strncmp(rel + k, "/task", 5);
}

size_t procfs_host_name(struct task *t, const char *dir, size_t len, const char *name, size_t n,
                        char *out)
{
    if (n == 1 && *name == '1' && (!len || is_init_task(t, dir, len)))
        return (size_t)fmt(out, 12, "%u", t->instance->supervisor);
    return 0;
}

size_t procfs_guest_path(struct task *t, char *rel)
{
    size_t n = strlen(rel), k = component(rel), task = k + 6; // behind "PID/task/"
    u32 pid = id_of_name(rel, k);
    if (!pid || pid != t->instance->supervisor)
        return n;
    if (n > task && rel[task - 1] == '/' && is_init_task(t, rel, task - 1) &&
        component(rel + task) == k && !strncmp(rel + task, rel, k)) {
        memmove(rel + task + 1, rel + task + k, n + 1 - task - k);
        rel[task] = '1';
        n -= k - 1;
    }
    memmove(rel + 1, rel + k, n + 1 - k);
    rel[0] = '1';
    return n - (k - 1);
}

long procfs_own_fd(struct task *t, const char *rel)
{
    const char *name = strrchr(rel, '/');
    struct proc_path pp;
    long fd = name ? str_number(name + 1, strlen(name + 1)) : -1;
    if (fd < 0)
        return -1;
    proc_parse(t, rel, &pp);
    return pp.tgid == t->proc->tgid &&
                   (str_starts(pp.rest, "fd/") || str_starts(pp.rest, "fdinfo/"))
               ? fd
               : -1;
}

bool procfs_shows(struct task *t, const char *rel, int fd)
{
    return procfs_own_fd(t, rel) == fd;
}

bool procfs_is_own_program(struct task *t, const char *rel)
{
    struct proc_path pp;
    if (!t->proc->holds_program)
        return false;
    proc_parse(t, rel, &pp);
    return proc_is_own(t, &pp) && !strcmp(pp.rest, "exe");
}

long procfs_open_object(struct task *t, int dirfd, const char *name, const char *rel)
{
    char program[40];
    if (procfs_is_own_program(t, rel)) {
        fmt(program, sizeof program, "thread-self/fd/%d", reserved_fd(t, RESERVED_PROGRAM));
        dirfd = reserved_fd(t, RESERVED_PROC);
        name = program;
    }
    long own = procfs_own_fd(t, rel), fd = temp_open(t, dirfd, name, O_PATH, 0);
    if (fd >= 0 && own >= 0)
        fd_set_mount(t, (int)fd, fd_mount(t, (int)own));
    return fd;
}

// Is this a name in fd/ or fdinfo/ that only lxcore knows of?
static bool names_reserved(struct task *t, const struct proc_path *pp, const char *name)
{
    long fd = str_number(name, component(name));
    return fd >= 0 && fd_is_reserved_of(t, pp->tgid, (int)fd);
}

// Of process 1, its other threads and its children are lxrun's own, too.
static bool hidden_in(const struct proc_path *pp, const char *name, size_t n)
{
    return IN_LIST(hidden_in_process, name, n) ||
           (pp->init && n == 8 && !strncmp(name, "children", 8));
}

static bool hidden_below_process(struct task *t, const struct proc_path *pp)
{
    const char *rest = pp->rest;
    if (hidden_in(pp, rest, component(rest)))
        return true;
    if (pp->init && (pp->in_task ? pp->tid != pp->pid : str_starts(rest, "task/")))
        return true;
    if (str_starts(rest, "fd/") || str_starts(rest, "fdinfo/"))
        return names_reserved(t, pp, strchr(rest, '/') + 1);
    return false;
}

bool proc_is_private(const char *rest)
{
    static const char *const names[] = {
        "auxv", "cwd",   "environ",      "exe",   "fd",      "fdinfo",
        "io",   "maps",  "mem",          "ns",    "pagemap", "personality",
        "root", "smaps", "smaps_rollup", "stack", "syscall", "timers",
    };
    return IN_LIST(names, rest, component(rest));
}

bool proc_may_inspect(struct task *t, const struct proc_path *pp)
{
    return !pp->init && reach_may_inspect(t, pp->tgid) >= 0;
}

long procfs_lookup(struct task *t, const char *rel)
{
    struct proc_path pp;
    proc_parse(t, rel, &pp);
    if (!pp.pid)
        return IN_LIST(hidden_in_root, rel, component(rel)) ? -ENOENT : 0;
    if (!pp.tgid || hidden_below_process(t, &pp))
        return -ENOENT;
    // The links themselves can be seen, not followed; directories not be entered.
    size_t n = component(pp.rest);
    if (pp.rest[n] && proc_is_private(pp.rest) && !proc_may_inspect(t, &pp))
        return -EACCES;
    return 0;
}

bool procfs_lists(struct task *t, const char *rel, char *name)
{
    struct proc_path pp;
    bool init_task = is_init_task(t, rel, strlen(rel));
    if (!*rel || init_task) {
        u32 pid = id_of_name(name, strlen(name));
        if (pid && pid == t->instance->supervisor) {
            str_copy(name, "1", 2);
            return true;
        }
        if (init_task)
            return *name == '.';
        return pid ? reach_process(t, pid) : !IN_LIST(hidden_in_root, name, strlen(name));
    }
    proc_parse(t, rel, &pp);
    if (!pp.pid)
        return true;
    if (!*pp.rest)
        return !hidden_in(&pp, name, strlen(name));
    if (!strcmp(pp.rest, "fd") || !strcmp(pp.rest, "fdinfo"))
        return !names_reserved(t, &pp, name);
    return true;
}

void procfs_stat(struct task *t, const char *rel, struct statx *st)
{
    struct proc_path pp;
    proc_parse(t, rel, &pp);
    st->stx_uid = st->stx_gid = 0;
    if (pp.tgid && !pp.init && !strcmp(pp.rest, "fd"))
        st->stx_size -= MIN(st->stx_size, fd_count_hidden(t, pp.tgid));
    if (pp.pid && !*pp.rest && (st->stx_mode & S_IFMT) == S_IFDIR)
        META_MORE(st) |= MORE_IMMUTABLE; // fs/proc/base.c, proc_pid_instantiate()
    if (!pp.tgid || pp.init || str_starts(pp.rest, "net/"))
        return;
    const struct proc_slot *s = proc_find(t->instance, pp.tgid);
    bool own = proc_is_own(t, &pp);
    if (own && !strcmp(pp.rest, "fd"))
        META_MORE(st) |= MORE_ALLOWED; // fs/proc/fd.c, proc_fd_permission()
    // Of a process that must not be dumped all belongs to root but directories that are open to all
    // (fs/proc/base.c, task_dump_owner()).
    bool open_to_all = (st->stx_mode & (S_IFMT | 07777u)) == (S_IFDIR | 0555);
    if (!open_to_all && (own || s) && !(own ? t->proc->dumpable : s->dumpable))
        return;
    if (own || !s) {
        st->stx_uid = t->cred.euid;
        st->stx_gid = t->cred.egid;
    } else {
        st->stx_uid = s->euid;
        st->stx_gid = s->egid;
    }
}

bool procfs_is_hosts(struct task *t, const struct loc *loc)
{
    struct proc_path pp;
    u32 type = mount_at(t, MAX(loc->mount, 0))->type;
    if (type == FS_PROC)
        proc_parse(t, loc->rel, &pp);
    return type == FS_SYSFS || (type == FS_PROC && !pp.pid);
}

void procfs_stat_fd(struct task *t, int fd, struct statx *st)
{
    struct loc loc;
    int m = fd_mount(t, fd);
    if (m >= 0 && mount_at(t, m)->type == FS_PROC && loc_of_fd(t, fd, &loc) >= 0 &&
        mount_at(t, loc.mount)->type == FS_PROC)
        procfs_stat(t, loc.rel, st);
}

// Linux: fs/attr.c, may_setattr(); fs/proc/base.c, proc_setattr(), whose owner stays for as long as
// nobody looks the name up (pid_revalidate()); fs/proc/proc_sysctl.c, proc_sys_setattr().
long procfs_change(struct task *t, const char *rel, const struct statx *st,
                   const struct meta_change *c)
{
    struct proc_path pp;
    proc_parse(t, rel, &pp);
    bool hosts = !pp.pid || str_starts(pp.rest, "net/");
    if (hosts ? component(rel) == 3 && !strncmp(rel, "sys", 3) : (c->what & META_MODE) || !*pp.rest)
        return -EPERM;
    // Nobody in the instance changes the host's, but may make it what it is.
    bool same = (!(c->what & META_UID) || c->uid == st->stx_uid) &&
                (!(c->what & META_GID) || c->gid == st->stx_gid) &&
                (!(c->what & META_MODE) || c->mode == (st->stx_mode & 07777u));
    return hosts && !same ? -EPERM : 0;
}

long procfs_may_search(struct task *t, const char *rel, struct statx *st)
{
    struct proc_path pp;
    proc_parse(t, rel, &pp);
    if ((st->stx_mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    if (proc_is_own(t, &pp)) // whoever it belongs to: fs/proc/fd.c, proc_fd_permission()
        return 0;
    procfs_stat(t, rel, st);
    return may_access(&t->cred, st, MAY_EXEC);
}

// Linux: fs/namei.c, may_delete() and vfs_unlink(). The directories of processes and threads are
// immutable; /proc/sys asks root, too (fs/proc/proc_sysctl.c, proc_sys_permission()).
long procfs_no_remove(struct task *t, const char *rel, struct statx *dir, const struct statx *st,
                      bool rmdir)
{
    struct proc_path pp;
    char in[LX_PATH_MAX];
    size_t n = strlen(rel);
    while (n && rel[n] != '/')
        n--;
    str_copy(in, rel, n + 1);
    proc_parse(t, in, &pp);
    if (pp.pid && !*pp.rest)
        return -EPERM;
    if (component(in) == 3 && !strncmp(in, "sys", 3))
        return -EACCES;
    if (!proc_is_own(t, &pp) || strcmp(pp.rest, "fd")) { // proc_fd_permission()
        procfs_stat(t, in, dir);
        long r = may_access(&t->cred, dir, MAY_WRITE | MAY_EXEC);
        if (r < 0)
            return r;
    }
    bool is_dir = (st->stx_mode & S_IFMT) == S_IFDIR;
    return is_dir == rmdir ? -EPERM : rmdir ? -ENOTDIR : -EISDIR;
}
