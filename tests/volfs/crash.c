// SPDX-License-Identifier: MIT
// The guest's half of scripts/check-crash.py, in directory /t:
//
//     crash setup                 makes what the steps work on
//     crash layers                the same as layers of an overlay mount at /t
//     crash over PROGRAM ARG...   runs it with that mount
//     crash run N STEP...         says its process number, waits for a byte, does the first N
//                                 steps, and says "." after each
//
// A step is "UID CALL ARGUMENT...".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ARGS 5

static void die(const char *what)
{
    dprintf(2, "crash: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static void must(int bad, const char *what)
{
    if (bad)
        die(what);
}

static int write_file(const char *path, int flags, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | flags, mode);
    return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd);
}

static int bind_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(a.sun_path, path);
    return bind(s, (void *)&a, sizeof a) || close(s);
}

// u::7 u:1000:n g::5 m::7 o::0
static int set_acl(const char *path, const char *name, unsigned n)
{
    struct {
        unsigned version;
        struct {
            unsigned short tag, perm;
            unsigned id;
        } e[5];
    } a = {2, {{1, 7, -1u}, {2, (unsigned short)n, 1000}, {4, 5, -1u}, {16, 7, -1u}, {32, 0, -1u}}};
    return setxattr(path, name, &a, sizeof a, 0);
}

static int set_caps(const char *path, unsigned n)
{
    unsigned v[5] = {0x02000001, n};
    return setxattr(path, "security.capability", v, sizeof v, 0);
}

static void setup(void)
{
    umask(0);
    must(chmod(".", 0777), ".");
    must(mkdir("d", 0755) || mkdir("open", 0777) || mkdir("own", 0755) || mkdir("empty", 0700),
         "d");
    must(mkdir("sticky", 0777) || chown("sticky", 1000, 1001) || chmod("sticky", 01777), "sticky");
    must(mkdir("group", 0775) || chown("group", 1000, 1001) || chmod("group", 02775), "group");
    must(mkdir("acl", 0777) || set_acl("acl", "system.posix_acl_default", 6), "acl");
    must(write_file("f", O_CREAT, 0644, "file of root"), "f");
    must(write_file("fu", O_CREAT, 0644, "of 1000") || chown("fu", 1000, 1001) || chmod("fu", 0640),
         "fu");
    must(write_file("plain", O_CREAT, 0755, "plain"), "plain");
    must(write_file("set", O_CREAT, 0755, "set-id") || chown("set", 1000, 1001) ||
             chmod("set", 06777),
         "set");
    must(write_file("listed", O_CREAT, 0644, "acl") ||
             set_acl("listed", "system.posix_acl_access", 6),
         "listed");
    must(write_file("caps", O_CREAT, 0755, "caps") || set_caps("caps", 4), "caps");
    must(setxattr("f", "user.x", "old", 3, 0) || setxattr("f", "trusted.x", "old", 3, 0), "xattr");
    must(symlink("f", "l") || symlink("f", "lu") || lchown("lu", 1000, 1001), "lu");
    must(symlink("f", "lv") || lchown("lv", 1002, 1002) || symlink("other", "lo") ||
             lchown("lo", 5, 5),
         "lv");
    must(mkfifo("p", 0640) || chown("p", 1000, 1001) || mkfifo("q", 0644) || mkfifo("pp", 0600),
         "p");
    must(chown("pp", 7, 7) || mknod("n", S_IFCHR | 0666, 1 << 8 | 3) || chown("n", 3, 4), "n");
    must(bind_socket("s") || chown("s", 9, 9), "s");
    must(mkfifo("pa", 0640) || chown("pa", 1000, 1001) ||
             set_acl("pa", "system.posix_acl_access", 6) || symlink("f", "la") ||
             lsetxattr("la", "trusted.x", "old", 3, 0) || lchown("la", 6, 6),
         "pa");
    must(symlink("f", "h") || link("h", "d/h") || mkfifo("hp", 0640) || link("hp", "d/hp"), "h");
    must(symlink("x", "own/l") || symlink("y", "own/m") || mkfifo("own/p", 0600), "own");
    // Two more records than these, and they are gathered.
    must(mkdir("many", 0755) || symlink("x", "many/l") || symlink("x", "many/m") ||
             symlink("x", "many/n"),
         "many");
    for (int i = 0; i < 50; i++) {
        char path[16];
        snprintf(path, sizeof path, "many/%d", i);
        must(symlink("x", path) || lchown(path, 5, 5), path);
    }
}

// What the lower layers of an overlay have, and the upper one.
static void mount_layers(void)
{
    must(mount("o", "/t", "overlay", 0, "lowerdir=/l1:/l2,upperdir=/up,workdir=/work"), "overlay");
    must(chdir("/t"), "/t");
}

static void make_layers(void)
{
    umask(0);
    must(mkdir("/l1", 0777) || mkdir("/l2", 0777) || mkdir("/up", 0777) || mkdir("/work", 0700),
         "layers");
    must(chdir("/l2") || mkdir("both", 0755) || write_file("both/two", O_CREAT, 0644, "two") ||
             write_file("both/gone", O_CREAT, 0644, "gone") || mkdir("full", 0755) ||
             write_file("full/of", O_CREAT, 0644, "it") || mkdir("bare", 0750) ||
             chown("bare", 1000, 1001) || write_file("white", O_CREAT, 0600, "w"),
         "/l2");
    must(chdir("/l1"), "/l1");
    setup();
    must(mkdir("both", 0775) || write_file("both/one", O_CREAT, 0644, "one") ||
             chown("both/one", 1000, 1001) || symlink("one", "both/l") ||
             lchown("both/l", 1000, 1001),
         "/l1");
    mount_layers();
    must(write_file("up", O_CREAT, 0640, "upper") || chown("up", 1000, 1001) ||
             mkdir("updir", 0750) || write_file("updir/x", O_CREAT, 0644, "x") ||
             symlink("f", "upl") || lchown("upl", 4, 4) || unlink("white") || unlink("both/gone") ||
             write_file("both/up", O_CREAT, 0644, "up") || mkdir("hollow", 0755) ||
             write_file("hollow/x", O_CREAT, 0644, "") || unlink("hollow/x"),
         "upper");
}

static int do_step(char **a)
{
    unsigned n = a[2] ? (unsigned)strtoul(a[2], NULL, 8) : 0;
    const char *call = a[0], *path = a[1];
    struct timespec ts[2] = {{1000000, 1}, {2000000, 2}};
    if (!strcmp(call, "creat"))
        return write_file(path, O_CREAT | O_EXCL, n, "");
    if (!strcmp(call, "save"))
        return write_file(path, O_CREAT | O_TRUNC, n, "saved");
    if (!strcmp(call, "write"))
        return write_file(path, 0, 0, "Z");
    if (!strcmp(call, "mkdir"))
        return mkdir(path, n);
    if (!strcmp(call, "mknod"))
        return mknod(path, n, a[3] ? (dev_t)atoi(a[3]) : 0);
    if (!strcmp(call, "bind"))
        return bind_socket(path);
    if (!strcmp(call, "symlink"))
        return symlink(a[2], path);
    if (!strcmp(call, "link"))
        return link(path, a[2]);
    if (!strcmp(call, "rename"))
        return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, a[2], a[3] ? atoi(a[3]) : 0);
    if (!strcmp(call, "unlink"))
        return unlink(path);
    if (!strcmp(call, "rmdir"))
        return rmdir(path);
    if (!strcmp(call, "chmod"))
        return chmod(path, n);
    if (!strcmp(call, "chown"))
        return lchown(path, (uid_t)atoi(a[2]), (gid_t)atoi(a[3]));
    if (!strcmp(call, "truncate"))
        return truncate(path, 2);
    if (!strcmp(call, "utimes"))
        return utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW);
    if (!strcmp(call, "setxattr"))
        return lsetxattr(path, a[2], a[3], strlen(a[3]), 0);
    if (!strcmp(call, "removexattr"))
        return lremovexattr(path, a[2]);
    if (!strcmp(call, "setacl"))
        return set_acl(path, a[2], (unsigned)atoi(a[3]));
    if (!strcmp(call, "setcaps"))
        return set_caps(path, 1);
    errno = ENOSYS;
    return -1;
}

static void step(const char *text)
{
    char copy[256], *a[ARGS + 2] = {0}, *save = NULL;
    int n = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *s = strtok_r(copy, " ", &save); s && n < ARGS; s = strtok_r(NULL, " ", &save))
        a[n++] = s;
    uid_t uid = (uid_t)atoi(a[0]);
    must(setresuid(-1u, 0, -1u), "uid");
    if (uid)
        must(setresuid(-1u, uid, -1u), "uid");
    must(do_step(a + 1), text);
}

int main(int argc, char **argv)
{
    char byte;
    must(chdir("/t"), "/t");
    if (argc == 2 && !strcmp(argv[1], "setup")) {
        setup();
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "layers")) {
        make_layers();
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "over")) {
        mount_layers();
        execv(argv[2], argv + 2);
        die(argv[2]);
    }
    if (argc < 3 || strcmp(argv[1], "run") != 0)
        return 2;
    umask(0);
    dprintf(1, "%d\n", (int)getpid());
    must(read(0, &byte, 1) != 1, "start");
    for (int i = 0; i < atoi(argv[2]); i++) {
        step(argv[3 + i]);
        must(write(1, ".", 1) != 1, "say");
    }
    return 0;
}
