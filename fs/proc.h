// SPDX-License-Identifier: MIT
// Inside of procfs: what its files share. The interface to the rest is include/procfs.h.
#ifndef LX_FS_PROC_H
#define LX_FS_PROC_H

#include "fs.h"

// A path in /proc that lies in a process's directory, taken apart.
struct proc_path {
    u32 pid;          // 0: not in a process's directory
    u32 tid;          // of "task/TID", else pid
    u32 tgid;         // of pid; 0: not a process of the instance
    bool in_task;     // "task/TID" was there
    bool init;        // process 1, which is lxrun's supervisor
    const char *rest; // behind the process or thread, "" for its directory
};
void proc_parse(struct task *t, const char *rel, struct proc_path *pp);
// Before what the process runs is told to others: see reach_settled().
void proc_settled(struct task *t, const struct proc_path *pp);
// Opens a file of the process in the host's /proc for lxcore's own reading.
long proc_host_open(struct task *t, const struct proc_path *pp, const char *name);
static inline bool proc_is_own(const struct task *t, const struct proc_path *pp)
{
    return pp->tgid == t->proc->tgid;
}
// Contents that Linux shows only to who may trace the process (PTRACE_MODE_READ and up). rest: of
// struct proc_path.
bool proc_is_private(const char *rest);
// May the task see these? Process 1 has nothing of the guest's to show, and is nobody's to change.
bool proc_may_inspect(struct task *t, const struct proc_path *pp);
// The namespaces of the process; the caller's own for his.
static inline struct namespaces proc_namespaces(struct task *t, const struct proc_path *pp)
{
    const struct proc_slot *s = proc_is_own(t, pp) ? NULL : proc_find(t->instance, pp->tgid);
    return s ? s->ns : (struct namespaces){t->fs->mnt_ns, t->uts_ns};
}

// A made file on its way into a memory file. The first error is kept, what follows is dropped.
struct proc_out {
    int fd;
    long error;
    size_t used;
    char buf[4096];
};
void proc_put(struct proc_out *o, const char *text, size_t n);
void proc_puts(struct proc_out *o, const char *text);
void proc_printf(struct proc_out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Host text read line by line. The line is ended by 0 in place of its newline; one that is longer
// than the buffer comes in pieces.
struct proc_lines {
    int fd;
    size_t at, end;
    char buf[8192];
};
// Opens `path` of the host's /proc, to be read so; host_close(in->fd) follows. 0 or -errno.
long proc_lines_open(struct task *t, struct proc_lines *in, const char *path);
char *proc_line(struct proc_lines *in);
// Behind the first n words of a line, and the spaces that follow them.
char *proc_skip_words(char *line, int n);

// Makers of contents: 0 or -errno.
typedef long proc_maker(struct task *t, const struct proc_path *pp, struct proc_out *o);
proc_maker proc_make_status, proc_make_stat, proc_make_limits, proc_make_maps, proc_make_mounts,
    proc_make_mountinfo, proc_make_mountstats, proc_make_net_unix, proc_make_sysvipc,
    proc_make_locks;

#define PROC_INIT_NAME "init" // of process 1

// Memory files that lxcore made are named so, and shown as what they stand for. Those of an lxrun
// that is itself a guest are none of the outer one's.
#define PROC_MEMFD_LINK "/memfd:lxrun-proc"
static inline const char *proc_memfd_link(void)
{
    return LX_BASE == LX_PLACE_NESTED ? PROC_MEMFD_LINK "-nested:" : PROC_MEMFD_LINK ":";
}
static inline const char *proc_memfd_name(void)
{
    return proc_memfd_link() + sizeof "/memfd:" - 1;
}
#define PROC_MEMFD_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#endif
