// SPDX-License-Identifier: MIT
// What the VM's init does before the first command and after the last one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

// What QEMU's user-mode network gives (docs/vm.md).
#define ADDRESS "10.0.2.15"
#define NETMASK "255.255.255.0"
#define RESOLVER "10.0.2.3"

const char *text_format(const char *format, ...)
{
    static char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return text;
}

// How long a device may take to appear, in milliseconds: on a busy host the processors are emulated
// by fits and starts, while the VM's clock goes on. The keeper has a limit of its own for the
// whole.
#define DEVICE_MS 60000

// ---- Before the keeper has been heard ----

static void system_mounts(void)
{
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
    mknod("/dev/fuse", S_IFCHR | 0666, makedev(10, 229)); // opening it loads its module
}

void boot_early(void)
{
    system_mounts();
    modules_start();
    struct rlimit files = {1024, 1 << 20};
    setrlimit(RLIMIT_NOFILE, &files);
}

int boot_channel(void)
{
    // A port of virtio-serial, or the serial line of User-Mode Linux.
    static const char *const places[] = {"/dev/vport0p1", "/dev/vport1p1", "/dev/vport2p1",
                                         "/dev/ttyS0"};
    for (int ms = 0; ms < DEVICE_MS; ms += 5) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            int fd = open(places[i], O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
            struct termios raw;
            if (fd < 0)
                continue;
            if (!tcgetattr(fd, &raw)) {
                cfmakeraw(&raw);
                tcsetattr(fd, TCSANOW, &raw);
            }
            return fd;
        }
        usleep(5000);
    }
    return -1;
}

// ---- Set-up ----

// "TYPE\tSOURCE\tTARGET\tOPTIONS", ro being a flag among the options.
static const char *mount_one(char *text)
{
    char *field[4];
    for (int i = 0; i < 4; i++)
        field[i] = strsep(&text, "\t");
    if (!field[3])
        return "a mount that cannot be read";
    unsigned long flags = !strncmp(field[3], "ro,", 3) ? MS_RDONLY : 0;
    for (char *p = field[2] + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = 0;
        mkdir(field[2], 0755);
    }
    mkdir(field[2], 0755);
    // The device of a disk can take a moment to appear.
    for (int ms = 0;; ms += 10) {
        if (!mount(field[1], field[2], field[0], flags, field[3] + (flags ? 3 : 0)))
            return NULL;
        int error = errno;
        if (*field[1] != '/' || !access(field[1], F_OK) || ms >= DEVICE_MS)
            return text_format("cannot mount %s (%s) at %s: %s", field[1], field[0], field[2],
                               strerror(error));
        usleep(10000);
    }
}

// What has been mounted at /root becomes /.
static const char *switch_root(void)
{
    if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
        return text_format("cannot change the root: %s", strerror(errno));
    system_mounts();
    mkdir("/dev/pts", 0755);
    mkdir("/dev/shm", 01777);
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
    (void)!symlink("/proc/self/fd", "/dev/fd");
    (void)!symlink("/proc/self/fd/0", "/dev/stdin");
    (void)!symlink("/proc/self/fd/1", "/dev/stdout");
    (void)!symlink("/proc/self/fd/2", "/dev/stderr");
    if (access("/proc/self", F_OK) || access("/dev/null", F_OK))
        return "the root has no /proc or /dev, and they cannot be made";
    return NULL;
}

static struct sockaddr address(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr a;
    inet_pton(AF_INET, text, &in.sin_addr);
    memcpy(&a, &in, sizeof a);
    return a;
}

static void interface_up(int fd, const char *name, const char *ip, const char *mask)
{
    struct ifreq r = {0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_addr = address(ip);
    ioctl(fd, SIOCSIFADDR, &r);
    r.ifr_addr = address(mask);
    ioctl(fd, SIOCSIFNETMASK, &r);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    ioctl(fd, SIOCSIFFLAGS, &r);
}

static void resolver(void)
{
    // Over the root's own file, which is not changed.
    static const char text[] = "nameserver " RESOLVER "\n";
    int fd = open("/dev/shm/.resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0)
        return;
    close(fd);
    // A link to what only a running system has, or nothing at all, cannot be mounted on.
    if (mount("/dev/shm/.resolv.conf", "/etc/resolv.conf", NULL, MS_BIND, NULL)) {
        char target[256];
        ssize_t n = readlink("/etc/resolv.conf", target, sizeof target - 1);
        if (n > 0) {
            target[n] = 0;
            const char *last = strrchr(target, '/');
            char *dir = strndup(target, last ? (size_t)(last - target) : 0);
            if (dir && *dir && !chdir("/etc"))
                mkdir(dir, 0755);
            free(dir);
        }
        fd = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        close(fd);
        mount("/dev/shm/.resolv.conf", "/etc/resolv.conf", NULL, MS_BIND, NULL);
        (void)!chdir("/");
    }
    unlink("/dev/shm/.resolv.conf");
}

static void network(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    interface_up(fd, "lo", "127.0.0.1", "255.0.0.0");
    if (*name) {
        struct rtentry route = {.rt_gateway = address(GATEWAY),
                                .rt_dst = address("0.0.0.0"),
                                .rt_genmask = address("0.0.0.0"),
                                .rt_flags = RTF_UP | RTF_GATEWAY};
        interface_up(fd, name, ADDRESS, NETMASK);
        ioctl(fd, SIOCADDRT, &route);
        resolver();
    }
    close(fd);
}

const char *boot_setup(const char *strings, size_t size)
{
    const char *wrong = NULL, *end = strings + size;
    for (const char *s = strings; s < end && !wrong; s += strlen(s) + 1) {
        char *key = strdup(s), *value = key ? strchr(key, '=') : NULL;
        if (!value) {
            free(key);
            return "a setting that cannot be read";
        }
        *value++ = 0;
        if (!strcmp(key, "mount")) {
            wrong = mount_one(value);
        } else if (!strcmp(key, "switch")) {
            wrong = switch_root();
        } else if (!strcmp(key, "net")) {
            network(value);
        } else if (!strcmp(key, "reclaim")) {
            reclaim_start(!strcmp(value, "dropCache"));
        } else if (!strcmp(key, "host")) {
            wrong = host_ports(value);
        } else if (!strcmp(key, "name")) {
            sethostname(value, strlen(value));
        }
        free(key);
    }
    return wrong;
}

// ---- The end ----

static void end_processes(void)
{
    kill(-1, SIGTERM);
    kill(-1, SIGCONT);
    for (int i = 0; i < 100 && waitpid(-1, NULL, WNOHANG) != -1; i++)
        usleep(10000);
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static void unmount_all(void)
{
    char line[1024], *points[128] = {NULL};
    size_t n = 0;
    FILE *f = fopen("/proc/self/mounts", "re");
    while (f && n < 128 && fgets(line, sizeof line, f)) {
        char *p = strchr(line, ' ');
        if (p && (p = strtok(p + 1, " ")) && strcmp(p, "/") != 0 && strncmp(p, "/proc", 5) != 0)
            points[n++] = strdup(p);
    }
    if (f)
        fclose(f);
    while (n) {
        umount2(points[--n], MNT_DETACH);
        free(points[n]);
    }
}

void boot_halt(void)
{
    end_processes();
    sync();
    unmount_all();
    mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    sync();
}
