// SPDX-License-Identifier: MIT
// See check.h: the way through the tree, and each file's own attributes. What a directory has for
// the entries in it: checkrecords.c. Two things are told apart: what is wrong changes what a guest
// sees, or bars it from a file; what is left over is seen by no guest, as a process leaves it that
// was killed between two host calls. A tree in use shows what is just being made.
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attr.h"
#include "checking.h"
#include "devlink.h"
#include "fail.h"
#include "mark.h"

#define ACL_ACCESS ESCAPED "system.posix_acl_access"
#define CAPS ESCAPED "security.capability"

// ---- What is found ----

// Names and attributes may be of a guest's making, who would have a terminal do something.
static void print_text(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == '\\' || *s == 0x7f)
            printf("\\%03o", (unsigned char)*s);
        else
            putchar(*s);
}

static void print_path(const struct dir *d)
{
    if (d->up) {
        print_path(d->up);
        putchar('/');
    }
    print_text(d->name);
}

bool found(struct check *c, const struct entry *e, enum kind kind, const char *format, ...)
{
    struct dir self = {.up = e->dir, .name = e->name};
    va_list args;
    print_path(e->dir ? &self : &(struct dir){.name = e->name});
    fputs(kind == WRONG ? ": wrong: " : ": left over: ", stdout);
    va_start(args, format);
    char *text = must_vformat(format, args);
    va_end(args);
    print_text(text);
    free(text);
    if (kind == WRONG && !c->repair)
        c->wrong = true;
    if (!c->repair)
        putchar('\n');
    return c->repair;
}

void repaired(struct check *c, enum kind kind, bool done)
{
    if (done)
        puts(": repaired");
    else
        printf(": cannot be repaired: %s\n", strerror(errno));
    c->wrong |= kind == WRONG && !done;
}

void found_only(struct check *c, const struct entry *e, const char *text)
{
    if (found(c, e, WRONG, "%s", text))
        putchar('\n');
    c->wrong = true;
}

// ---- Repairs ----

static bool set_mode(const struct entry *e, u32 mode)
{
    // Not by the entry's own name, which may be a link by now.
    int fd = openat(e->dir ? e->dir->fd : AT_FDCWD, e->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char path[40];
    struct stat st;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool done = fd >= 0 && !fstat(fd, &st) && !S_ISLNK(st.st_mode) && !chmod(path, mode);
    if (fd >= 0)
        close(fd);
    return done;
}

static bool set_attr(const struct entry *e, const struct attr *a)
{
    char text[ATTR_SIZE];
    u32 mode = a->mode | (a->witnessed ? ATTR_WITNESSED : 0);
    int n = snprintf(text, sizeof text, "%u:%u:%o:%s%s%s", a->uid, a->gid, mode,
                     S_ISDIR(e->st.stx_mode) ? "dir" : "file", a->has_acl ? ":acl" : "",
                     a->has_caps ? ":cap" : "");
    if (a->has_names && S_ISDIR(e->st.stx_mode))
        n += snprintf(text + n, sizeof text - (size_t)n, ":%u:%u", a->names_uid, a->names_gid);
    return !lsetxattr(e->by_fd, META_XATTR, text, (size_t)n, 0);
}

// ---- Files and directories ----

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

// A new file or directory that got no attribute, since its maker was killed (docs/files.md).
static bool is_unfinished(const struct entry *e)
{
    const struct statx *st = &e->st;
    bool file = S_ISREG(st->stx_mode) && (st->stx_mode & S_ISVTX) && !st->stx_size;
    bool dir = S_ISDIR(st->stx_mode) && (st->stx_mode & MODE_BITS) == UNFINISHED_DIR;
    bool born = !(st->stx_mask & STATX_BTIME) || same_time(&st->stx_mtime, &st->stx_btime);
    return (file || dir) && born &&
           (same_time(&st->stx_ctime, &st->stx_mtime) ||
            lgetxattr(e->by_fd, ACL_ACCESS, NULL, 0) >= 0 ||
            lgetxattr(e->by_fd, ACL_DEFAULT, NULL, 0) >= 0);
}

// Has an attribute no more.
static bool unmark(const struct entry *e)
{
    bool marked = S_ISREG(e->st.stx_mode) && (e->st.stx_mode & S_ISVTX);
    return !marked || set_mode(e, e->st.stx_mode & MODE_BITS & ~(u32)S_ISVTX);
}

static void check_unattributed(struct check *c, const struct entry *e)
{
    bool dir = S_ISDIR(e->st.stx_mode);
    if (is_unfinished(e)) {
        if (found(c, e, LEFT_OVER, "is unfinished, its maker was killed"))
            repaired(c, LEFT_OVER,
                     e->dir && !unlinkat(e->dir->fd, e->name, dir ? AT_REMOVEDIR : 0));
    } else if (!dir && (e->st.stx_mode & S_ISVTX)) {
        // Harmless: others take such a file for what the host says.
        if (found(c, e, LEFT_OVER, "had an attribute, and has lost it"))
            repaired(c, LEFT_OVER, unmark(e));
    }
}

static void check_type(struct check *c, const struct entry *e, const struct attr *a,
                       const char *text)
{
    bool typed = strchr(text, ':') && strrchr(text, ':')[1] > '9'; // a word stands last
    if (a->type && a->type != (e->st.stx_mode & S_IFMT)) {
        if (found(c, e, WRONG, "the attribute '%s' is of another type", text))
            repaired(c, WRONG, set_attr(e, a));
    } else if (!a->type && typed) {
        found_only(c, e, "the attribute says that it is no file");
    }
}

static void check_host_mode(struct check *c, const struct entry *e, const struct attr *a)
{
    u32 mode = e->st.stx_mode & MODE_BITS, least = S_ISDIR(e->st.stx_mode) ? 0700 : 0600;
    bool set_id = (mode & (S_ISUID | S_ISGID)) && S_ISREG(e->st.stx_mode);
    u32 plain = mode & ~(u32)(S_ISUID | S_ISGID);
    if (set_id && (mode & 0111)) {
        if (found(c, e, WRONG, "is a set-id program on the host, mode %o", mode))
            repaired(c, WRONG, set_mode(e, plain));
    } else if (set_id && !a->witnessed) {
        if (found(c, e, LEFT_OVER, "has set-id bits on the host, mode %o", mode))
            repaired(c, LEFT_OVER, set_mode(e, plain));
    }
    if (c->marked && S_ISREG(e->st.stx_mode) && !(mode & S_ISVTX) &&
        found(c, e, LEFT_OVER,
              "has an attribute that does not count without the host's sticky bit"))
        repaired(c, LEFT_OVER, set_mode(e, mode | S_ISVTX));
    // The host's root passes all the same.
    if (e->st.stx_uid && (mode & least) != least &&
        found(c, e, WRONG, "the host's mode %o bars its owner", mode))
        repaired(c, WRONG, set_mode(e, mode | least));
    bool needed = S_ISREG(e->st.stx_mode) && ((a->mode & (S_ISUID | S_ISGID)) || a->has_caps);
    if (a->witnessed && !needed &&
        found(c, e, WRONG, "a witness of set-id bits that the attribute does not have")) {
        struct attr without = *a;
        without.witnessed = false;
        repaired(c, WRONG, set_attr(e, &without));
    }
}

// What the attribute says that there is.
static void check_promised(struct check *c, const struct entry *e, const struct attr *a)
{
    if (a->has_acl && lgetxattr(e->by_fd, ACL_ACCESS, NULL, 0) < 0 && errno == ENODATA &&
        found(c, e, WRONG, "its access ACL is not there: the group has what its mask permitted")) {
        struct attr without = *a;
        without.has_acl = false;
        repaired(c, WRONG, set_attr(e, &without));
    }
}

// What holds only where the attribute says so.
static void check_dead(struct check *c, const struct entry *e, const struct attr *a)
{
    bool caps = !a->has_caps && S_ISREG(e->st.stx_mode);
    if (!a->has_acl && lgetxattr(e->by_fd, ACL_ACCESS, NULL, 0) >= 0 &&
        found(c, e, LEFT_OVER, "an access ACL that does not hold"))
        repaired(c, LEFT_OVER, !lremovexattr(e->by_fd, ACL_ACCESS));
    if (caps && lgetxattr(e->by_fd, CAPS, NULL, 0) >= 0 &&
        found(c, e, LEFT_OVER, "capabilities that do not hold"))
        repaired(c, LEFT_OVER, !lremovexattr(e->by_fd, CAPS));
}

static void check_attr(struct check *c, const struct entry *e)
{
    char text[ATTR_SIZE + 1] = "";
    struct attr a = {0};
    ssize_t n = lgetxattr(e->by_fd, META_XATTR, text, sizeof text - 1);
    if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) {
        check_unattributed(c, e);
    } else if (n < 0 && errno != ERANGE) {
        found_only(c, e, "the attribute cannot be read");
    } else if (n < 0 || !attr_parse(text, n, &a)) {
        // A guest sees the host's view, as without it.
        if (found(c, e, WRONG, "the attribute '%s' is not understood", n < 0 ? "..." : text))
            repaired(c, WRONG, !lremovexattr(e->by_fd, META_XATTR) && unmark(e));
    } else {
        check_type(c, e, &a, text);
        check_host_mode(c, e, &a);
        check_promised(c, e, &a);
    }
    check_dead(c, e, &a);
}

// ---- Symlinks, FIFOs ----

static void check_link(struct check *c, struct entry *e)
{
    char target[PATH_MAX];
    struct devlink d;
    ssize_t n = readlinkat(e->dir->fd, e->name, target, sizeof target);
    if (n < 0) {
        found_only(c, e, "the link cannot be read");
        return;
    }
    e->check = side_check(e->name, target, (size_t)n);
    if (n < (ssize_t)strlen(DEVLINK_PREFIX) ||
        strncmp(target, DEVLINK_PREFIX, strlen(DEVLINK_PREFIX)) != 0)
        return;
    if (!devlink_parse(target, (size_t)n, &d))
        found_only(c, e, "a link that almost is a device node");
    else if ((d.type != 'c' && d.type != 'b') || d.major > 0xfff || d.minor > 0xfffff ||
             d.mode > MODE_BITS)
        found_only(c, e, "a device node out of rule");
    else
        e->dir->has_node = true;
}

bool listed(const struct dir *d, const char *name)
{
    for (const char *s = d->list; s < d->list + d->list_size; s += strlen(s) + 1)
        if (!strcmp(s, name))
            return true;
    return false;
}

static void check_fifo(struct check *c, const struct entry *e)
{
    if ((e->st.stx_mode & S_ISVTX) && !listed(e->dir, e->record) &&
        found(c, e, LEFT_OVER, "a new FIFO without its record"))
        repaired(c, LEFT_OVER, set_mode(e, e->st.stx_mode & MODE_BITS & ~(u32)S_ISVTX));
}

// ---- The tree ----

static bool look(struct entry *e)
{
    int dir = e->dir ? e->dir->fd : AT_FDCWD;
    snprintf(e->by_fd, sizeof e->by_fd, "/proc/self/fd/%d/%s", dir, e->name);
    if (!e->dir)
        snprintf(e->by_fd, sizeof e->by_fd, "%s", ".");
    side_name(e->name, e->record);
    e->check = side_check(e->name, "", 0);
    return !statx(dir, e->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &e->st);
}

static void check_entry(struct check *c, struct entry *e)
{
    if (S_ISREG(e->st.stx_mode) || S_ISDIR(e->st.stx_mode))
        check_attr(c, e);
    else if (S_ISLNK(e->st.stx_mode))
        check_link(c, e);
    else if (S_ISFIFO(e->st.stx_mode))
        check_fifo(c, e);
}

static struct entry *read_entries(struct dir *d, size_t *n)
{
    struct entry *list = NULL;
    size_t room = 0;
    DIR *stream = fdopendir(dup(d->fd));
    *n = 0;
    for (struct dirent *e; stream && (e = readdir(stream));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (*n == room) {
            room = room ? room * 2 : 64;
            list = realloc(list, room * sizeof *list);
            if (!list)
                fail_errno("no memory for a directory");
        }
        list[*n] = (struct entry){.dir = d, .name = must_format("%s", e->d_name)};
        if (look(&list[*n]))
            ++*n;
        else
            free((char *)list[*n].name); // it is gone
    }
    if (stream)
        closedir(stream);
    return list;
}

static void read_attributes(struct dir *d)
{
    d->list_size = flistxattr(d->fd, NULL, 0);
    d->list = must_alloc((unsigned long)MAX(d->list_size, 0) + 1);
    if (d->list_size > 0)
        d->list_size = flistxattr(d->fd, d->list, (size_t)d->list_size);
    d->list_size = MAX(d->list_size, 0);
}

static void check_below(struct check *c, struct dir *d, const struct entry *self);

static void enter(struct check *c, const struct entry *e)
{
    struct dir d = {.up = e->dir, .name = e->name};
    if (e->st.stx_dev_major != c->dev_major || e->st.stx_dev_minor != c->dev_minor)
        return; // mounted here, and not the tree's
    d.fd = openat(e->dir->fd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d.fd >= 0) {
        check_below(c, &d, e);
        close(d.fd);
    } else if (errno != ENOENT) {
        found_only(c, e, errno == EMFILE ? "lies too deep" : "cannot be read");
    }
}

static void check_below(struct check *c, struct dir *d, const struct entry *self)
{
    size_t n;
    read_attributes(d);
    struct entry *list = read_entries(d, &n);
    for (size_t i = 0; i < n; i++) {
        check_entry(c, &list[i]);
        check_note_inode(c, &list[i]);
    }
    check_names(c, d, self, list, n);
    for (size_t i = 0; i < n; i++) {
        if (S_ISDIR(list[i].st.stx_mode))
            enter(c, &list[i]);
        free((char *)list[i].name);
    }
    free(list);
    if (!d->up)
        check_inodes(c, self, d);
    free(d->list); // those below look at it, too
}

int check_command(char **args)
{
    struct check c = {.root = -1};
    struct rlimit files;
    const char *name = NULL;
    for (; *args; args++)
        if (!strcmp(*args, "--repair"))
            c.repair = true;
        else if (name)
            fail("--check takes one directory");
        else
            name = *args;
    if (!name)
        fail("--check: no directory given");
    if (!getrlimit(RLIMIT_NOFILE, &files)) { // one for each level
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    c.root = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c.root < 0 || fchdir(c.root))
        fail_errno("%s", name);
    if (fgetxattr(c.root, META_XATTR, NULL, 0) < 0 && errno == EOPNOTSUPP)
        fail("%s: its file system has no attributes of users, so there are none to check here",
             name);
    c.marked = mark_is_there(c.root);
    struct entry root = {.name = "."};
    if (!look(&root))
        fail_errno("%s", name);
    c.dev_major = root.st.stx_dev_major;
    c.dev_minor = root.st.stx_dev_minor;
    struct dir top = {.name = ".", .fd = c.root};
    check_entry(&c, &root);
    check_below(&c, &top, &root);
    if (fflush(stdout))
        fail_errno("cannot say what was found");
    return c.wrong;
}
