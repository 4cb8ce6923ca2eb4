// SPDX-License-Identifier: MIT
// How long a machine has waited for the host's processors: on a host that is busy with other work,
// a clock says nothing of whether a machine hangs.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"

void group_each(pid_t group, void (*visit)(pid_t, void *), void *arg)
{
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));)
        if (isdigit((unsigned char)*e->d_name) && getpgid(atoi(e->d_name)) == group)
            visit(atoi(e->d_name), arg);
    if (d)
        closedir(d);
}

// Adds the nanoseconds of a process's threads: on a processor, and ready to be (kernel:
// Documentation/scheduler/sched-stats.rst).
static void add(pid_t pid, void *sums)
{
    unsigned long long one[2], *sum = sums;
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, e->d_name);
        FILE *f = *e->d_name == '.' ? NULL : fopen(path, "re");
        if (f && fscanf(f, "%llu %llu", &one[0], &one[1]) == 2) {
            sum[0] += one[0];
            sum[1] += one[1];
        }
        if (f)
            fclose(f);
    }
    if (d)
        closedir(d);
}

void machine_times(const struct machine *m, long *ran, long *waited)
{
    unsigned long long sum[2] = {0};
    group_each(m->pid, add, sum);
    *ran = (long)(sum[0] / 1000000);
    *waited = (long)(sum[1] / 1000000);
}
