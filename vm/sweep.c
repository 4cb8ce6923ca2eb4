// SPDX-License-Identifier: MIT
// Gives the host back what is zero in an idle VM's memory: a kernel in its start touches much that
// it never uses, and only what is free can be reported by it.
//
// A page that is all zeros may go, since what takes its place reads as zeros; but nobody may write
// to it meanwhile. So QEMU is stopped, and only when each of its threads is known to stand still (a
// thread inside a system call may still be writing) the pages go.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define PAGE 4096
#define PIECE (256 << 10)
#define STOP_MS 200

// A field of /proc/PID/stat behind the name: 'T' is its state, the third after that its group.
static bool read_stat(const char *path, char *name, size_t n, char *state, int *group)
{
    char line[512], *open, *close;
    FILE *f = fopen(path, "re");
    bool good = f && fgets(line, sizeof line, f) && (open = strchr(line, '(')) &&
                (close = strrchr(line, ')')) && sscanf(close + 1, " %c %*d %d", state, group) == 2;
    if (f)
        fclose(f);
    if (good)
        snprintf(name, n, "%.*s", (int)(close - open - 1), open + 1);
    return good;
}

// QEMU itself: lxrun stands in front of it, in the same process group.
static pid_t find_qemu(pid_t group)
{
    pid_t found = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        char path[300], name[64], state;
        int of;
        if (!isdigit((unsigned char)*e->d_name))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        if (read_stat(path, name, sizeof name, &state, &of) && of == group &&
            !strncmp(name, "qemu-system", 11))
            found = atoi(e->d_name);
    }
    if (d)
        closedir(d);
    return found;
}

static bool stands_still(pid_t pid)
{
    char path[300], name[64], state = 0;
    int group;
    bool still = true;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && still && (e = readdir(d));) {
        if (*e->d_name == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", pid, e->d_name);
        still = read_stat(path, name, sizeof name, &state, &group) && state == 'T';
    }
    if (d)
        closedir(d);
    return d && still;
}

static bool is_zero(const char *p)
{
    return !*p && !memcmp(p, p + 1, PAGE - 1);
}

void drop_zeros(int memory)
{
    static char piece[PIECE];
    off_t at = 0;
    while ((at = lseek(memory, at, SEEK_DATA)) >= 0) {
        ssize_t n = pread(memory, piece, sizeof piece, at);
        off_t start = at;
        if (n < PAGE)
            return;
        for (ssize_t i = 0; i + PAGE <= n; i += PAGE) {
            if (is_zero(piece + i))
                continue;
            if (at + i > start)
                fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
                          at + i - start);
            start = at + i + PAGE;
        }
        at += n / PAGE * PAGE;
        if (at > start)
            fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, at - start);
    }
}

bool machine_sweep(const struct machine *m)
{
    pid_t qemu = m->memory < 0 ? 0 : find_qemu(m->pid);
    if (!qemu || kill(qemu, SIGSTOP))
        return true;
    int ms = 0;
    while (!stands_still(qemu) && ms++ < STOP_MS)
        usleep(1000);
    if (ms <= STOP_MS)
        drop_zeros(m->memory);
    kill(qemu, SIGCONT);
    return ms <= STOP_MS;
}
