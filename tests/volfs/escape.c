// SPDX-License-Identifier: MIT
// Tries to get at what lies outside the guest's root (scripts/check-escape.py), by every way to a
// directory or file that is known to have led out of some jail. Says "leak" for each that does.
//
//     escape WAY SECRET DEV:INO...
//
// WAY: the host path of the directory outside; SECRET: what its file `secret` holds. DEV:INO:
// inodes that must not be seen. Descriptor 0 is that directory, 9 a socket by which the host sends
// it again.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *secret;
static char **outside;
static int leaks, tried;

static void leak(const char *way, const char *what)
{
    leaks++;
    if (outside[1] || leaks > 1)
        printf("leak: %s of %s\n", what, way);
}

static void seen(const struct stat *st, const char *way, const char *what)
{
    char id[60];
    snprintf(id, sizeof id, "%u:%u:%lu", major(st->st_dev), minor(st->st_dev),
             (unsigned long)st->st_ino);
    for (char **o = outside; *o; o++)
        if (!strcmp(*o, id))
            leak(way, what);
}

// A descriptor that a way has led to.
static void opened(int fd, const char *way, const char *what)
{
    char text[200] = "", link[40];
    struct stat st;
    tried++;
    if (fd < 0)
        return;
    if (!fstat(fd, &st))
        seen(&st, way, what);
    if (read(fd, text, sizeof text - 1) > 0 && strstr(text, secret))
        leak(way, what);
    static const char *const below[] = {"secret",  "..", "sub", "../outside/secret",
                                        "var/tmp", "var"};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        int in = openat(fd, below[i], O_RDONLY | O_NONBLOCK);
        if (in >= 0 && !fstat(in, &st))
            seen(&st, way, what);
        if (in >= 0 && read(in, text, sizeof text - 1) > 0 && strstr(text, secret))
            leak(way, what);
        close(in);
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int again = open(link, O_RDONLY | O_NONBLOCK);
    if (again >= 0 && !fstat(again, &st))
        seen(&st, way, "reopen");
    if (again >= 0 && read(again, text, sizeof text - 1) > 0 && strstr(text, secret))
        leak(way, "reopen");
    close(again);
    close(fd);
}

// The file or directory `path` from dir, which leads nowhere outside.
static void try(int dir, const char *path)
{
    struct stat st;
    struct statx sx;
    char text[400], way[5000];
    static const unsigned long resolve[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT,
                                            RESOLVE_NO_MAGICLINKS};
    snprintf(way, sizeof way, "%d %s", dir, path);
    opened(openat(dir, path, O_RDONLY | O_NONBLOCK), way, "open");
    opened(openat(dir, path, O_PATH), way, "O_PATH");
    opened(openat(dir, path, O_PATH | O_NOFOLLOW), way, "O_PATH of the link");
    opened(openat(dir, path, O_RDONLY | O_DIRECTORY), way, "directory");
    for (size_t i = 0; i < sizeof resolve / sizeof *resolve; i++) {
        struct open_how how = {.flags = O_RDONLY | O_NONBLOCK, .resolve = resolve[i]};
        opened((int)syscall(SYS_openat2, dir, path, &how, sizeof how), way, "openat2");
    }
    if (!fstatat(dir, path, &st, 0))
        seen(&st, way, "stat");
    if (!fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW))
        seen(&st, way, "lstat");
    if (!syscall(SYS_statx, dir, path, 0, STATX_BASIC_STATS, &sx) && sx.stx_ino == st.st_ino)
        seen(&st, way, "statx");
    int fd = openat(dir, path, O_WRONLY | O_APPEND | O_NONBLOCK);
    if (fd >= 0 && !fstat(fd, &st)) {
        seen(&st, way, "open for writing");
        close(fd);
    }
    // What is new on the host, or gone, or changed, is found there.
    static const char *const names[] = {"/made", "/./made", "/../made", "/sub/../made"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, "%.300s%s", path, names[i]);
        close(openat(dir, text, O_CREAT | O_EXCL | O_WRONLY, 0600));
        unlinkat(dir, text, 0);
        mkdirat(dir, text, 0700);
        unlinkat(dir, text, AT_REMOVEDIR);
        symlinkat("x", dir, text);
        unlinkat(dir, text, 0);
    }
    if (!linkat(dir, path, AT_FDCWD, "/tmp/linked", AT_SYMLINK_FOLLOW)) {
        opened(open("/tmp/linked", O_RDONLY | O_NONBLOCK), way, "link");
        unlink("/tmp/linked");
    }
    if (!renameat(dir, path, AT_FDCWD, "/tmp/renamed")) {
        opened(open("/tmp/renamed", O_RDONLY | O_NONBLOCK), way, "rename");
        renameat(AT_FDCWD, "/tmp/renamed", dir, path);
    }
    if (!mount(path, "/tmp/point", NULL, MS_BIND | MS_REC, NULL)) {
        opened(open("/tmp/point/secret", O_RDONLY), way, "bind mount");
        opened(open("/tmp/point", O_RDONLY), way, "bind mount");
        opened(open("/tmp/point/..", O_RDONLY), way, "above a bind mount");
        umount("/tmp/point");
    }
    fflush(stdout);
    if (!fork()) {
        leaks = 0;
        if ((dir == AT_FDCWD || !fchdir(dir)) && !chdir(path)) {
            opened(open(".", O_RDONLY), way, "chdir");
            opened(open("..", O_RDONLY), way, "chdir, above");
            opened(open("secret", O_RDONLY), way, "chdir, secret");
            if (!chroot(path) && !chdir("/")) {
                opened(open("../../../../secret", O_RDONLY), way, "chroot");
                opened(open("/..", O_RDONLY), way, "chroot, above");
            }
        }
        fflush(stdout);
        _exit(leaks > 0);
    }
    int status;
    wait(&status);
    leaks += status != 0;
}

// What would change a file that is outside; the host finds it there.
static void change(int dir, const char *path)
{
    char by[600], text[100];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct statfs fs;
    fchmodat(dir, path, 0600, 0);
    fchownat(dir, path, 1000, 1000, 0);
    fchownat(dir, path, 1000, 1000, AT_SYMLINK_NOFOLLOW);
    utimensat(dir, path, NULL, 0);
    utimensat(dir, path, NULL, AT_SYMLINK_NOFOLLOW);
    close(openat(dir, path, O_WRONLY | O_TRUNC));
    close(openat(dir, path, O_RDWR | O_CREAT | O_TRUNC, 0666));
    snprintf(by, sizeof by, "/proc/self/fd/%d/%.500s", dir, path);
    if (dir == AT_FDCWD)
        snprintf(by, sizeof by, "%.500s", path);
    truncate(by, 0);
    chmod(by, 0600);
    setxattr(by, "user.x", "1", 1, 0);
    setxattr(by, "trusted.x", "1", 1, 0);
    if (getxattr(by, "user.held", text, sizeof text) > 0)
        leak(by, "getxattr");
    if (!statfs(by, &fs))
        leak(by, "statfs");
    int watch = inotify_init();
    if (inotify_add_watch(watch, by, IN_ALL_EVENTS) >= 0)
        leak(by, "inotify");
    close(watch);
    if (!fork()) {
        syscall(SYS_execveat, dir, path, (char *[]){"x", NULL}, (char *[]){NULL}, 0);
        _exit(0);
    }
    wait(NULL);
    snprintf(a.sun_path, sizeof a.sun_path, "%.90s.socket", by);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)bind(s, (struct sockaddr *)&a, sizeof a);
    close(s);
    snprintf(by, sizeof by, "%.500s.new", path);
    mknodat(dir, by, S_IFIFO | 0600, 0);
    linkat(AT_FDCWD, "/inside", dir, by, 0);
    renameat2(dir, path, dir, by, RENAME_NOREPLACE);
    rename("/tmp/up", by);
    unlinkat(dir, path, 0);
    unlinkat(dir, path, AT_REMOVEDIR);
}

static void below(int dir, const char *base)
{
    static const char *const ends[] = {
        "",
        "/..",
        "/secret",
        "/../outside/secret",
        "/../outside",
        "/sub/../secret",
        "/../../../../../../../../../../..",
    };
    char path[5000];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", base, ends[i]);
        try(dir, *path == '/' && dir != AT_FDCWD ? path + 1 : path);
    }
}

static int received(void)
{
    char byte, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;
    if (recvmsg(9, &m, 0) > 0 && CMSG_FIRSTHDR(&m))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

// A directory on the way and a file at its end become links to `to` again and again, which the host
// would follow there, while they are used.
static void raced(const char *in, const char *to)
{
    char at[100], end[300], path[6][120];
    static const char *const names[] = {"x", "l", "f", "lf", "x/secret", "x/made"};
    struct stat st;
    snprintf(at, sizeof at, "%s/r.%d", in, (int)getuid());
    if (mkdir(at, 0700) && errno == EACCES) // a drive is its owner's
        return;
    for (int i = 0; i < 6; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", at, names[i]);
    mkdir(path[0], 0700);
    snprintf(end, sizeof end, "%.200s/secret", to);
    int made = open(path[2], O_CREAT | O_WRONLY, 0600),
        inner = open(path[4], O_CREAT | O_WRONLY, 0600);
    if (made < 0 || inner < 0 || symlink(to, path[1]) || symlink(end, path[3])) {
        leak(in, "no race could be made");
        return;
    }
    snprintf(end, sizeof end, "%s/x/sub", at);
    mkdir(end, 0700);
    int child = fork();
    for (; !child;) {
        renameat2(AT_FDCWD, path[0], AT_FDCWD, path[1], RENAME_EXCHANGE);
        renameat2(AT_FDCWD, path[2], AT_FDCWD, path[3], RENAME_EXCHANGE);
    }
    for (double until = now() + 1; now() < until;) {
        opened(open(path[0], O_RDONLY | O_DIRECTORY), in, "raced directory");
        opened(open(end, O_PATH), in, "raced way");
        opened(open(path[4], O_RDONLY), in, "file on a raced way");
        opened(open(path[2], O_RDONLY), in, "raced file");
        opened(open(path[2], O_PATH), in, "raced place");
        if (!stat(path[2], &st) || !stat(path[4], &st))
            seen(&st, in, "raced stat");
        close(open(path[4], O_WRONLY | O_TRUNC));
        close(open(path[2], O_RDWR | O_CREAT | O_TRUNC, 0600));
        truncate(path[4], 1);
        chmod(path[4], 0640);
        chmod(path[2], 0640);
        utimensat(AT_FDCWD, path[2], NULL, 0);
        setxattr(path[4], "user.x", "x", 1, 0);
        close(open(path[5], O_WRONLY | O_CREAT | O_EXCL, 0600));
        unlink(path[5]);
        mkdir(path[5], 0700);
        rmdir(path[5]);
        if (!link(path[4], path[5]))
            rename(path[5], path[2]);
        unlink(path[5]);
        execl(path[2], "f", NULL);
        if (!chdir(end))
            opened(open("..", O_RDONLY), in, "above a raced way");
        (void)!chdir("/");
    }
    kill(child, 9);
    waitpid(child, NULL, 0);
    close(made);
    close(inner);
}

int main(int argc, char **argv)
{
    char path[5000], up[700] = "";
    struct stat st;
    const char *way = argv[1];
    if (argc < 5)
        return 2;
    secret = argv[2];
    const char *host = argv[3];
    outside = argv + 5;
    // That inodes are told as the host does, or nothing here would be found.
    if (stat("/inside", &st))
        return 2;
    static char *known[2];
    char **others = outside;
    known[0] = argv[4];
    outside = known;
    seen(&st, "/inside", "itself");
    if (leaks != 1)
        return 2;
    outside = others;
    leaks = 0;
    printf("\n");
    mkdir("/tmp/point", 0700);
    mkdir("/tmp/a", 0700);
    mkdir("/tmp/a/b", 0700);

    for (int i = 0; i < 200; i++)
        strcat(up, "../");
    char *const links[][2] = {
        {up, "/tmp/up"},
        {"..", "/tmp/dots"},
        {(char *)way, "/tmp/abs"},
        {"/tmp/loop", "/tmp/loop"},
        {"/tmp/loop2/x", "/tmp/loop1"},
        {"loop1/..", "/tmp/loop2"},
        {"/proc/self/root/..", "/tmp/root"},
        {"/proc/self/cwd/../..", "/tmp/cwd"},
        {"/proc/self/fd/0", "/tmp/fd"},
        {"/../..//../", "/tmp/above"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (symlink(links[i][0], links[i][1]))
            return 2;
        below(AT_FDCWD, links[i][1]);
    }
    below(AT_FDCWD, way);
    snprintf(path, sizeof path, "%s/secret", way);
    change(AT_FDCWD, path);
    change(AT_FDCWD, "/proc/self/fd/0/secret");
    change(AT_FDCWD, "/proc/self/fd/9/secret");
    change(AT_FDCWD, "/d/hostlink/secret");
    change(AT_FDCWD, "/d/hostlink/sub");
    snprintf(path, sizeof path, "%s%s", up, way);
    below(AT_FDCWD, path);
    int dir = open("/tmp/a/b", O_PATH), root = open("/", O_PATH);
    below(dir, up);
    below(root, up);
    below(root, "..");

    // By /proc: the own processes, a child in another directory, the host's.
    int child = fork();
    if (!child) {
        chdir("/tmp/a/b");
        for (;;)
            pause();
    }
    char pids[4][40] = {"self", "1"};
    snprintf(pids[2], 40, "%d", child);
    snprintf(pids[3], 40, "%s", host);
    static const char *const names[] = {"root", "cwd",  "cwd/..", "fd/0",           "fd/9",
                                        "fd/3", "fd/7", "exe",    "task/self/root", "root/.."};
    for (int i = 0; i < 4; i++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            snprintf(path, sizeof path, "/proc/%s/%s", pids[i], names[n]);
            below(AT_FDCWD, path);
        }
    kill(child, 9);
    waitpid(child, NULL, 0);

    // Descriptors that came from outside: given at the start, and received. They show what they
    // are, and lead nowhere.
    int got = received();
    if (got < 0)
        return 2;
    int given[] = {0, got};
    for (int i = 0; i < 2; i++) {
        struct stat dirs;
        char entry[100];
        snprintf(entry, sizeof entry, "/proc/self/fd/%d", given[i]);
        if (fstat(given[i], &dirs))
            return 2;
        static const char *const at[] = {
            "secret", "..", "sub", "sub/..", "../outside/secret", "./secret", "sub/../../outside"};
        for (size_t n = 0; n < sizeof at / sizeof *at; n++) {
            try(given[i], at[n]);
            change(given[i], at[n]);
        }
        for (size_t n = 0; n < sizeof at / sizeof *at; n++) {
            snprintf(path, sizeof path, "%s/%s", entry, at[n]);
            try(AT_FDCWD, path);
        }
        if (!fork()) {
            leaks = 0;
            if (!fchdir(given[i])) {
                opened(open("secret", O_RDONLY), entry, "fchdir, secret");
                opened(open("..", O_RDONLY), entry, "fchdir, above");
                opened(open("sub", O_RDONLY), entry, "fchdir, below");
            }
            fflush(stdout);
            _exit(leaks > 0);
        }
        int status;
        wait(&status);
        leaks += status != 0;
    }

    // Directories of the host's in the guest, with the host's links in them; moved ones.
    below(AT_FDCWD, "/d/hostlink");
    below(AT_FDCWD, "/d/hostup");
    below(AT_FDCWD, "/d");
    int drive = open("/d", O_PATH | O_DIRECTORY), deep = open("/d/deep/er", O_PATH | O_DIRECTORY);
    if (drive < 0 || deep < 0)
        return 2;
    below(drive, "..");
    below(deep, "../..");
    if (fchdir(deep))
        return 2;
    write(1, "move\n", 5); // the host moves it out of what the guest is shown
    for (int i = 0; i < 500 && !fstat(deep, &st) && access("/d/moved", F_OK); i++)
        usleep(20000);
    opened(openat(deep, "..", O_RDONLY), "moved", "above");
    opened(openat(deep, "../secret", O_RDONLY), "moved", "secret above");
    opened(open("..", O_RDONLY), "moved cwd", "above");
    opened(open("../outside/secret", O_RDONLY), "moved cwd", "secret");
    opened(open("../../../../../..", O_RDONLY), "moved cwd", "far above");
    below(AT_FDCWD, "..");

    raced("/tmp", way);
    raced("/d", way);

    // Devices are the host's own.
    int device = open("/dev/full", O_RDWR);
    struct timespec ts[2] = {{7, 0}, {8, 0}};
    if (device < 0)
        return 2;
    futimens(device, ts);
    utimensat(device, "", ts, AT_EMPTY_PATH);
    fchmod(device, 0600);
    fchown(device, 1, 1);

    // And what is in /proc, but for processes.
    int version = open("/proc/version", O_RDONLY);
    char link[64];
    if (version < 0)
        return 2;
    snprintf(link, sizeof link, "/proc/self/fd/%d", version);
    futimens(version, ts);
    utimensat(version, "", ts, AT_EMPTY_PATH);
    utimensat(AT_FDCWD, link, ts, 0);
    utimensat(AT_FDCWD, "/proc/version", ts, 0);
    utimensat(AT_FDCWD, "/proc/version", ts, AT_SYMLINK_NOFOLLOW);
    printf("%d tried, %d leaks\n", tried, leaks);
    return leaks != 0;
}
