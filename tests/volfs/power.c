// SPDX-License-Identifier: MIT
// What fsync promises, step by step, for a power loss to come (scripts/check-power-loss.py).
//
//     power DIR run ROUNDS STOP        makes DIR; tells each sync that is done: "STEP OPERATION";
//                                      does nothing more after STOP of them
//     power DIR verify STEP OPERATION  what was told last; -1 -1: nothing
//
// A step is a list of operations in a directory of its own, among them fsync of files and of
// directories, as careful programs do it. What is there later must be the step as it was after one
// of its operations, not one before the last sync that was told. How that looks is found out by
// doing the same operations, so that natively and under lxrun the kernel's word is the truth.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPS_MAX 40
#define TEXT 8192
#define LARGE 50000 // bytes of a lower layer's file

static void die(const char *what)
{
    fprintf(stderr, "power: %s: %s\n", what, strerror(errno));
    exit(2);
}

// ---- The operations ----

static struct {
    int step, done, limit; // limit: operations to do
    bool real;             // syncs are done, and told
    bool loose;            // content was written that no sync covers yet
    int directory;         // kept open by a step; -1
    int syncs, stop;       // syncs told; how many shall be
} at;

static void may(long r, const char *what)
{
    if (r < 0)
        die(what);
}

// An operation, if it is among those to do.
#define OP(call)                                                                                   \
    do {                                                                                           \
        if (at.done == at.limit)                                                                   \
            return;                                                                                \
        at.done++;                                                                                 \
        may(call, #call);                                                                          \
    } while (0)
#define SYNC(path) OP(sync_path(path))
#define SYNC_FD(fd) OP(sync_fd(fd))

static int sync_fd(int fd)
{
    char line[32];
    at.loose = false;
    if (!at.real)
        return 0;
    if (fsync(fd))
        return -1;
    int n = snprintf(line, sizeof line, "%d %d\n", at.step, at.done);
    if (write(1, line, (size_t)n) != n)
        return -1;
    if (++at.syncs == at.stop)
        pause();
    return 0;
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY), r = fd < 0 ? -1 : sync_fd(fd);
    if (fd >= 0)
        close(fd);
    return r;
}

static int make(const char *path, mode_t mode)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, mode);
    return fd < 0 ? -1 : close(fd);
}

static int fill(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY), n = (int)strlen(text);
    int r = fd >= 0 && write(fd, text, (size_t)n) == n ? 0 : -1;
    if (fd >= 0)
        close(fd);
    at.loose = true;
    return r;
}

static int give_acl(const char *path, const char *name)
{
    static const struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } e[5];
    } acl = {2, {{1, 6, ~0U}, {2, 4, 1000}, {4, 5, ~0U}, {0x10, 6, ~0U}, {0x20, 0, ~0U}}};
    return setxattr(path, name, &acl, sizeof acl, 0);
}

static int make_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(a.sun_path, path, sizeof a.sun_path - 1);
    int r = bind(s, (struct sockaddr *)&a, sizeof a);
    close(s);
    return r;
}

static void new_file(void)
{
    OP(make("a", 0600));
    OP(chown("a", 5, 6));
    OP(chmod("a", 04751));
    OP(fill("a", "content"));
    SYNC("a");
    SYNC(".");
}

static void changed_file(void)
{
    OP(make("a", 0));
    SYNC("a");
    SYNC(".");
    OP(chmod("a", 0444));
    SYNC("a");
    OP(chown("a", 7, 8));
    SYNC("a");
    OP(setxattr("a", "user.x", "one", 3, 0));
    OP(setxattr("a", "trusted.x", "two", 3, 0));
    SYNC("a");
    OP(give_acl("a", "system.posix_acl_access"));
    SYNC("a");
    OP(chown("a", 9, 9));
    OP(chmod("a", 02755));
    SYNC("a");
}

static void directories(void)
{
    OP(mkdir("d", 0700));
    OP(chown("d", 1000, 1001));
    OP(chmod("d", 02775));
    OP(give_acl("d", "system.posix_acl_default"));
    SYNC("d");
    SYNC(".");
    OP(make("d/f", 0666));
    SYNC("d/f");
    SYNC("d");
    OP(rename("d", "e"));
    SYNC(".");
    OP(mkdir("d", 0));
    SYNC(".");
}

static void nodes(void)
{
    OP(mknod("c", S_IFCHR | 0620, makedev(1, 3)));
    OP(chown("c", 0, 5));
    SYNC(".");
    OP(mknod("p", S_IFIFO | 0600, 0));
    OP(chown("p", 3, 4));
    OP(chmod("p", 0));
    SYNC(".");
    OP(mknod("b", S_IFBLK | 0660, makedev(7, 1)));
    OP(chmod("b", 0604));
    OP(make_socket("s"));
    OP(chown("s", 8, 8));
    SYNC(".");
    OP(rename("c", "b"));
    OP(rename("s", "p"));
    SYNC(".");
}

static void symlinks(void)
{
    OP(symlink("to", "l"));
    OP(lchown("l", 5, 6));
    SYNC(".");
    OP(symlink("new", "t"));
    OP(lchown("t", 7, 8));
    OP(rename("t", "l"));
    SYNC(".");
    OP(link("l", "m"));
    OP(unlink("l"));
    SYNC(".");
}

static void replaced(void)
{
    OP(make("a", 0600));
    OP(chown("a", 5, 6));
    OP(fill("a", "old"));
    SYNC("a");
    SYNC(".");
    OP(make("t", 0600));
    OP(chown("t", 7, 8));
    OP(chmod("t", 0640));
    OP(fill("t", "content"));
    SYNC("t");
    OP(rename("t", "a"));
    SYNC(".");
}

static void links(void)
{
    OP(make("a", 0640));
    OP(chown("a", 5, 6));
    SYNC("a");
    OP(link("a", "b"));
    OP(unlink("a"));
    SYNC(".");
    OP(mkfifo("p", 0640));
    OP(chown("p", 5, 6));
    OP(link("p", "q"));
    SYNC(".");
    OP(unlink("p"));
    SYNC(".");
}

// What lies in a lower layer: f, l, p; and the directory, open since before it was copied up.
static void overlay_file(void)
{
    OP(chmod("f", 0640)); // its content is on the disk no later than its name
    OP(make("n", 0600));
    SYNC(".");
    OP(chown("f", 1, 2));
    SYNC("f");
    OP(lchown("l", 3, 4));
    OP(chmod("p", 0));
    OP(make("m", 0600));
    SYNC(".");
}

static void overlay_directory(void)
{
    int dir = at.directory = open(".", O_RDONLY | O_DIRECTORY);
    OP(make("n", 0600));
    OP(chown("n", 1, 2));
    SYNC_FD(dir);
    OP(unlink("f"));
    SYNC_FD(dir);
    OP(rename("n", "l"));
    SYNC_FD(dir);
}

static const struct {
    void (*ops)(void);
    bool over;
} kinds[] = {{new_file, false}, {changed_file, false}, {directories, false},
             {nodes, false},    {symlinks, false},     {replaced, false},
             {links, false},    {overlay_file, true},  {overlay_directory, true}};
#define KINDS (int)(sizeof kinds / sizeof *kinds)

// In directory name, which an overlay has already.
static void do_step(int step, int limit, const char *name, bool real)
{
    at.step = step;
    at.limit = limit;
    at.done = 0;
    at.real = real;
    at.loose = false;
    if (!kinds[step % KINDS].over) {
        OP(mkdir(name, 0755));
        OP(chown(name, 1000, 1001));
        SYNC(".");
    }
    may(chdir(name), name);
    at.directory = -1;
    kinds[step % KINDS].ops();
    if (at.directory >= 0)
        close(at.directory);
    may(chdir(".."), "..");
}

// ---- How it looks ----

static char *add_xattrs(char *s, const char *path)
{
    char list[1024], value[512];
    ssize_t n = llistxattr(path, list, sizeof list);
    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(list + i) + 1) {
        if (strstr(list + i, "overlay."))
            continue;
        ssize_t size = lgetxattr(path, list + i, value, sizeof value);
        s += sprintf(s, " %s=", list + i);
        for (ssize_t k = 0; k < size; k++)
            s += sprintf(s, "%02x", (unsigned char)value[k]);
    }
    return s;
}

// Of an empty file, or one whose content no sync covers, nothing.
static char *add_content(char *s, const char *path, bool loose)
{
    static char buf[LARGE + 1];
    uint32_t sum = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    ssize_t n = read(fd, buf, sizeof buf);
    close(fd);
    for (ssize_t i = 0; i < n; i++)
        sum = sum * 31 + (unsigned char)buf[i];
    return loose ? s : s + sprintf(s, " %zd:%x", n, sum);
}

static char *add_inode(char *s, const char *path, bool loose)
{
    char target[128];
    struct stat st;
    may(lstat(path, &st), path);
    s += sprintf(s, "%s %o %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
    if (!S_ISDIR(st.st_mode))
        s += sprintf(s, " links=%lu", (unsigned long)st.st_nlink);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        s += sprintf(s, " %u,%u", major(st.st_rdev), minor(st.st_rdev));
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof target) : 0;
    s += sprintf(s, " %.*s", (int)n, target);
    if (S_ISREG(st.st_mode))
        s = add_content(s, path, loose);
    s = add_xattrs(s, path);
    return s + sprintf(s, "\n");
}

static char *add_directory(char *s, const char *path, bool loose)
{
    struct dirent **names;
    s = add_inode(s, path, loose);
    int n = scandir(path, &names, NULL, alphasort);
    may(n, path);
    for (int i = 0; i < n; i++) {
        char below[300];
        struct stat st;
        snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] == '.')
            continue;
        may(lstat(below, &st), below);
        s = S_ISDIR(st.st_mode) ? add_directory(s, below, loose) : add_inode(s, below, loose);
    }
    free(names);
    return s;
}

static const char *view(const char *name, bool loose)
{
    static char text[TEXT];
    *text = 0;
    if (access(name, F_OK) == 0) {
        may(chdir(name), name);
        add_directory(text, ".", loose);
        may(chdir(".."), "..");
    }
    return text;
}

// ---- Both runs ----

// Makes directory dir, with a lower layer of n directories, `each` for one kind of step.
static void set_up(const char *dir, int n, int each)
{
    static char large[LARGE];
    memset(large, 'x', sizeof large);
    may(mkdir(dir, 0755), dir);
    may(chdir(dir), dir);
    may(mkdir("plain", 0755) | mkdir("lower", 0755) | mkdir("upper", 0755) | mkdir("work", 0755) |
            mkdir("over", 0755),
        "mkdir");
    for (int i = 0; i < n; i++) {
        char path[64];
        snprintf(path, sizeof path, "lower/%d", i);
        may(mkdir(path, 0755), path);
        if (!kinds[i / each % KINDS].over)
            continue;
        may(chown(path, 1000, 1001), path);
        may(chdir(path), path);
        int fd = open("f", O_CREAT | O_WRONLY, 0600);
        may(write(fd, large, LARGE) == LARGE ? 0 : -1, "write");
        may(fchown(fd, 5, 6) | close(fd), "f");
        may(symlink("to", "l") | lchown("l", 7, 7) | mkfifo("p", 0600) | chown("p", 8, 8), "l, p");
        may(chdir("../.."), "..");
    }
    sync();
}

static void enter_over(void)
{
    const char *o = "lowerdir=lower,upperdir=upper,workdir=work";
    may(mount("overlay", "over", "overlay", 0, o), "mount");
}

static void run_step(int step, int limit, const char *name, bool real)
{
    const char *dir = kinds[step % KINDS].over ? "over" : "plain";
    may(chdir(dir), dir);
    do_step(step, limit, name, real);
    may(chdir(".."), "..");
}

static char seen[KINDS][OPS_MAX + 1][2][TEXT]; // [..][1]: without content
static bool loose_at[KINDS][OPS_MAX + 1];
static int count[KINDS];

static const char *view_step(int kind, const char *name, bool loose)
{
    const char *dir = kinds[kind].over ? "over" : "plain";
    may(chdir(dir), dir);
    const char *text = view(name, loose);
    may(chdir(".."), "..");
    return text;
}

// Does each beginning of each kind of step.
static void learn(void)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int n = 0; n <= OPS_MAX; n++) {
            char name[32];
            snprintf(name, sizeof name, "%d", kind * (OPS_MAX + 1) + n);
            run_step(kind, n, name, false);
            strcpy(seen[kind][n][0], view_step(kind, name, false));
            strcpy(seen[kind][n][1], view_step(kind, name, true));
            loose_at[kind][n] = at.loose;
            count[kind] = at.done;
            if (at.done < n)
                break;
        }
}

static int verify(int step, int told)
{
    char name[32], is[2][TEXT];
    int kind = step % KINDS;
    snprintf(name, sizeof name, "%d", step);
    strcpy(is[0], view_step(kind, name, false));
    strcpy(is[1], view_step(kind, name, true));
    for (int n = told; n <= count[kind]; n++)
        if (!strcmp(is[loose_at[kind][n]], seen[kind][n][loose_at[kind][n]]))
            return n;
    printf("step %d, of kind %d, after operation %d of %d:\n%sexpected at least:\n%s", step, kind,
           told, count[kind], is[0], seen[kind][told][0]);
    return -1;
}

int main(int argc, char **argv)
{
    char other[300];
    if (argc < 5)
        return 2;
    umask(0);
    if (!strcmp(argv[2], "run")) {
        int steps = atoi(argv[3]) * KINDS;
        at.stop = atoi(argv[4]);
        set_up(argv[1], steps, 1);
        enter_over();
        for (int i = 0; i < steps; i++) {
            char name[32];
            snprintf(name, sizeof name, "%d", i);
            run_step(i, OPS_MAX, name, true);
        }
        return 0;
    }
    int last = atoi(argv[3]), told = atoi(argv[4]), wrong = 0, went = 0;
    snprintf(other, sizeof other, "%s.again", argv[1]);
    set_up(other, KINDS * (OPS_MAX + 1), OPS_MAX + 1);
    enter_over();
    learn();
    may(umount("over"), "umount");
    if (chdir(argv[1])) // power was lost before the first sync
        return last >= 0;
    enter_over();
    for (int i = 0;; i++) {
        char name[32];
        snprintf(name, sizeof name, "lower/%d", i);
        if (access(name, F_OK))
            break;
        int n = verify(i, i < last ? count[i % KINDS] : i == last ? told : 0);
        wrong += n < 0;
        went += n > 0;
    }
    printf("%d steps, %d wrong\n", went, wrong);
    return wrong != 0;
}
