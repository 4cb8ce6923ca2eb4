// SPDX-License-Identifier: MIT
// Gives the host back what an idle VM holds in memory for commands to come: the cache of files, and
// what is free in pieces that are too small to be reported while there is work (autoMemoryReclaim).
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define IDLE_S 10 // without a command: who types another one soon is to find the cache warm
#define ORDER "/sys/module/page_reporting/parameters/page_reporting_order"
#define ORDER_BUSY "3" // as on the kernel's command line (qemu.c)
#define ORDER_IDLE "0"

static bool wanted;

static bool put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = write(fd, value, strlen(value)) > 0;
    close(fd);
    return good;
}

void reclaim_start(bool cache)
{
    wanted = cache;
    // Each processor keeps free pages for itself, which are not reported: 27 MiB of 1 GiB, or so 1.
    put("/proc/sys/vm/percpu_pagelist_high_fraction", "1000");
}

void reclaim_look(bool idle)
{
    static time_t idle_since;
    static bool stale; // there has been a command since
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (!idle && !stale)
        put(ORDER, ORDER_BUSY);
    stale |= !idle;
    if (!idle || !idle_since)
        idle_since = t.tv_sec;
    if (!wanted || !stale || t.tv_sec - idle_since < IDLE_S)
        return;
    // Where nothing is reported (User-Mode Linux) the host would win nothing.
    bool reported = put(ORDER, ORDER_IDLE);
    pid_t child = reported ? fork() : 0;
    stale = child < 0; // again at the next look
    if (stale)
        put(ORDER, ORDER_BUSY);
    if (child || !reported)
        return;
    sync(); // what has not been written cannot be dropped, and it can take a while
    put("/proc/sys/vm/drop_caches", "3");
    _exit(0);
}
