// SPDX-License-Identifier: MIT
// Attributes of a tree whose file system has none of users: NFS before 4.2, ramfs, old tmpfs. They
// stand in a directory beside the tree's root (cli/attrstores.c), out of the guest's reach, one
// symlink each, as its target: it is read by one call, without a descriptor, and replaced in one
// step by rename.
//
//     ROOT.lxrun-attrs/INODE[-BIRTH]/NAME -> =VALUE
//
// in hexadecimal, BIRTH where the file system knows it; name and value as str_escape() has them.
// What is removed may still be open: its attributes wait in `gone`, until there are others in their
// place or the instance ends. What is made finds none of another inode that had its number. The
// host knows nothing of them: files that it copies have the host's owner and mode.
#include "attrstore.h"

#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "sync.h"
#include "task.h"
#include "uaccess.h"

#define ENCODED_SIZE LX_PATH_MAX // of a symlink's target, with the end
#define NAME_SIZE 256
#define GONE ATTRSTORE_GONE
#define GONE_PLACES 1024

bool attrstore_is_used(void)
{
    return ((struct instance *)LX_SHARED)->has_attrstores;
}

bool attrstore_is_of(struct task *t, int mount)
{
    return mount_at(t, MAX(mount, 0))->attrstore_dev != 0;
}

// Where an inode's attributes are.
struct place {
    struct task *t;
    int root; // descriptor of the store
    struct statx st;
    char dir[80];
    char path[80 + NAME_SIZE];
};

static void name_gone_place(const struct place *o, char *out, size_t n)
{
    fmt(out, n, GONE "/%lx", (u64)o->st.stx_ino % GONE_PLACES);
}

static void name_dir(struct place *o, bool gone)
{
    const struct statx *st = &o->st;
    char in[32] = "";
    if (gone)
        name_gone_place(o, in, sizeof in);
    size_t n = (size_t)fmt(o->dir, sizeof o->dir, "%s%s%lx", in, gone ? "/" : "", (u64)st->stx_ino);
    if (st->stx_mask & STATX_BTIME)
        fmt(o->dir + n, sizeof o->dir - n, "-%lx.%x", (u64)st->stx_btime.tv_sec,
            st->stx_btime.tv_nsec);
}

static bool has_dir(const struct place *o)
{
    return HOST3(__NR_faccessat, o->root, o->dir, 0) >= 0;
}

// An inode without a name has lost it, or may get one yet (O_TMPFILE).
static void find_dir(struct place *o)
{
    name_dir(o, false);
    if (o->st.stx_nlink || has_dir(o))
        return;
    name_dir(o, true);
    if (!has_dir(o))
        name_dir(o, false);
}

static long name_path(struct place *o, const char *name)
{
    size_t n = (size_t)fmt(o->path, sizeof o->path, "%s/", o->dir);
    char *end = o->path + n;
    if (!str_escape(&end, o->path + sizeof o->path - 1, name, strlen(name)))
        return -ENOSPC;
    *end = 0;
    return 0;
}

// -EOPNOTSUPP: the inode's mount keeps none.
static long find(const struct parent *p, const char *name, struct place *o)
{
    o->t = task_of_stack();
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
                        STATX_BASIC_STATS | STATX_BTIME, &o->st);
    if (r < 0)
        return r;
    const struct mount_entry *e = mount_at(o->t, 0); // only the guest's root has one
    if (e->attrstore_dev != device_of(&o->st))
        return -EOPNOTSUPP;
    o->root = mount_root_fd(o->t, e->attrstore);
    if (o->root < 0)
        return o->root;
    find_dir(o);
    if (!name)
        return 0;
    return name_path(o, name);
}

// What the symlink says, to value[ENCODED_SIZE]; returns its length.
static long value_of(const struct place *o, char *value)
{
    char target[ENCODED_SIZE + 1];
    const char *text = target + 1;
    long n = HOST4(__NR_readlinkat, o->root, o->path, target, ENCODED_SIZE);
    if (n <= 0)
        return n == 0 || n == -ENOENT || n == -ENOTDIR ? -ENODATA : n;
    target[n] = 0;
    return (long)str_unescape(&text, "\0", value, ENCODED_SIZE);
}

long attrstore_get(const struct parent *p, const char *name, void *value, size_t size)
{
    struct place o;
    char own[ENCODED_SIZE];
    long n = find(p, name, &o);
    // A file with owner and mode of its own has the mark; else they were another's (fs/meta.c).
    bool marked = (o.st.stx_mode & (S_IFMT | S_ISVTX)) == (S_IFREG | S_ISVTX);
    if (n >= 0 && (o.st.stx_mode & (S_IFMT | S_ISVTX)) == S_IFREG && !strcmp(name, META_XATTR))
        return -ENODATA;
    if (n >= 0)
        n = value_of(&o, own);
    // NFS and FUSE give an open file that is removed another name instead.
    if (n == -ENODATA && marked) {
        name_dir(&o, true);
        n = name_path(&o, name);
        if (n >= 0)
            n = value_of(&o, own);
    }
    if (n < 0 || !size)
        return n;
    if (n > (long)size)
        return -ERANGE;
    return uaccess_copy(value, own, (size_t)n) ? -EFAULT : n;
}

// As setxattr(2), the inode's time of change moves. mark: the file has owner and mode of its own;
// not every file system keeps the bit that it was made with.
static void touch(const struct parent *p, const struct statx *st, bool mark)
{
    u32 type = st->stx_mode & S_IFMT;
    if ((type != S_IFREG && type != S_IFDIR) || (st->stx_mode & S_ISUID)) // a witness: fs/change.c
        return;
    u32 mode = (st->stx_mode & MODE_BITS) | (mark && type == S_IFREG ? S_ISVTX : 0);
    host_chmod_at(p, mode);
}

long attrstore_set(const struct parent *p, const char *name, const void *value, size_t size,
                   int flags)
{
    struct place o;
    char own[ENCODED_SIZE], text[ENCODED_SIZE] = "=", *end = text + 1, new[48];
    long r = find(p, name, &o);
    if (r < 0)
        return r;
    if (size > sizeof own)
        return -ENOSPC;
    if (uaccess_copy(own, value, size))
        return -EFAULT;
    if (!str_escape(&end, text + sizeof text - 1, own, size))
        return -ENOSPC;
    *end = 0;
    bool there = flags && value_of(&o, own) >= 0;
    if (flags & (there ? XATTR_CREATE : XATTR_REPLACE))
        return there ? -EEXIST : -ENODATA;
    // Another machine may use the tree, too, and have the same thread numbers.
    fmt(new, sizeof new, "new.%u.%lx", o.t->tid, o.t->instance->boot_ns);
    r = HOST3(__NR_symlinkat, text, o.root, new);
    if (r == -EEXIST) { // of one that was killed
        HOST3(__NR_unlinkat, o.root, new, 0);
        r = HOST3(__NR_symlinkat, text, o.root, new);
    }
    for (int tries = 0; r >= 0 && tries < 3; tries++) {
        r = HOST4(__NR_renameat, o.root, new, o.root, o.path);
        if (r != -ENOENT)
            break;
        r = HOST3(__NR_mkdirat, o.root, o.dir, 0700);
        if (r == -EEXIST)
            r = 0;
    }
    if (r >= 0)
        touch(p, &o.st, !strcmp(name, META_XATTR));
    else
        HOST3(__NR_unlinkat, o.root, new, 0);
    return r;
}

long attrstore_remove(const struct parent *p, const char *name)
{
    struct place o;
    long r = find(p, name, &o);
    if (r >= 0)
        r = HOST3(__NR_unlinkat, o.root, o.path, 0);
    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? -ENODATA : r;
    HOST3(__NR_unlinkat, o.root, o.dir, AT_REMOVEDIR); // when it was the last
    touch(p, &o.st, false);
    return 0;
}

// Calls each() with the name of each attribute in the place's directory.
static long each_name(const struct place *o, void (*each)(void *, int dir, const char *), void *arg)
{
    char chunk[2048] __attribute__((aligned(8)));
    long n, fd = temp_open(o->t, o->root, o->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    while ((n = HOST3(__NR_getdents64, fd, chunk, sizeof chunk)) > 0)
        for (long at = 0; at < n;) {
            const struct dirent64 *e = (const struct dirent64 *)(chunk + at);
            if (e->name[0] != '.')
                each(arg, (int)fd, e->name);
            at += e->reclen;
        }
    temp_close(o->t, (int)fd);
    return n;
}

struct listing {
    char *list;
    size_t size, used;
};

static void add_name(void *arg, int dir, const char *name)
{
    struct listing *l = arg;
    char text[NAME_SIZE];
    (void)dir;
    size_t len = str_unescape(&name, "\0", text, sizeof text - 1) + 1;
    text[MIN(len, sizeof text) - 1] = 0;
    if (l->used + len <= l->size)
        memcpy(l->list + l->used, text, len);
    l->used += len;
}

long attrstore_list(const struct parent *p, char *list, size_t size, long host)
{
    struct place o;
    struct listing l = {list, size, host > 0 ? (size_t)host : 0};
    if (host < 0 && host != -EOPNOTSUPP)
        return host;
    long r = find(p, NULL, &o);
    if (r == -EOPNOTSUPP)
        return host;
    if (r >= 0)
        r = each_name(&o, add_name, &l);
    if (r < 0)
        return r;
    return size && l.used > size ? -ERANGE : (long)l.used;
}

static void unlink_name(void *arg, int dir, const char *name)
{
    (void)arg;
    HOST3(__NR_unlinkat, dir, name, 0);
}

static void forget(struct place *o)
{
    if (HOST3(__NR_unlinkat, o->root, o->dir, AT_REMOVEDIR) != -ENOTEMPTY)
        return;
    each_name(o, unlink_name, NULL);
    HOST3(__NR_unlinkat, o->root, o->dir, AT_REMOVEDIR);
}

static void forget_other(void *arg, int dir, const char *name)
{
    struct place *o = arg;
    (void)dir;
    fmt(o->dir, sizeof o->dir, "%s/%s", o->path, name);
    forget(o);
}

void attrstore_go(struct task *t, int mount, const struct parent *p, struct attrstore_going *g)
{
    u32 mask = STATX_BASIC_STATS | STATX_BTIME;
    int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC; // NFS and FUSE may know an old number
    g->last = false;
    if (!attrstore_is_of(t, mount) || host_statx(p->fd, p->name, flags, mask, &g->st) < 0)
        return;
    g->last = (g->st.stx_mode & S_IFMT) == S_IFDIR || g->st.stx_nlink == 1;
}

void attrstore_gone(struct task *t, int mount, const struct attrstore_going *g)
{
    if (!g->last || mount_at(t, MAX(mount, 0))->attrstore_dev != device_of(&g->st))
        return;
    struct place o = {.t = t, .st = g->st}, old;
    o.root = mount_root_fd(t, mount_at(t, MAX(mount, 0))->attrstore);
    name_dir(&o, false);
    if (o.root < 0 || !has_dir(&o))
        return;
    old = o;
    name_gone_place(&o, old.path, sizeof old.path);
    str_copy(old.dir, old.path, sizeof old.dir);
    HOST3(__NR_mkdirat, o.root, GONE, 0700);
    if (HOST3(__NR_mkdirat, o.root, old.path, 0700) == -EEXIST)
        each_name(&old, forget_other, &old);
    char from[sizeof o.dir];
    memcpy(from, o.dir, sizeof from);
    name_dir(&o, true);
    if (HOST4(__NR_renameat, o.root, from, o.root, o.dir) < 0) { // no room, say
        name_dir(&o, false);
        forget(&o);
    }
}

void attrstore_new(const struct parent *p)
{
    struct place o;
    if (find(p, NULL, &o) < 0)
        return;
    for (int gone = 0; gone < 2; gone++) {
        name_dir(&o, gone);
        forget(&o);
    }
}

long attrstore_sync(struct task *t, int fd)
{
    struct place o;
    struct parent p = {.fd = fd, .name = ""};
    long r = find(&p, NULL, &o);
    if (r >= 0)
        r = sync_directory(t, o.root, o.dir, __NR_fsync);
    if (r >= 0)
        r = sync_directory(t, o.root, ".", __NR_fsync);
    return r == -EOPNOTSUPP || r == -ENOENT ? 0 : r; // it has none
}
