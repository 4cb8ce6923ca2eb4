// SPDX-License-Identifier: MIT
// What becomes of each name in the working directory, line by line (scripts/check-drive-names.py):
// nothing here knows of any mapping, so the lines are those of ext4 wherever names are the guest's.
//
//     names few|all|listed|seen|long|cannot
//
// few: what any file system can; all: links, nodes, sockets, attributes, too; listed: makes one of
// each name and lists them; seen: what is there, and whether that leads to it; long, cannot: where
// the host says no.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char top[4096];

static void text(const char *what, const char *s)
{
    printf(" %s=", what);
    for (; *s; s++)
        printf(*s > ' ' && *s < 127 && *s != '%' ? "%c" : "%%%02x", (unsigned char)*s);
}

// The error of a call, or 0.
static void told(const char *what, long r)
{
    printf(" %s:%d", what, r < 0 ? errno : 0);
}

// A path below the directory that all began in.
static void place(const char *what, const char *path)
{
    size_t n = strlen(top);
    text(what, strncmp(path, top, n) ? path : path + n);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void listing(const char *what)
{
    char *names[2000];
    size_t n = 0;
    DIR *d = opendir(".");
    for (struct dirent *e; d && n < 2000 && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            names[n++] = strdup(e->d_name);
    if (d)
        closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        text(what, names[i]);
        free(names[i]);
    }
}

static void old_listing(void)
{
    struct entry {
        unsigned long ino, off;
        unsigned short len;
        char name[];
    };
    char buf[4096] __attribute__((aligned(8)));
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    for (long n; (n = syscall(SYS_getdents, fd, buf, sizeof buf)) > 0;) {
        for (long at = 0; at < n;) {
            struct entry *e = (struct entry *)(buf + at);
            at += e->len;
            if (strcmp(e->name, ".") && strcmp(e->name, "..")) {
                text("old", e->name);
                printf("/%d", buf[at - 1]);
            }
        }
    }
    close(fd);
}

static void link_of(const char *what, const char *link)
{
    char to[4096];
    ssize_t n = readlink(link, to, sizeof to - 1);
    told(what, n);
    if (n >= 0) {
        to[n] = 0;
        place(what, to);
    }
}

static void of_fd(const char *what, int fd)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    link_of(what, link);
}

static void mapped_as(int fd)
{
    char line[8192];
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long from;
    while (f && p != MAP_FAILED && fgets(line, sizeof line, f)) {
        char *path = strchr(line, '/');
        if (sscanf(line, "%lx", &from) == 1 && from == (unsigned long)p && path) {
            path[strcspn(path, "\n")] = 0;
            place("maps", path);
        }
    }
    if (f)
        fclose(f);
    if (p != MAP_FAILED)
        munmap(p, 4096);
}

static void file(const char *name, int watch)
{
    struct stat st;
    char event[sizeof(struct inotify_event) + 1024];
    told("creat", lstat(name, &st));
    int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);
    told("excl", fd);
    if (fd < 0)
        return;
    told("again", open(name, O_CREAT | O_EXCL | O_RDWR, 0644));
    told("write", write(fd, "text", 4));
    of_fd("fd", fd);
    mapped_as(fd);
    close(fd);
    // inotify calls it by its name, and fills up with nothing else.
    memset(event, 1, sizeof event);
    ssize_t n = read(watch, event, sizeof event);
    struct stat by = {0};
    if (n > 0) {
        const struct inotify_event *e = (void *)event;
        size_t len = strlen(e->name), zeros = len;
        while (zeros < e->len && !e->name[zeros])
            zeros++;
        text("told", e->name);
        printf(" whole:%d", zeros == e->len && n >= (ssize_t)(sizeof *e + e->len));
    }
    told("event", n > 0 ? stat(((struct inotify_event *)event)->name, &by) : -1);
    while (read(watch, event, sizeof event) > 0)
        ;
    told("stat", stat(name, &st));
    printf(" same:%d size:%ld", st.st_ino == by.st_ino, (long)st.st_size);
    listing("ls");
    old_listing();
    told("access", access(name, R_OK | W_OK));
    told("truncate", truncate(name, 2));
    told("utimes", utimensat(AT_FDCWD, name, NULL, 0));
    told("dir", open(name, O_RDONLY | O_DIRECTORY));
    char slash[600];
    snprintf(slash, sizeof slash, "%s/", name);
    told("slash", stat(slash, &st));
    struct open_how how = {.flags = O_PATH, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    fd = (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
    told("openat2", fd);
    of_fd("path", fd);
    told("rename", rename(name, "plain"));
    if (fd >= 0)
        of_fd("moved", fd);
    close(fd);
    told("gone", stat(name, &st));
    told("back", rename("plain", name));
    told("here", stat(name, &st));
    told("mkdir", mkdir(name, 0755));
    told("unlink", unlink(name));
    told("none", unlink(name));
    listing("left");
}

static void directory(const char *name)
{
    char cwd[4096], way[1200];
    struct stat st;
    told("mkdir", mkdir(name, 0755));
    told("eexist", mkdir(name, 0755));
    if (chdir(name)) {
        told("chdir", -1);
        return;
    }
    place("cwd", getcwd(cwd, sizeof cwd) ? cwd : "?");
    link_of("self", "/proc/self/cwd");
    int fd = open("in", O_CREAT | O_RDWR, 0644);
    of_fd("in", fd);
    close(fd);
    snprintf(way, sizeof way, "../%s/./in", name);
    told("up", stat(way, &st));
    snprintf(way, sizeof way, "../%s/../%s/in", name, name);
    told("upup", stat(way, &st));
    snprintf(way, sizeof way, "%s/%s/in", top, name);
    told("abs", stat(way, &st));
    told("no", rmdir(way));
    unlink("in");
    told("nested", mkdir(name, 0755));
    told("deep", chdir(name));
    place("cwd", getcwd(cwd, sizeof cwd) ? cwd : "?");
    told("..", chdir(".."));
    told("rmdir", rmdir(name));
    fd = open(".", O_RDONLY | O_DIRECTORY);
    told("..", chdir(".."));
    told("fchdir", fchdir(fd));
    place("cwd", getcwd(cwd, sizeof cwd) ? cwd : "?");
    told("..", chdir(".."));
    snprintf(way, sizeof way, "%s2", name);
    told("rename", rename(name, way));
    of_fd("moved", fd);
    close(fd);
    told("back", rename(way, name));
    told("rmdir", rmdir(name));
}

static void links(const char *name)
{
    struct stat st;
    char second[600];
    int fd = open(name, O_CREAT | O_RDWR, 0644);
    snprintf(second, sizeof second, "%sl", name);
    told("link", link(name, second));
    told("twice", link(name, second));
    told("stat", stat(second, &st));
    printf(" n:%d", (int)st.st_nlink);
    told("symlink", symlink(name, "to"));
    link_of("text", "to");
    int by = open("to", O_RDONLY);
    of_fd("by", by);
    close(by);
    mkdir("swap", 0755);
    told("noreplace", renameat2(AT_FDCWD, second, AT_FDCWD, name, RENAME_NOREPLACE));
    told("exchange", renameat2(AT_FDCWD, name, AT_FDCWD, "swap", RENAME_EXCHANGE));
    listing("ls");
    told("back", renameat2(AT_FDCWD, name, AT_FDCWD, "swap", RENAME_EXCHANGE));
    rmdir("swap");
    told("set", setxattr(name, "user.x", "value", 5, 0));
    char value[10];
    told("get", getxattr(name, "user.x", value, sizeof value));
    told("chmod", chmod(name, 0444));
    close(fd);
    unlink("to");
    unlink(second);
    fd = open(".", O_TMPFILE | O_RDWR, 0644);
    snprintf(second, sizeof second, "/proc/self/fd/%d", fd);
    told("tmpfile", linkat(AT_FDCWD, second, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
    close(fd);
    unlink(name);
    told("symlink", symlink("in it", name));
    link_of("text", name);
    told("lstat", lstat(name, &st));
    printf(" link:%d", S_ISLNK(st.st_mode));
    unlink(name);
    told("fifo", mkfifo(name, 0644));
    told("lstat", lstat(name, &st));
    printf(" fifo:%d", S_ISFIFO(st.st_mode));
    unlink(name);
}

static void bound(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX}, b;
    socklen_t n = sizeof b;
    if (strlen(name) >= sizeof a.sun_path)
        return;
    memcpy(a.sun_path, name, strlen(name));
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    told("bind", bind(s, (struct sockaddr *)&a, sizeof a));
    listen(s, 1);
    told("connect", connect(c, (struct sockaddr *)&a, sizeof a));
    memset(&b, 0, sizeof b);
    told("name", getpeername(c, (struct sockaddr *)&b, &n));
    text("name", b.sun_path);
    close(s);
    close(c);
    unlink(name);
}

static int seen(void)
{
    DIR *d = opendir(".");
    struct stat st;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        text("\n", e->d_name);
        printf("\n");
        told("stat", stat(e->d_name, &st));
        printf("\n");
    }
    closedir(d);
    return 0;
}

static long create(const char *name)
{
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0)
        return fd;
    close(fd);
    return unlink(name);
}

static int too_long(void)
{
    char name[300] = "";
    struct stat st = {0};
    memset(name, ':', 85);
    told("85", create(name));
    name[85] = ':';
    told("86", create(name));
    memset(name, 'a', 255);
    told("255", create(name));
    stat("a:b", &st);
    printf("\n both:%ld\n", (long)st.st_size);
    return 0;
}

static int cannot(void)
{
    told("utf8", open("a\xff\xfe", O_CREAT | O_WRONLY, 0644));
    int fd = open("f", O_CREAT | O_WRONLY, 0644);
    told("link", link("f", "g"));
    told("symlink", symlink("f", "l"));
    told("fifo", mkfifo("p", 0644));
    told("chown", chown("f", 5, 6));
    told("chmod", chmod("f", 0600));
    told("xattr", setxattr("f", "user.x", "1", 1, 0));
    close(fd);
    printf("\n");
    return 0;
}

// A copy of this program run by that name.
static void executed(const char *name)
{
    char buf[65536];
    int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_CREAT | O_WRONLY, 0755);
    for (ssize_t n; (n = read(from, buf, sizeof buf)) > 0;)
        if (write(to, buf, (size_t)n) != n)
            exit(1);
    close(from);
    close(to);
    fflush(stdout);
    if (!fork()) {
        execl(name, name, "executed", top, (char *)NULL);
        told("exec", -1);
        fflush(stdout);
        _exit(1);
    }
    wait(NULL);
    unlink(name);
}

// Those without bytes that must be UTF-8, unless all: then of any bytes.
static int make_names(char names[][400], int all)
{
    static const char *const more[] = {
        "...",       "....",          ".. ",  ". ",  "a.",      "a..",
        "a. ",       "a .",           " ",    "  ",  " a",      "a b.c",
        ".a",        "..a",           "a..b", ".:",  "..:",     "a:b\\c|d*e<f>g?h\"i",
        ":.",        ":. ",           ".a.",  "CON", "nul.txt", "a\tb\nc.",
        "\xc3\xa4:", "\xe4\xb8\xad?",
    };
    int n = 0;
    for (int c = 1; c < (all ? 256 : 128); c++) {
        if (c == '/')
            continue;
        snprintf(names[n++], 400, "a%cb", c);
        snprintf(names[n++], 400, "x%c", c);
        snprintf(names[n++], 400, "%cy", c);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        snprintf(names[n++], 400, "%s", more[i]);
    return n;
}

int main(int argc, char **argv)
{
    static char names[900][400];
    char self[4096];
    if (argc == 3 && !strcmp(argv[1], "executed")) {
        strcpy(top, argv[2]);
        link_of("exe", "/proc/self/exe");
        return 0;
    }
    if (argc != 2 || !getcwd(top, sizeof top))
        return 1;
    if (!strcmp(argv[1], "seen") || !strcmp(argv[1], "long"))
        return *argv[1] == 's' ? seen() : too_long();
    if (!strcmp(argv[1], "cannot"))
        return cannot();
    int all = strcmp(argv[1], "few"), n = make_names(names, all);
    if (!strcmp(argv[1], "listed")) {
        for (int i = 0; i < n; i++) {
            int fd = open(names[i], O_CREAT | O_WRONLY, 0644);
            if (fd >= 0)
                close(fd);
            else
                told(names[i], -1);
        }
        listing("\n");
        return 0;
    }
    int watch = inotify_init1(IN_NONBLOCK);
    inotify_add_watch(watch, ".", IN_CREATE);
    for (int i = 0; i < n; i++) {
        text("name", names[i]);
        file(names[i], watch);
        directory(names[i]);
        if (all) {
            links(names[i]);
            bound(names[i]);
        }
        if (all && !(i % 40))
            executed(names[i]);
        while (read(watch, self, sizeof self) > 0)
            ;
        printf("\n");
    }
    return 0;
}
