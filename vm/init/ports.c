// SPDX-License-Identifier: MIT
// The TCP ports of the VM that something listens on: the keeper makes them the host's, too.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "init.h"

#define PORTS 256
#define LISTENS 0x0a // TCP_LISTEN in /proc/net/tcp

static size_t look(const char *file, uint16_t *ports, size_t n)
{
    char line[512];
    FILE *f = fopen(file, "re");
    while (f && fgets(line, sizeof line, f)) {
        unsigned port, state;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state) != 2 ||
            state != LISTENS || host_port((uint16_t)port))
            continue;
        size_t i = 0;
        while (i < n && ports[i] != port)
            i++;
        if (i == n && n < PORTS)
            ports[n++] = (uint16_t)port;
    }
    if (f)
        fclose(f);
    return n;
}

void ports_look(void)
{
    static uint16_t known[PORTS];
    static size_t nknown;
    static time_t last;
    uint16_t now[PORTS];
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (t.tv_sec == last)
        return;
    last = t.tv_sec;
    size_t n = look("/proc/net/tcp", now, 0);
    n = look("/proc/net/tcp6", now, n);
    if (n == nknown && !memcmp(now, known, n * sizeof *now))
        return;
    nknown = n;
    memcpy(known, now, n * sizeof *now);
    frame_add(&to_host, 0, F_PORTS, 0, known, n * sizeof *known);
}
