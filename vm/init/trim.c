// SPDX-License-Identifier: MIT
// Tells the disks from time to time what their file systems do not use, as fstrim does: what was
// deleted on one that is mounted without `discard` leaves the host's file by this alone.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define IDLE_S 2   // without a command; the host looks for zeros in the memory after this
#define BUSY_S 600 // while there are commands

static void trim_all(void)
{
    struct mntent *m;
    FILE *f = setmntent("/proc/self/mounts", "re");
    while (f && (m = getmntent(f))) {
        struct fstrim_range all = {.len = ~0ULL};
        if (strncmp(m->mnt_fsname, "/dev/", 5) != 0)
            continue;
        int fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
        (void)!ioctl(fd, FITRIM, &all); // not all can
        close(fd);
    }
}

void trim_look(bool idle)
{
    static time_t last_trim, idle_since;
    static bool stale; // there has been a command since
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (!last_trim)
        last_trim = t.tv_sec;
    if (!idle || !idle_since)
        idle_since = t.tv_sec;
    stale |= !idle;
    if (!stale || t.tv_sec - (idle ? idle_since : last_trim) < (idle ? IDLE_S : BUSY_S))
        return;
    last_trim = t.tv_sec;
    stale = false;
    pid_t pid = fork(); // it can take a while
    if (pid)
        return;
    trim_all();
    _exit(0);
}
