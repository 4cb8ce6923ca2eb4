// SPDX-License-Identifier: MIT
// The files of /proc and /sys about the machine that ps, free, vmstat, uptime, nproc and libraries
// read: they parse and agree with the calls.
// covers: open, read, uname, sysinfo, sched_getaffinity
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char text[1 << 18];

static const char *slurp(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    size_t len = 0;
    ssize_t n;

    while ((n = OK(read(fd, text + len, sizeof(text) - 1 - len))) > 0)
        len += n;
    text[len] = 0;
    close(fd);
    return text;
}

static long number(const char *path, const char *key)
{
    const char *at = strstr(slurp(path), key);

    if (!at)
        check_failed(__FILE__, __LINE__, path, key);
    return strtol(at + strlen(key), NULL, 10);
}

// A descriptor of the place alone is of the same file, also by way of an open one; what nobody may
// write refuses writing: root may open it, and the write fails.
static void check_read_only(const char *path)
{
    char link[40];
    struct stat place, opened, again;
    int fd = OK(open(path, O_PATH)), file = OK(open(path, O_RDONLY));

    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    CHECK_EQ(fstat(fd, &place) | fstat(file, &opened) | fstat(OK(open(link, O_PATH)), &again), 0);
    CHECK(opened.st_ino == place.st_ino && opened.st_dev == place.st_dev);
    CHECK(again.st_ino == place.st_ino && again.st_dev == place.st_dev);
    CHECK_EQ(again.st_mode, S_IFREG | 0444);

    fd = open(path, O_WRONLY);
    CHECK(fd >= 0 ? write(fd, "x", 1) < 0 && (errno == EIO || errno == EINVAL) : errno == EACCES);
}

int main(void)
{
    char uuid[64], name[80];
    struct utsname u;
    struct sysinfo si;
    double a, b, c;
    long cpus = 0, total;

    CHECK_EQ(uname(&u), 0);
    CHECK_EQ(sysinfo(&si), 0);
    CHECK_STR(slurp("/proc/sys/kernel/ostype"), "Linux\n");
    snprintf(name, sizeof(name), "%s\n", u.nodename);
    CHECK_STR(slurp("/proc/sys/kernel/hostname"), name);
    snprintf(name, sizeof(name), "%s\n", u.release);
    CHECK_STR(slurp("/proc/sys/kernel/osrelease"), name);
    CHECK(number("/proc/sys/kernel/pid_max", "") > getpid());
    CHECK(number("/proc/sys/vm/overcommit_memory", "") >= 0);
    snprintf(name, sizeof(name), "Linux version %s ", u.release);
    CHECK(strncmp(slurp("/proc/version"), name, strlen(name)) == 0);

    check_read_only("/proc/version");
    check_read_only("/proc/uptime");
    check_read_only("/proc/self/maps");
    check_read_only("/proc/self/status");

    CHECK_EQ(strlen(strcpy(uuid, slurp("/proc/sys/kernel/random/uuid"))), 37);
    CHECK(strcmp(uuid, slurp("/proc/sys/kernel/random/uuid")) != 0);
    CHECK_EQ(strlen(strcpy(uuid, slurp("/proc/sys/kernel/random/boot_id"))), 37);
    CHECK_STR(slurp("/proc/sys/kernel/random/boot_id"), uuid);

    total = number("/proc/meminfo", "MemTotal:");
    CHECK(total > 0 && number("/proc/meminfo", "MemAvailable:") <= total);
    CHECK_EQ(total / 1024, (long)(si.totalram * si.mem_unit >> 20));
    for (const char *s = slurp("/proc/cpuinfo"); (s = strstr(s, "processor\t:")) != NULL; s++)
        cpus++;
    CHECK_EQ(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    CHECK_EQ(get_nprocs(), cpus);
    CHECK(number("/sys/devices/system/cpu/online", "") == 0);
    CHECK_EQ(sscanf(slurp("/proc/uptime"), "%lf %lf", &a, &b), 2);
    CHECK(a > 0 && a <= si.uptime + 5);
    CHECK_EQ(sscanf(slurp("/proc/loadavg"), "%lf %lf %lf", &a, &b, &c), 3);
    CHECK(strncmp(slurp("/proc/stat"), "cpu  ", 5) == 0);
    CHECK(number("/proc/stat", "\nbtime ") > 0);
    CHECK(number("/proc/vmstat", "pgfault ") > 0);
    CHECK(strstr(slurp("/proc/filesystems"), "\tproc\n") != NULL);
    CHECK(strstr(slurp("/proc/net/dev"), "lo:") != NULL);
    return done();
}
