// SPDX-License-Identifier: MIT
// /proc/PID/maps and smaps: without lxcore's own range, and with guest paths.
#include "host.h"
#include "proc.h"

#define HEADER_FIELDS 5 // range, permissions, offset, device, inode stand before the path

static u64 hex_until(const char **s)
{
    u64 v = 0;
    for (;; ++*s) {
        char c = **s;
        if (c >= '0' && c <= '9')
            v = v << 4 | (u64)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (u64)(c - 'a' + 10);
        else
            return v;
    }
}

// Does the line begin an entry ("from-to ...")? The lines of smaps between them begin with a
// capital letter.
static bool is_header(const char *line, u64 *from)
{
    const char *p = line;
    *from = hex_until(&p);
    return p > line && *p == '-';
}

// Where the path of an entry begins, NULL for one without.
static char *path_of_entry(char *line)
{
    char *p = line;
    for (int i = 0; i < HEADER_FIELDS; i++) {
        while (*p && *p != ' ')
            p++;
        while (*p == ' ')
            p++;
    }
    return *p == '/' ? p : NULL;
}

// Kernel objects that look like files but lie in no mount.
static bool is_file(const char *path)
{
    static const char *const objects[] = {"/memfd:", "/SYSV", "/dev/zero (deleted)", "/[aio]",
                                          "/anon_hugepage"};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (str_starts(path, objects[i]))
            return false;
    return true;
}

long proc_make_maps(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    // Entries of one file follow one another: its path is translated once.
    char host[LX_PATH_MAX] = "", guest[LX_PATH_MAX];
    bool hide = false;
    u64 from;
    in.at = in.end = 0;
    in.fd = (int)proc_host_open(t, pp, pp->rest);
    if (in.fd < 0)
        return in.fd;
    for (char *line; (line = proc_line(&in));) {
        bool header = is_header(line, &from);
        if (header)
            hide = from >= LX_BASE && from < LX_END;
        if (hide)
            continue;
        char *path = header ? path_of_entry(line) : NULL;
        if (path && is_file(path)) {
            if (strcmp(path, host) != 0) {
                str_copy(host, path, sizeof host);
                if (path_to_guest(t, host, -1, guest, sizeof guest) < 0)
                    str_copy(guest, host, sizeof guest);
            }
            proc_put(o, line, (size_t)(path - line));
            proc_puts(o, guest);
        } else {
            proc_puts(o, line);
        }
        proc_puts(o, "\n");
    }
    host_close(in.fd);
    return 0;
}
