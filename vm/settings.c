// SPDX-License-Identifier: MIT
// The VM's settings, under the names that WSL gives them in its sections [wsl2] and
// [experimental].
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysinfo.h>

#include "fail.h"
#include "vm.h"

#define MEMORY_LEAST 96 // Debian's kernel hangs in its start with 64, and panics with 80
#define MEMORY_LEAST_TEXT "96MB"
#define MEMORY_DEFAULT 1024 // MiB; less on a host with less than twice that
#define IDLE_DEFAULT 60000

unsigned vm_size(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    while (*end == ' ')
        end++;
    if (!isdigit((unsigned char)*text))
        return 0;
    if (!strcasecmp(end, "GB") || !strcasecmp(end, "G"))
        n <<= 10;
    else if (!*end)
        n >>= 20;
    else if (strcasecmp(end, "MB") != 0 && strcasecmp(end, "M") != 0)
        return 0;
    return n < 1U << 24 ? (unsigned)n : 0;
}

static unsigned host_memory(void) // MiB
{
    struct sysinfo host;
    return sysinfo(&host) ? UINT_MAX : (unsigned)((host.totalram >> 10) * host.mem_unit >> 10);
}

static bool truth(const char *value, bool *v)
{
    *v = !strcasecmp(value, "true");
    return *v || !strcasecmp(value, "false");
}

// There is one way to do it, at whatever pace.
static bool reclaim(const char *value, bool *v)
{
    *v = !strcasecmp(value, "dropCache") || !strcasecmp(value, "gradual");
    return *v || !strcasecmp(value, "disabled");
}

// Numbers of TCP ports, with commas between them.
static bool ports(const char *value, const char **v)
{
    const char *p = value;
    for (char *end = NULL; *p; p = *end ? end + 1 : end) {
        unsigned long n = strtoul(p, &end, 10);
        if (!isdigit((unsigned char)*p) || !n || n > 65535 || (*end && (*end != ',' || !end[1])))
            return false;
    }
    *v = must_format("%s", value);
    return true;
}

// False: no such value. *wanted: what is one; NULL if there is no such key.
static bool set(struct vm_settings *s, const char *key, const char *value, const char **wanted)
{
    char *end;
    if (!strcasecmp(key, "memory")) {
        *wanted =
            must_format("a size from " MEMORY_LEAST_TEXT " to this machine's %uMB", host_memory());
        return (s->memory = vm_size(value)) >= MEMORY_LEAST && s->memory <= host_memory();
    }
    if (!strcasecmp(key, "processors")) {
        *wanted = "a number from 1 to 64";
        s->processors = (unsigned)strtoul(value, &end, 10);
        return s->processors > 0 && s->processors <= 64 && !*end;
    }
    if (!strcasecmp(key, "kernel")) {
        s->kernel = *value ? must_format("%s", value) : NULL;
        return *wanted = "a file", true;
    }
    if (!strcasecmp(key, "kernelCommandLine")) {
        s->command_line = must_format("%s", value);
        return *wanted = "any text", true;
    }
    if (!strcasecmp(key, "autoMemoryReclaim"))
        return *wanted = "dropCache, gradual or disabled", reclaim(value, &s->reclaim);
    if (!strcasecmp(key, "localhostForwarding"))
        return *wanted = "true or false", truth(value, &s->forwarding);
    if (!strcasecmp(key, "hostPorts"))
        return *wanted = "a list of ports such as 5432,8080", ports(value, &s->host_ports);
    if (!strcasecmp(key, "virtiofs"))
        return *wanted = "true or false", truth(value, &s->virtiofs);
    if (!strcasecmp(key, "vmIdleTimeout")) {
        *wanted = "a number of milliseconds";
        s->idle = strtol(value, &end, 10);
        return end != value && !*end;
    }
    *wanted = NULL;
    return true;
}

void vm_settings_set(struct vm_settings *s, const char *assignment)
{
    const char *wanted;
    char *key = must_format("%s", assignment), *value = strchr(key, '=');
    if (!value)
        fail("--vm-set %s: KEY=VALUE is wanted", assignment);
    *value++ = 0;
    bool good = set(s, key, value, &wanted);
    if (!wanted)
        fail("--vm-set %s: there is no setting '%s'", assignment, key);
    if (!good)
        fail("--vm-set %s: %s is wanted", assignment, wanted);
    free(key);
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    for (size_t n = strlen(s); n && isspace((unsigned char)s[n - 1]);)
        s[--n] = 0;
    return s;
}

static void read_file(struct vm_settings *s, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    const char *wanted;
    enum { OTHER, EXPERIMENTAL, WSL2 } section = OTHER;
    FILE *f = fopen(path, "re");
    for (unsigned number = 1; f && getline(&line, &room, f) > 0; number++) {
        char *key = trim(line), *value = strchr(key, '=');
        if (*key == '[')
            section = !strcasecmp(key, "[wsl2]")           ? WSL2
                      : !strcasecmp(key, "[experimental]") ? EXPERIMENTAL
                                                           : OTHER;
        if (*key == '#' || *key == ';' || *key == '[' || !section || !value)
            continue;
        *value++ = 0;
        if (section != WSL2 && strcasecmp(trim(key), "autoMemoryReclaim") != 0)
            continue;
        if (!set(s, trim(key), trim(value), &wanted))
            fail("%s:%u: %s: %s is wanted", path, number, trim(key), wanted);
    }
    free(line);
    if (f ? ferror(f) : errno != ENOENT && errno != ENOTDIR)
        fail_errno("cannot read %s", path);
    if (f)
        fclose(f);
}

void vm_settings_read(struct vm_settings *s)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    *s = (struct vm_settings){.memory = MEMORY_DEFAULT,
                              .processors = (unsigned)get_nprocs(),
                              .command_line = "",
                              .host_ports = "",
                              .forwarding = true,
                              .reclaim = true,
                              .idle = IDLE_DEFAULT};
    if (host_memory() / 2 < s->memory)
        s->memory = host_memory() / 2;
    if (s->processors > 8)
        s->processors = 8; // a machine that is emulated wins nothing by more
    char *path = config && *config == '/'
                     ? must_format("%s/lxrun/config", config)
                     : must_format("%s/.config/lxrun/config", home ? home : "");
    read_file(s, path);
    free(path);
}
