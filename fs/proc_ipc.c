// SPDX-License-Identifier: MIT
// /proc/sysvipc: the lines of the host's files that are about objects of the instance, with key,
// owners and mode as IPC_STAT tells them (include/ipc.h). As on Linux everybody sees all of them.
#include "host.h"
#include "ipc.h"
#include "proc.h"

// The text behind the first n fields of a line: the space before the next one, or the end.
static char *behind(char *s, int n)
{
    for (; n; n--) {
        while (*s == ' ')
            s++;
        while (*s && *s != ' ')
            s++;
    }
    return s;
}

static long number(const char *s, int base)
{
    long v = 0;
    while (*s == ' ')
        s++;
    bool negative = *s == '-';
    for (s += negative; *s >= '0' && *s < '0' + base; s++)
        v = v * base + (*s - '0');
    return negative ? -v : v;
}

// Lines are key, id, permissions, what belongs to the kind, the four owners behind `before` fields,
// and the rest. Linux: sysvipc_shm_proc_show() in ipc/shm.c and its like.
static void put_object(struct task *t, int kind, int before, char *line, struct proc_out *o)
{
    char *id = behind(line, 1), *mode = behind(line, 2), *own = behind(line, 3);
    char *owners = behind(line, before), *rest = behind(owners, 4);
    const struct ipc_record *r = ipc_find(t, kind, (s32)number(id, 10));
    if (!r)
        return;
    struct ipc64_perm p = {
        .key = (s32)number(line, 10),
        .mode = (__typeof__(p.mode))number(mode, 8),
    };
    ipc_show(t, r, &p);
    *owners = 0;
    proc_printf(o, "%10d %10d  %4o%s %5u %5u %5u %5u%s\n", p.key, r->id, p.mode, own, p.uid, p.gid,
                p.cuid, p.cgid, rest);
}

long proc_make_sysvipc(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    bool is_shm = !strcmp(pp->rest, "sysvipc/shm"), is_sem = !strcmp(pp->rest, "sysvipc/sem");
    int kind = is_shm ? IPC_SHM : is_sem ? IPC_SEM : IPC_MSG;
    struct proc_lines in;
    long r = proc_lines_open(t, &in, pp->rest);
    if (r < 0)
        return r;
    char *line = proc_line(&in); // the names of the columns
    if (line) {
        proc_puts(o, line);
        proc_puts(o, "\n");
    }
    while ((line = proc_line(&in)))
        put_object(t, kind, is_sem ? 4 : 7, line, o);
    host_close(in.fd);
    return 0;
}
