// SPDX-License-Identifier: MIT
// Opening in /proc: who may, and the files whose text lxcore makes. Each open makes the text anew,
// into a memory file, or into a pipe where the process may write no large files (host_scratch()).
// The makers are in three tables here; the short ones are above these, the others in proc_*.c.
#include "proc.h"

#include "host.h"
#include "procfs.h"
#include "tracer.h"

// ---- Short texts ----

static long make_constant(struct proc_out *o, const char *text)
{
    proc_puts(o, text);
    return 0;
}

static long make_init_comm(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    return make_constant(o, PROC_INIT_NAME "\n");
}

static long make_init_cmdline(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    proc_put(o, PROC_INIT_NAME, sizeof PROC_INIT_NAME);
    return 0;
}

static long make_id_map(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    return make_constant(o, "         0          0 4294967295\n");
}

// As for cgroup: one group.
static long make_cpuset(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    return make_constant(o, "/\n");
}

static long make_cgroup(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    return make_constant(o, "0::/\n");
}

static long make_filesystems(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)t, (void)pp;
    return make_constant(o, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n"
                            "nodev\tdevpts\nnodev\tvolfs\nnodev\tdrvfs\n");
}

// "Linux version RELEASE (who built it) (with what) VERSION": all but the release is the host's.
static long make_version(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    (void)pp;
    in.at = in.end = 0;
    in.fd = (int)host_openat(reserved_fd(t, RESERVED_PROC), "version", O_RDONLY | O_CLOEXEC, 0);
    if (in.fd < 0)
        return in.fd;
    const char *line = proc_line(&in), *builder = line ? strchr(line, '(') : NULL;
    proc_printf(o, "Linux version %s %s\n", uts_of(t)->release, builder ? builder : "");
    host_close(in.fd);
    return 0;
}

static long make_hostname(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)pp;
    proc_printf(o, "%s\n", uts_of(t)->nodename);
    return 0;
}

static long make_domainname(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)pp;
    proc_printf(o, "%s\n", uts_of(t)->domainname);
    return 0;
}

static long make_osrelease(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)pp;
    proc_printf(o, "%s\n", uts_of(t)->release);
    return 0;
}

static long make_osversion(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    (void)pp;
    proc_printf(o, "%s\n", uts_of(t)->version);
    return 0;
}

// ---- What is made ----

struct made {
    const char *name;
    proc_maker *make;
};

static const struct made made_in_root[] = {
    {"filesystems", make_filesystems},
    {"locks", proc_make_locks},
    {"version", make_version},
    {"sys/kernel/hostname", make_hostname},
    {"sys/kernel/domainname", make_domainname},
    {"sys/kernel/osrelease", make_osrelease},
    {"sys/kernel/version", make_osversion},
    {"sysvipc/msg", proc_make_sysvipc},
    {"sysvipc/sem", proc_make_sysvipc},
    {"sysvipc/shm", proc_make_sysvipc},
};

static const struct made made_in_process[] = {
    {"cgroup", make_cgroup},          {"cpuset", make_cpuset},
    {"gid_map", make_id_map},         {"limits", proc_make_limits},
    {"maps", proc_make_maps},         {"mountinfo", proc_make_mountinfo},
    {"mounts", proc_make_mounts},     {"mountstats", proc_make_mountstats},
    {"net/unix", proc_make_net_unix}, {"smaps", proc_make_maps},
    {"stat", proc_make_stat},         {"status", proc_make_status},
    {"uid_map", make_id_map},
};

static const struct made made_in_init[] = {
    {"cmdline", make_init_cmdline},
    {"comm", make_init_comm},
};

static proc_maker *find_maker(const struct made *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].name, name))
            return list[i].make;
    return NULL;
}

// The finished contents as a descriptor that can only be read, on the lowest free number.
static long finish(struct proc_out *o, int flags)
{
    char path[FD_PATH_SIZE];
    HOST2(__NR_fchmod, o->fd, 0444);
    HOST3(__NR_fcntl, o->fd, F_ADD_SEALS, PROC_MEMFD_SEALS);
    fmt(path, sizeof path, FD_PATH, o->fd);
    long r = host_openat(AT_FDCWD, path, O_RDONLY | (flags & ~(O_NOFOLLOW | O_CREAT | O_TRUNC)), 0);
    if (r >= 0) {
        long fd = HOST3(__NR_dup3, r, o->fd, flags & O_CLOEXEC);
        host_close((int)r);
        r = fd;
    }
    if (r < 0)
        host_close(o->fd);
    return r;
}

static long make(struct task *t, proc_maker *maker, const struct proc_path *pp, const char *rel,
                 int flags)
{
    struct proc_out o;
    char name[128];
    int reader;
    fmt(name, sizeof name, "%s%s", proc_memfd_name(), rel);
    o.fd = (int)host_scratch(name, 3 /* MFD_CLOEXEC | MFD_ALLOW_SEALING */,
                             t->instance->writes_limited, &reader);
    o.error = 0;
    o.used = 0;
    if (o.fd < 0)
        return o.fd;
    long r = maker(t, pp, &o);
    proc_put(&o, NULL, 0);
    if (r >= 0)
        r = o.error;
    if (reader >= 0) {
        host_close(o.fd);
        if (r >= 0 && !(flags & O_CLOEXEC))
            host_fcntl(reader, F_SETFD, 0);
        if (r < 0)
            host_close(reader);
        return r < 0 ? r : reader;
    }
    if (r >= 0) {
        t->files->has_made_file = 1;
        return finish(&o, flags);
    }
    host_close(o.fd);
    return r;
}

// ---- Opening ----

static bool has_write_bits(struct task *t, const char *rel)
{
    struct statx st;
    long r = host_statx(reserved_fd(t, RESERVED_PROC), rel, AT_SYMLINK_NOFOLLOW, STATX_MODE, &st);
    return r >= 0 && st.stx_mode & 0222;
}

// By type, owner and mode, as of any file; what O_CREAT says of it. Links are asked for where they
// lead.
static long may_open(struct task *t, const char *rel, int flags, bool writes)
{
    struct statx st;
    bool reads = (flags & O_ACCMODE) != O_WRONLY;
    bool any = (flags & O_PATH) || (fs_unchecked(&t->cred) && !(writes && (flags & O_DIRECTORY)));
    if (!(flags & O_CREAT) && any)
        return 0;
    long r = host_statx(reserved_fd(t, RESERVED_PROC), *rel ? rel : ".", AT_SYMLINK_NOFOLLOW,
                        STATX_BASIC_STATS, &st);
    if (r < 0)
        return (flags & O_CREAT) || writes ? r : 0;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    u32 type = st.stx_mode & S_IFMT;
    if (type == S_IFDIR && (flags & __O_TMPFILE)) { // Linux: fs/namei.c, vfs_tmpfile()
        procfs_stat(t, rel, &st);
        r = META_MORE(&st) & MORE_IMMUTABLE ? -EPERM
                                            : may_access(&t->cred, &st, MAY_WRITE | MAY_EXEC);
        return r < 0 ? r : -EOPNOTSUPP;
    }
    if (type == S_IFDIR && ((flags & O_CREAT) || writes))
        return -EISDIR;
    if (type == S_IFREG && (flags & O_DIRECTORY))
        return -ENOTDIR;
    if (type != S_IFREG && type != S_IFDIR)
        return 0;
    procfs_stat(t, rel, &st);
    r = may_access(&t->cred, &st, (reads ? MAY_READ : 0) | (writes ? MAY_WRITE : 0));
    if (r >= 0 && (flags & O_NOATIME) && !inode_owner_or_capable(&t->cred, &st))
        r = -EPERM;
    return r;
}

static bool is_file(struct task *t, const char *rel)
{
    struct statx st;
    return host_statx(reserved_fd(t, RESERVED_PROC), rel, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >=
               0 &&
           (st.stx_mode & S_IFMT) == S_IFREG;
}

// A debugger opens the memory of the process that it traces.
static __attribute__((noinline)) void wants_text(struct task *t, u32 tgid)
{
    struct tracee e;
    if (tgid != t->proc->tgid && !tracer_look(tgid, &e))
        tracer_wants_text(t, &e);
}

long procfs_open(struct task *t, const char *rel, int flags)
{
    struct proc_path pp;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    proc_parse(t, rel, &pp);
    proc_settled(t, &pp);
    long r = procfs_lookup(t, rel);
    if (r >= 0)
        r = may_open(t, rel, flags, writes);
    if (r < 0)
        return r;
    if (flags & O_PATH)
        return -ENOSYS;
    proc_maker *maker = pp.pid ? find_maker(made_in_process, ARRAY_LEN(made_in_process), pp.rest)
                               : find_maker(made_in_root, ARRAY_LEN(made_in_root), rel);
    if (pp.init && !maker)
        maker = find_maker(made_in_init, ARRAY_LEN(made_in_init), pp.rest);
    bool may = !pp.pid || proc_may_inspect(t, &pp);
    // A link that is not followed is ELOOP for anybody.
    bool link = (flags & O_NOFOLLOW) &&
                (!strcmp(pp.rest, "cwd") || !strcmp(pp.rest, "exe") || !strcmp(pp.rest, "root"));
    if (!may && !link && (writes || proc_is_private(pp.rest)))
        return (flags & O_DIRECTORY) && is_file(t, rel) ? -ENOTDIR : -EACCES;
    if (writes && !pp.pid && *rel) {
        struct statx st;
        r = maker ? 0
                  : host_statx(reserved_fd(t, RESERVED_PROC), rel, AT_SYMLINK_NOFOLLOW, STATX_TYPE,
                               &st);
        return r < 0 ? r : maker || !has_write_bits(t, rel) ? -EACCES : -EROFS;
    }
    // By `mem`, code can be written that nobody has looked at.
    if (writes && pp.pid)
        task_need_engine(t);
    if (pp.pid && !strcmp(pp.rest, "mem"))
        wants_text(t, pp.tgid);
    if (!maker)
        return -ENOSYS;
    if (flags & O_DIRECTORY)
        return -ENOTDIR;
    if (flags & O_DIRECT)
        return -EINVAL;
    if (writes)
        return -EACCES;
    return make(t, maker, &pp, rel, flags);
}
