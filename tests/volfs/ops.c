// SPDX-License-Identifier: MIT
// Random file operations of several users on a small name space, the same for the same seed. Run
// natively and under lxrun, the output must be the same (scripts/check-volfs.py).
//
//     ops SEED COUNT [many N | links] [chroot DIR]      in directory /t
//     ops show                                  only shows the tree
//     ops dump                                  the same without the sockets, which it removes
//
// Each operation is done by one of several processes with an identity of its own, one after the
// other, and logged with its result; now and then, and at the end, the whole tree is shown as root
// sees it. many N: N of these at the same time, each in a directory of its own with its log in
// /log.I, beside processes without a log that fight over one more. links: symlinks, FIFOs and nodes
// are linked, too; a copy that the host makes does not know that all their names have one owner.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define EVERY 1000 // operations between two views of the tree
#define SLOTS 3    // open files of each process
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t state;
static int inside; // links lead nowhere else, no ".."
static int links;
static FILE *out;

static unsigned rnd(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 20) % n;
}

#define PICK(list) ((list)[rnd(ARRAY_LEN(list))])

// ---- Who ----

static const struct who {
    uid_t uid;
    gid_t gid, group; // group: one more
    uint32_t without; // capabilities that root lacks
} whos[] = {
    {0, 0, 0, 0},
    {1000, 1000, 1000, 0},
    {1001, 1001, 1000, 0},
    {0, 0, 0,
     1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER | 1 << CAP_FSETID |
         1 << CAP_CHOWN},
    {0, 0, 0, 0}, // another process
    {0, 0, 0, 1 << CAP_DAC_OVERRIDE | 1 << CAP_FSETID},
};
#define WHOS ARRAY_LEN(whos)

static void die(const char *what)
{
    dprintf(2, "ops: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static void become(const struct who *w)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];
    if (setgroups(1, &w->group) || setresgid(w->gid, w->gid, w->gid) ||
        setresuid(w->uid, w->uid, w->uid))
        die("identity");
    if (w->without) {
        if (syscall(SYS_capget, &h, d))
            die("capget");
        d[0].effective &= ~w->without;
        if (syscall(SYS_capset, &h, d))
            die("capset");
    }
    umask(022);
}

// ---- What ----

enum kind {
    OPEN,
    CLOSE,
    MKDIR,
    RMDIR,
    UNLINK,
    RENAME,
    LINK,
    SYMLINK,
    MKNOD,
    CHMOD,
    FCHMOD,
    CHOWN,
    FCHOWN,
    TRUNCATE,
    FTRUNCATE,
    WRITE,
    READ,
    SETXATTR,
    FSETXATTR,
    REMOVEXATTR,
    GETXATTR,
    LISTXATTR,
    UTIMES,
    FUTIMES,
    ACCESS,
    STAT,
    FSTAT,
    READLINK,
    CHDIR,
    GETCWD,
    LIST,
    UMASK,
    KINDS
};
static const char *const kind_names[] = {
    "open",   "close",    "mkdir",     "rmdir",    "unlink",   "rename",   "link",      "symlink",
    "mknod",  "chmod",    "fchmod",    "chown",    "fchown",   "truncate", "ftruncate", "write",
    "read",   "setxattr", "fsetxattr", "remxattr", "getxattr", "lsxattr",  "utimes",    "futimes",
    "access", "stat",     "fstat",     "readlink", "chdir",    "getcwd",   "list",      "umask",
};
static const unsigned char weights[KINDS] = {
    [OPEN] = 12,    [CLOSE] = 3,     [MKDIR] = 12,   [RMDIR] = 3,     [UNLINK] = 4,
    [RENAME] = 9,   [LINK] = 6,      [SYMLINK] = 6,  [MKNOD] = 5,     [CHMOD] = 9,
    [FCHMOD] = 3,   [CHOWN] = 9,     [FCHOWN] = 3,   [TRUNCATE] = 3,  [FTRUNCATE] = 2,
    [WRITE] = 4,    [READ] = 2,      [SETXATTR] = 7, [FSETXATTR] = 2, [REMOVEXATTR] = 4,
    [GETXATTR] = 3, [LISTXATTR] = 3, [UTIMES] = 4,   [FUTIMES] = 1,   [ACCESS] = 4,
    [STAT] = 6,     [FSTAT] = 2,     [READLINK] = 2, [CHDIR] = 2,     [GETCWD] = 1,
    [LIST] = 2,     [UMASK] = 1,
};

struct op {
    enum kind kind;
    int who, slot, dirslot; // dirslot: -1 is the working directory
    char a[64], b[64];
    int flags;
    unsigned mode, uid, gid, dev, n;
    long size;
    const char *name; // of an attribute
    unsigned char value[64];
    // What came of it.
    long result;
    int error;
    char text[1024];
};

static const unsigned modes[] = {0644,  0600,  0755, 0777, 0,    0444,  04755, 02755,
                                 06777, 01777, 0111, 0222, 0640, 02775, 0666,  04711};
static const unsigned ids[] = {0, 1000, 1001, 1002, -1u};
static const char *const names[] = {"user.a",
                                    "user.b",
                                    "trusted.t",
                                    "security.s",
                                    "security.capability",
                                    "system.posix_acl_access",
                                    "system.posix_acl_access",
                                    "system.posix_acl_default",
                                    "user.",
                                    "none.x",
                                    "user.lxrun.o.0123456789abcdef",
                                    "user.containers.override_stat"};

static void make_path(char *p)
{
    static const char *const part[] = {"a", "b", "c", "d", "a", "b", "s"};
    unsigned depth = rnd(10), n = depth < 5 ? 1 : depth < 9 ? 2 : 3;
    *p = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned odd = rnd(40);
        if (i)
            strcat(p, "/");
        strcat(p, odd == 0 && !inside ? ".." : odd == 1 ? "." : i ? PICK(part) : part[rnd(7)]);
    }
    if (!rnd(25))
        strcat(p, "/");
    if (!rnd(100))
        *p = 0;
}

// A list as its attribute holds it: linux/posix_acl_xattr.h.
static unsigned make_acl(unsigned char *v)
{
    struct {
        uint16_t tag, perm;
        uint32_t id;
    } e[6];
    uint32_t version = 2;
    unsigned n = 0, user = rnd(2), group = rnd(2), mask = user || group || !rnd(4);
    e[n].tag = 1;
    e[n++].id = -1u;
    if (user) {
        e[n].tag = 2;
        e[n++].id = 1000 + rnd(2);
    }
    e[n].tag = 4;
    e[n++].id = -1u;
    if (group) {
        e[n].tag = 8;
        e[n++].id = 1000 + rnd(2);
    }
    if (mask && rnd(10)) {
        e[n].tag = 16;
        e[n++].id = -1u;
    }
    e[n].tag = 32;
    e[n++].id = -1u;
    for (unsigned i = 0; i < n; i++)
        e[i].perm = (uint16_t)rnd(8);
    memcpy(v, &version, 4);
    memcpy(v + 4, e, n * sizeof e[0]);
    return 4 + n * sizeof e[0];
}

static void make_value(struct op *o)
{
    static const unsigned char caps[20] = {1, 0, 0, 2, 0, 0x20};
    if (!strncmp(o->name, "system.", 7)) {
        o->n = make_acl(o->value);
    } else if (!strcmp(o->name, "security.capability") && rnd(4)) {
        o->n = sizeof caps;
        memcpy(o->value, caps, sizeof caps);
    } else {
        o->n = rnd(12) + !strcmp(o->name, "security.capability");
        for (unsigned i = 0; i < o->n; i++)
            o->value[i] = (unsigned char)('a' + rnd(26));
    }
}

static void make_op(struct op *o)
{
    static const int open_flags[] = {O_CREAT, O_EXCL,   O_TRUNC,   O_NOFOLLOW, O_DIRECTORY,
                                     O_PATH,  O_APPEND, O_NOATIME, O_CREAT,    O_CREAT};
    static const unsigned types[] = {S_IFREG, S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, 0};
    static const unsigned devs[] = {1 << 8 | 3, 0, 240 << 8 | 9};
    static const char *const targets[] = {"a", "b", "c", "a/b", "b/c", "s/a", "none", "."};
    static const char *const outside[] = {"..", "../a", "/t/a", "/t", "../../t/b", "/", "/t/s/b"};
    unsigned total = 0, w;
    for (int i = 0; i < KINDS; i++)
        total += weights[i];
    w = rnd(total);
    memset(o, 0, sizeof *o);
    for (o->kind = 0; w >= weights[o->kind]; o->kind++)
        w -= weights[o->kind];
    o->who = (int)rnd(WHOS);
    o->slot = (int)rnd(SLOTS);
    o->dirslot = rnd(12) ? -1 : (int)rnd(SLOTS);
    make_path(o->a);
    make_path(o->b);
    o->mode = rnd(6) ? PICK(modes) : rnd(010000);
    o->uid = PICK(ids);
    o->gid = PICK(ids);
    o->size = rnd(3) ? rnd(200) : 0;
    o->n = 1 + rnd(40);
    o->name = PICK(names);
    switch (o->kind) {
    case OPEN:
        o->flags = (int)rnd(3);
        for (unsigned i = rnd(4); i; i--)
            o->flags |= PICK(open_flags);
        if (!rnd(15))
            o->flags = O_TMPFILE | O_RDWR;
        break;
    case SYMLINK:
        strcpy(o->b, inside || rnd(3) ? PICK(targets) : PICK(outside));
        break;
    case MKNOD:
        o->mode |= PICK(types);
        o->dev = PICK(devs);
        break;
    case RENAME: {
        static const int f[] = {0, 0, 0, 0, 0, 1, 2};
        o->flags = PICK(f);
        break;
    }
    case LINK:
        o->flags = rnd(4) ? 0 : AT_SYMLINK_FOLLOW;
        break;
    case SETXATTR:
    case FSETXATTR:
        make_value(o);
        o->mode = rnd(4) ? 0 : 1 + rnd(2); // XATTR_CREATE, XATTR_REPLACE
        o->flags = (int)rnd(2);
        break;
    case CHMOD:
        o->flags = rnd(6) ? 0 : AT_SYMLINK_NOFOLLOW;
        break;
    case ACCESS:
        o->mode = rnd(8);
        o->flags = (int)rnd(2) * AT_EACCESS | (int)rnd(2) * AT_SYMLINK_NOFOLLOW;
        break;
    default:
        o->flags = (int)rnd(2) * AT_SYMLINK_NOFOLLOW;
    }
    if (o->kind == UTIMES || o->kind == FUTIMES)
        o->n = rnd(4);
}

// ---- Doing it ----

static int slots[SLOTS] = {-1, -1, -1};

static const char *type_of(mode_t m)
{
    return S_ISREG(m)    ? "file"
           : S_ISDIR(m)  ? "dir"
           : S_ISLNK(m)  ? "link"
           : S_ISFIFO(m) ? "fifo"
           : S_ISSOCK(m) ? "sock"
           : S_ISCHR(m)  ? "char"
           : S_ISBLK(m)  ? "block"
                         : "?";
}

static void put_stat(char *text, size_t n, const struct stat *st)
{
    char rdev[32] = "", mtime[32] = "now";
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        snprintf(rdev, sizeof rdev, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
    if (st->st_mtim.tv_sec < 1500000000)
        snprintf(mtime, sizeof mtime, "%ld.%ld", st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    snprintf(text, n, "%s %o %u:%u n=%lu s=%ld%s %s", type_of(st->st_mode), st->st_mode & 07777,
             st->st_uid, st->st_gid, st->st_nlink, S_ISDIR(st->st_mode) ? 0 : (long)st->st_size,
             rdev, mtime);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The names of a directory with their types, or of attributes, sorted.
static long list_dir(int fd, char *text, size_t n)
{
    char *name[256];
    size_t count = 0, len = 0;
    DIR *d = fdopendir(fd);
    if (!d)
        return -1;
    for (struct dirent *e; (e = readdir(d)) && count < 256;)
        if (asprintf(&name[count++], "%s:%d", e->d_name, e->d_type) < 0)
            die("memory");
    closedir(d);
    qsort(name, count, sizeof *name, by_name);
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, len < n ? n - len : 0, "%s ", name[i]);
        free(name[i]);
    }
    return (long)count;
}

static size_t sort_names(char *list, size_t size, char *text, size_t n)
{
    char *name[64];
    size_t count = 0, len = 0;
    for (size_t at = 0; at < size && count < 64; at += strlen(list + at) + 1)
        // Btrfs lists trusted.* to everybody, XFS ACLs once more in its own form.
        if (strncmp(list + at, "trusted.", 8) != 0 || (!geteuid() && list[at + 8] != 'S'))
            name[count++] = list + at;
    qsort(name, count, sizeof *name, by_name);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, len < n ? n - len : 0, "%s ", name[i]);
    return count;
}

static void hex(char *text, size_t n, const unsigned char *v, long size)
{
    for (long i = 0; i < size && (size_t)i * 2 + 3 < n; i++)
        sprintf(text + i * 2, "%02x", v[i]);
}

static void times_of(const struct op *o, struct timespec *ts)
{
    ts[0] = (struct timespec){1000000 + o->size, 5};
    ts[1] = (struct timespec){2000000 + o->size, 7};
    if (o->n == 1)
        ts[0].tv_nsec = UTIME_OMIT;
    if (o->n == 2)
        ts[0].tv_nsec = ts[1].tv_nsec = UTIME_NOW;
}

// Set-id bits go under lxrun with any write where a witness stands, and stay where they came while
// the writer had the file open already (docs/files.md). So files are written and cut while nobody
// holds them, and set-id ones by those who may not keep the bits; not where the group's bit is no
// more than a mark, which has no witness.
static int keeps_set_id(const struct op *o, const struct stat *st)
{
    if ((st->st_mode & (S_ISGID | S_IXGRP)) == S_ISGID)
        return 1;
    return (st->st_mode & 06000) && !whos[o->who].uid && !(whos[o->who].without & 1 << CAP_FSETID);
}

static long do_open(struct op *o, int dir)
{
    struct stat st;
    if (!fstatat(dir, o->a, &st, 0) && keeps_set_id(o, &st))
        o->flags &= ~O_TRUNC;
    int fd = openat(dir, o->a, o->flags | O_NONBLOCK | O_NOCTTY, o->mode & 07777);
    if (fd < 0)
        return -1;
    // An open device is the host's own, and what has its owner by name has none without one.
    if (!fstat(fd, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        close(fd);
        return 0;
    }
    if (slots[o->slot] >= 0)
        close(slots[o->slot]);
    slots[o->slot] = fd;
    return 0;
}

static long do_list(struct op *o, int dir)
{
    int fd = openat(dir, o->a, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? -1 : list_dir(fd, o->text, sizeof o->text);
}

static long do_stat(struct op *o, int dir, const char *path, int flags)
{
    struct stat st;
    long r = fstatat(dir, path, &st, flags);
    if (!r)
        put_stat(o->text, sizeof o->text, &st);
    return r;
}

static long do_xattr(struct op *o, int fd)
{
    unsigned char v[256];
    char list[4096];
    int follow = !o->flags;
    long r;
    switch (o->kind) {
    case SETXATTR:
        return (follow ? setxattr : lsetxattr)(o->a, o->name, o->value, o->n, (int)o->mode);
    case FSETXATTR:
        return fsetxattr(fd, o->name, o->value, o->n, (int)o->mode);
    case REMOVEXATTR:
        return (follow ? removexattr : lremovexattr)(o->a, o->name);
    case GETXATTR:
        r = (follow ? getxattr : lgetxattr)(o->a, o->name, v, sizeof v);
        hex(o->text, sizeof o->text, v, r);
        return r;
    default:
        r = (follow ? listxattr : llistxattr)(o->a, list, sizeof list);
        return r < 0 ? r : (long)sort_names(list, (size_t)r, o->text, sizeof o->text);
    }
}

static long do_read(struct op *o, int fd)
{
    unsigned char v[300];
    long r = pread(fd, v, sizeof v, 0);
    hex(o->text, sizeof o->text, v, r);
    return r;
}

static long do_write(struct op *o, int dir)
{
    char v[64];
    struct stat st;
    memset(v, 'A' + (int)(o->size % 26), sizeof v);
    int fd = openat(dir, o->a, O_WRONLY | O_NONBLOCK);
    if (fd < 0)
        return -1;
    long r = -1;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || keeps_set_id(o, &st))
        r = 0;
    else if (o->kind == WRITE)
        r = pwrite(fd, v, o->n, o->size % 50);
    else
        r = ftruncate(fd, o->size);
    int error = errno;
    close(fd);
    errno = error;
    return r;
}

static long perform(struct op *o)
{
    int dir = o->dirslot < 0 ? AT_FDCWD : slots[o->dirslot], fd = slots[o->slot];
    struct timespec ts[2];
    struct stat st;
    long r;
    switch (o->kind) {
    case OPEN:
        return do_open(o, dir);
    case CLOSE:
        r = fd < 0 ? 0 : close(fd);
        slots[o->slot] = -1;
        return r;
    case MKDIR:
        return mkdirat(dir, o->a, o->mode);
    case RMDIR:
        return unlinkat(dir, o->a, AT_REMOVEDIR);
    case UNLINK:
        return unlinkat(dir, o->a, 0);
    case RENAME:
        return syscall(SYS_renameat2, dir, o->a, AT_FDCWD, o->b, o->flags);
    case LINK:
        if (!links && !fstatat(dir, o->a, &st, o->flags ? 0 : AT_SYMLINK_NOFOLLOW) &&
            !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            return 0;
        return linkat(dir, o->a, AT_FDCWD, o->b, o->flags);
    case SYMLINK:
        return symlinkat(o->b, dir, o->a);
    case MKNOD:
        return mknodat(dir, o->a, o->mode, o->dev);
    case CHMOD:
        return o->flags ? syscall(452 /* fchmodat2 */, dir, o->a, o->mode, o->flags)
                        : fchmodat(dir, o->a, o->mode, 0);
    case FCHMOD:
        return fchmod(fd, o->mode);
    case CHOWN:
        return fchownat(dir, o->a, o->uid, o->gid, o->flags);
    case FCHOWN:
        return fchown(fd, o->uid, o->gid);
    case TRUNCATE:
        return !stat(o->a, &st) && keeps_set_id(o, &st) ? 0 : truncate(o->a, o->size);
    case FTRUNCATE:
    case WRITE:
        return do_write(o, dir);
    case READ:
        return do_read(o, fd);
    case SETXATTR:
    case FSETXATTR:
    case REMOVEXATTR:
    case GETXATTR:
    case LISTXATTR:
        return do_xattr(o, fd);
    case UTIMES:
        times_of(o, ts);
        return utimensat(dir, o->a, o->n == 3 ? NULL : ts, o->flags);
    case FUTIMES:
        times_of(o, ts);
        return futimens(fd, o->n == 3 ? NULL : ts);
    case ACCESS:
        return syscall(439 /* faccessat2 */, dir, o->a, o->mode, o->flags);
    case STAT:
        return do_stat(o, dir, o->a, o->flags);
    case FSTAT:
        return do_stat(o, fd, "", AT_EMPTY_PATH);
    case READLINK:
        r = readlinkat(dir, o->a, o->text, sizeof o->text - 1);
        return r;
    case CHDIR:
        return chdir(o->size % 3 ? "." : o->a);
    case GETCWD:
        return getcwd(o->text, sizeof o->text) ? 0 : -1;
    case LIST:
        return do_list(o, dir);
    default:
        return umask(o->mode % 8 * 9) & 0777;
    }
}

// ---- The tree ----

static char *paths[4096];
static struct stat stats[4096];
static unsigned npaths;

static void collect(const char *top)
{
    DIR *d = opendir(top);
    if (!d)
        die(top);
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        char *path;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (!strcmp(top, "/.") && strcmp(e->d_name, "t") != 0 && strlen(e->d_name) > 1)
            continue; // not of the name space
        if (npaths == ARRAY_LEN(paths) || asprintf(&path, "%s/%s", top, e->d_name) < 0)
            die("too many");
        if (lstat(path, &st)) {
            if (errno != ENOENT) // listed and not there: what a killed process left unfinished
                die(path);
            free(path);
            continue;
        }
        paths[npaths++] = path;
        if (S_ISDIR(st.st_mode))
            collect(path);
    }
    closedir(d);
}

static void show_attributes(const char *path)
{
    char list[4096], text[4096] = "", *save = NULL;
    unsigned char v[256];
    long n = llistxattr(path, list, sizeof list);
    if (n < 0)
        die(path);
    sort_names(list, (size_t)n, text, sizeof text);
    for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
        char value[600] = "";
        long size = lgetxattr(path, name, v, sizeof v);
        hex(value, sizeof value, v, size);
        fprintf(out, " %s=%s", name, value);
    }
}

static void show_content(const char *path, const struct stat *st)
{
    char buf[4096];
    uint64_t h = 1;
    if (S_ISLNK(st->st_mode)) {
        long n = readlink(path, buf, sizeof buf - 1);
        fprintf(out, " -> %.*s", (int)n, buf);
    } else if (S_ISREG(st->st_mode)) {
        int fd = open(path, O_RDONLY | O_NOATIME);
        long n = read(fd, buf, sizeof buf);
        if (fd < 0 || n < 0)
            die(path);
        close(fd);
        for (long i = 0; i < n; i++)
            h = h * 31 + (unsigned char)buf[i];
        fprintf(out, " #%lx", h);
    }
}

// What tar does not copy.
static void remove_sockets(void)
{
    npaths = 0;
    collect("/.");
    for (unsigned i = 0; i < npaths; i++) {
        if (!lstat(paths[i], &stats[i]) && S_ISSOCK(stats[i].st_mode) && unlink(paths[i]))
            die(paths[i]);
        free(paths[i]);
    }
}

static void dump(void)
{
    npaths = 0;
    collect(".");
    qsort(paths, npaths, sizeof *paths, by_name);
    for (unsigned i = 0; i < npaths; i++) {
        char text[200];
        unsigned first = 0;
        if (lstat(paths[i], &stats[i]))
            die(paths[i]);
        while (stats[first].st_ino != stats[i].st_ino)
            first++;
        put_stat(text, sizeof text, &stats[i]);
        fprintf(out, "%s %s", paths[i], text);
        if (first != i)
            fprintf(out, " =%s", paths[first]);
        show_attributes(paths[i]);
        show_content(paths[i], &stats[i]);
        putc('\n', out);
    }
    for (unsigned i = 0; i < npaths; i++)
        free(paths[i]);
}

// ---- Processes ----

static struct {
    struct op op;
    int to[WHOS][2], from[2];
} * shared;

static void worker(int i)
{
    char byte;
    become(&whos[i]);
    while (read(shared->to[i][0], &byte, 1) == 1) {
        struct op *o = &shared->op;
        errno = 0;
        o->result = perform(o);
        o->error = o->result < 0 ? errno : 0;
        if (write(shared->from[1], &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static void start_workers(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe2(shared->from, O_CLOEXEC))
        die("pipe");
    for (size_t i = 0; i < WHOS; i++) {
        if (pipe2(shared->to[i], O_CLOEXEC))
            die("pipe");
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (!pid) {
            for (size_t j = 0; j <= i; j++) // the end of the others' must not stay open in here
                close(shared->to[j][1]);
            worker((int)i);
        }
    }
}

static void log_op(unsigned step, const struct op *o)
{
    char value[200] = "";
    // What XFS calls a directory that is not empty.
    int error = o->kind == RENAME && !o->flags && o->error == EEXIST ? ENOTEMPTY : o->error;
    hex(value, sizeof value, o->value, o->kind == SETXATTR || o->kind == FSETXATTR ? o->n : 0);
    fprintf(out, "%u %d %s [%d %d] '%s' '%s' f=%o m=%o %d:%d dev=%x n=%u s=%ld %s %s = %ld %s %s\n",
            step, o->who, kind_names[o->kind], o->slot, o->dirslot, o->a, o->b, o->flags, o->mode,
            (int)o->uid, (int)o->gid, o->dev, o->n, o->size,
            o->kind >= SETXATTR && o->kind <= LISTXATTR ? o->name : "", value, o->result,
            o->error ? strerrorname_np(error) : "", o->text);
}

static void one_after_the_other(unsigned seed, unsigned count)
{
    char byte = 0;
    state = seed * 0x9e3779b97f4a7c15u + 1;
    umask(0);
    if (chmod(".", 0777) || mkdir("s", 01777) || mkdir("a", 0777) || mkdir("b", 0755) ||
        chown("b", 1000, 1001))
        die("s");
    start_workers();
    for (unsigned step = 0; step < count; step++) {
        struct op *o = &shared->op;
        make_op(o);
        if (write(shared->to[o->who][1], &byte, 1) != 1 || read(shared->from[0], &byte, 1) != 1)
            die("worker");
        log_op(step, o);
        if (step % EVERY == EVERY - 1 || step + 1 == count)
            dump();
    }
    for (size_t i = 0; i < WHOS; i++)
        close(shared->to[i][1]);
    for (size_t i = 0; i < WHOS; i++)
        wait(NULL);
    fflush(out);
}

// Any result is right that is not an error which such operations never have.
static void fight(unsigned seed, unsigned count)
{
    struct op *o = malloc(sizeof *o);
    state = seed * 0x9e3779b97f4a7c15u + 1;
    become(&whos[seed % WHOS]);
    for (unsigned step = 0; step < count; step++) {
        make_op(o);
        errno = 0;
        if (perform(o) < 0 &&
            (errno == EIO || errno == ENOSYS || errno == EFAULT || errno == ENOMEM ||
             errno == EDEADLK || errno == ESTALE || errno == EAGAIN)) {
            o->error = errno;
            out = stderr;
            log_op(step, o);
            _exit(1);
        }
    }
    _exit(0);
}

static void at_the_same_time(unsigned seed, unsigned count, unsigned n)
{
    char name[32];
    int bad = 0;
    inside = 1;
    umask(0);
    if (mkdir("shared", 0777))
        die("shared");
    fflush(out);
    for (unsigned i = 0; i < 2 * n; i++) {
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (pid)
            continue;
        if (i >= n) {
            if (chdir("shared"))
                die("shared");
            fight(seed + i, count);
        }
        snprintf(name, sizeof name, "/log.%u", i);
        out = fopen(name, "w");
        snprintf(name, sizeof name, "%u", i);
        if (!out || mkdir(name, 0777) || chdir(name))
            die(name);
        one_after_the_other(seed + i, count);
        _exit(0);
    }
    for (int status; wait(&status) > 0;)
        bad |= status;
    if (bad)
        die("a process ended badly");
}

int main(int argc, char **argv)
{
    unsigned many = 0;
    out = stdout;
    signal(SIGPIPE, SIG_IGN);
    if (argc > 2 && !strcmp(argv[argc - 2], "chroot")) {
        if (chroot(argv[argc - 1]))
            die("chroot");
        argc -= 2;
    }
    if (chdir("/t"))
        die("/t");
    if (argc == 2) {
        if (!strcmp(argv[1], "dump"))
            remove_sockets();
        dump();
        return 0;
    }
    if (argc == 4 && !strcmp(argv[3], "links"))
        links = 1;
    else if (argc == 5 && !strcmp(argv[3], "many"))
        many = (unsigned)atoi(argv[4]);
    else if (argc != 3)
        die("usage");
    if (many)
        at_the_same_time((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), many);
    else
        one_after_the_other((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]));
    return 0;
}
