// SPDX-License-Identifier: MIT
// Files of /proc are procfs', opened or by their path; what a descriptor's link leads to is what it
// is.
// covers: fstatfs, statfs
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#include "check.h"

static long type_of(const char *path, int flags)
{
    struct statfs fs, same;
    int fd = OK(open(path, flags));
    CHECK_EQ(fstatfs(fd, &fs), 0);
    CHECK_EQ(statfs(path, &same), 0);
    CHECK_EQ(fs.f_type, same.f_type);
    CHECK_EQ(close(fd), 0);
    return (long)fs.f_type;
}

int main(void)
{
    static const char *const names[] = {
        "/proc",         "/proc/self",         "/proc/self/status", "/proc/self/maps",
        "/proc/mounts",  "/proc/self/limits",  "/proc/self/fd",     "/proc/self/mountinfo",
        "/proc/cpuinfo", "/proc/self/cmdline", "/proc/locks",       "/proc/sys/kernel/hostname"};
    char name[40];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_EQ(type_of(names[i], O_RDONLY), PROC_SUPER_MAGIC);
        CHECK_EQ(type_of(names[i], O_PATH), PROC_SUPER_MAGIC);
    }
    int memory = OK(memfd_create("memory", 0));
    snprintf(name, sizeof name, "/proc/self/fd/%d", memory);
    CHECK_EQ(type_of(name, O_RDWR), TMPFS_MAGIC);
    CHECK_EQ(type_of(name, O_PATH), TMPFS_MAGIC);
    return done();
}
