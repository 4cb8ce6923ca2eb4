// SPDX-License-Identifier: MIT
// /proc/net/unix: the host's sockets with the names that the guest gave them (unixname.c). The
// network is the host's, so sockets of host programs are listed too; where their files lie outside
// the guest's mounts, they are without a name.
#include "host.h"
#include "proc.h"
#include "unixsock.h"

#define FIELDS 7 // before the path: address, references, protocol, flags, type, state, inode

// Where the path of a line begins; NULL: none.
static char *find_path(char *line)
{
    char *p = line;
    for (int i = 0; i < FIELDS; i++) {
        while (*p == ' ')
            p++;
        while (*p && *p != ' ')
            p++;
    }
    return *p == ' ' && p[1] ? p + 1 : NULL;
}

// Translates the name; the kernel writes the zero bytes of abstract ones as '@'.
static void put_name(struct task *t, const char *name, struct proc_out *o)
{
    union address a = {.family = LX_AF_UNIX};
    char guest[LX_PATH_MAX];
    size_t n = strlen(name);
    if (n >= sizeof a.bytes - UNIX_PATH_AT) {
        proc_printf(o, " %s", name);
        return;
    }
    bool abstract = *name == '@';
    memcpy(a.un.sun_path, name, n);
    if (abstract)
        a.un.sun_path[0] = 0;
    int len = unix_addr_to_guest(t, &a, (int)(UNIX_PATH_AT + n + !abstract));
    n = MIN((size_t)len - UNIX_PATH_AT, sizeof a.bytes - UNIX_PATH_AT);
    if (abstract) {
        for (size_t i = 0; i < n; i++)
            if (!a.un.sun_path[i])
                a.un.sun_path[i] = '@';
    } else if (n && !a.un.sun_path[n - 1]) {
        n--;
    }
    bool unchanged = !abstract && n == strlen(name) && !memcmp(a.un.sun_path, name, n);
    if (unchanged && *name == '/' && path_to_guest(t, name, -1, guest, sizeof guest) < 0)
        return;
    proc_puts(o, " ");
    if (n)
        proc_put(o, a.un.sun_path, n);
}

long proc_make_net_unix(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    in.at = in.end = 0;
    in.fd = (int)proc_host_open(t, pp, "net/unix");
    if (in.fd < 0)
        return in.fd;
    for (char *line, *path; (line = proc_line(&in));) {
        path = str_starts(line, "Num") ? NULL : find_path(line);
        if (path)
            path[-1] = 0;
        proc_puts(o, line);
        if (path)
            put_name(t, path, o);
        proc_puts(o, "\n");
    }
    host_close(in.fd);
    return 0;
}
