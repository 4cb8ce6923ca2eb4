// SPDX-License-Identifier: MIT
// /proc/PID/limits: the host's text, with the number of files as the guest set it (fs/files.c).
#include <linux/resource.h>

#include "host.h"
#include "proc.h"

// Reads a number of the line and moves *s behind it.
static u64 number(const char **s)
{
    u64 v = 0;
    while (**s == ' ')
        ++*s;
    for (; **s >= '0' && **s <= '9'; ++*s)
        v = v * 10 + (u64)(**s - '0');
    return v;
}

long proc_make_limits(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    static const char files[] = "Max open files";
    struct proc_lines in = {.fd = (int)proc_host_open(t, pp, "limits")};
    if (in.fd < 0)
        return in.fd;
    for (const char *line; (line = proc_line(&in));) {
        if (!str_starts(line, files)) {
            proc_printf(o, "%s\n", line);
            continue;
        }
        struct rlimit64 l;
        line += sizeof files - 1;
        l.rlim_cur = number(&line);
        l.rlim_max = number(&line);
        files_limit_to_guest(t, pp->tgid, &l);
        proc_printf(o, "%-25s %-20lu %-20lu %-10s\n", files, (u64)l.rlim_cur, (u64)l.rlim_max,
                    "files");
    }
    host_close(in.fd);
    return 0;
}
