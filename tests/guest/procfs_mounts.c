// SPDX-License-Identifier: MIT
// /proc/self/mounts and mountinfo parse; / and /proc are in them, with a root mount that leads.
// covers: open, read, stat
#include "check.h"
#include <sys/sysmacros.h>

// Reads the whole file; the caller cuts it into lines.
static char *slurp(const char *path)
{
    char *text = calloc(1, 1 << 20);
    int fd = OK(open(path, O_RDONLY));
    size_t len = 0;
    ssize_t n;

    while ((n = OK(read(fd, text + len, (1 << 20) - 1 - len))) > 0)
        len += n;
    close(fd);
    return text;
}

int main(void)
{
    char device[1024], where[4096], type[256], options[4096], root[4096];
    int roots = 0, procs = 0, id, parent, zero;
    unsigned major, minor;

    for (char *s = slurp("/proc/self/mounts"); *s; s = strchr(s, '\n') + 1) {
        CHECK_EQ(
            sscanf(s, "%1023s %4095s %255s %4095s %d %d", device, where, type, options, &zero, &id),
            6);
        CHECK_EQ(where[0], '/');
        roots += strcmp(where, "/") == 0;
        procs += strcmp(where, "/proc") == 0 && strcmp(type, "proc") == 0;
        CHECK(strncmp(options, "rw", 2) == 0 || strncmp(options, "ro", 2) == 0);
    }
    CHECK(roots >= 1);
    CHECK(procs >= 1);
    CHECK_EQ(strcmp(slurp("/proc/self/mounts"), slurp("/proc/mounts")), 0);

    roots = procs = 0;
    for (char *s = slurp("/proc/self/mountinfo"); *s; s = strchr(s, '\n') + 1) {
        const char *dash = strstr(s, " - ");

        CHECK_EQ(sscanf(s, "%d %d %u:%u %4095s %4095s %4095s", &id, &parent, &major, &minor, root,
                        where, options),
                 7);
        CHECK(dash && dash < strchr(s, '\n'));
        CHECK_EQ(sscanf(dash + 3, "%255s %1023s %4095s", type, device, options), 3);
        if (strcmp(where, "/") == 0) {
            roots++;
            CHECK_EQ(makedev(major, minor), stat_of("/").st_dev);
        }
        if (strcmp(where, "/proc") == 0) {
            procs++;
            CHECK_EQ(makedev(major, minor), stat_of("/proc").st_dev);
        }
    }
    CHECK(roots >= 1);
    CHECK(procs >= 1);
    return done();
}
