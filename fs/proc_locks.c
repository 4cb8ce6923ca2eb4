// SPDX-License-Identifier: MIT
// /proc/locks: the host's lines whose lock a process of the instance took, as in a PID namespace.
// Linux: locks_show() in fs/locks.c, which leaves the numbers of the lines as they are; a lock of
// an open file (OFD) has no process and is shown to everybody.
#include "host.h"
#include "proc.h"
#include "reach.h"

#define KIND 3 // behind the number of the line, and behind "->": kind, ADVISORY, READ

// Where the process of a line stands: "1: POSIX  ADVISORY  WRITE 4711 fe:00:1 0 EOF"; of who waits
// for the lock of the line before there are one or more spaces and "-> " behind the colon.
static char *find_owner(char *line, bool *waits)
{
    char *p = strchr(line, ':');
    if (!p)
        return NULL;
    for (p++; *p == ' '; p++)
        ;
    *waits = str_starts(p, "-> ");
    if (*waits)
        p += 3;
    p = proc_skip_words(p, KIND);
    return *p ? p : NULL;
}

long proc_make_locks(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    bool shown = false, waits;
    struct statx st = {0};
    char own[48];
    host_statx(reserved_fd(t, RESERVED_INSTANCE), "", AT_EMPTY_PATH, STATX_INO, &st);
    fmt(own, sizeof own, " %02x:%02x:%lu ", st.stx_dev_major, st.stx_dev_minor, (u64)st.stx_ino);
    long r = proc_lines_open(t, &in, pp->rest);
    if (r < 0)
        return r;
    for (char *line, *owner; (line = proc_line(&in));) {
        owner = find_owner(line, &waits);
        if (!owner)
            continue;
        size_t n = 0;
        while (owner[n] && owner[n] != ' ')
            n++;
        long pid = str_number(owner, n); // negative: "-1", of an open file
        if (pid < 0 && strstr(owner, own))
            continue; // lxcore's: fs/namespaces.c
        bool known = pid < 0 || pid == (long)t->proc->tgid || (pid && reach_process(t, (u32)pid));
        if (!waits)
            shown = known;
        if (!shown)
            continue;
        proc_put(o, line, (size_t)(owner - line));
        proc_puts(o, known ? "" : "0");
        proc_puts(o, known ? owner : owner + n);
        proc_puts(o, "\n");
    }
    host_close(in.fd);
    return 0;
}
