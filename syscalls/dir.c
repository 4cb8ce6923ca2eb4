// SPDX-License-Identifier: MIT
// The working directory and directory listings.
#include "drivename.h"
#include "meta.h"
#include "open.h"
#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"

static long may_enter(struct task *t, const struct loc *loc, struct statx *st)
{
    if (loc->mount >= 0 && mount_at(t, loc->mount)->type == FS_PROC)
        return procfs_may_search(t, loc->rel, st);
    return (st->stx_mode & S_IFMT) == S_IFDIR ? may_access(&t->cred, st, MAY_EXEC) : -ENOTDIR;
}

static long enter(struct task *t, int fd, int mount)
{
    bool shared = t->fs->refs > 1;
    if (shared) {
        lock_take(&t->fs->lock);
        dirs_no_cwd(t);
    }
    long r = HOST1(__NR_fchdir, fd);
    if (r >= 0)
        t->fs->cwd_mount = mount;
    dirs_new_cwd(t);
    if (shared)
        lock_drop(&t->fs->lock);
    return r;
}

// -ESTALE: another has the name than had it when it was asked.
static long try_chdir(struct task *t, uptr path)
{
    struct pathop op;
    struct statx st;
    long r = pathop_begin(t, &op, AT_FDCWD, path, WALK_FOLLOW | WALK_OBJECT);
    if (r < 0)
        return r;
    r = meta_stat(t, op.loc.mount, &op.p, STATX_BASIC_STATS | META_HOSTS_NUMBERS, &st);
    if (r >= 0)
        r = may_enter(t, &op.loc, &st);
    if (r >= 0)
        r = pathop_pin(t, &op);
    if (r >= 0) {
        int fd = (int)r;
        bool matters = *op.p.name && meta_is_kept(t, op.loc.mount) && !fs_unchecked(&t->cred);
        r = matters && !open_is_same(fd, &st) ? -ESTALE : enter(t, fd, op.loc.mount);
        temp_close(t, fd);
    }
    pathop_end(t, &op);
    return r;
}

long sys_chdir(struct task *t, uptr path)
{
    for (int tries = 0;; tries++) {
        long r = try_chdir(t, path);
        if (r != -ESTALE || tries == 100)
            return r;
    }
}

static long fchdir_now(struct task *t, int fd)
{
    struct loc loc = {.mount = fd_mount(t, fd)};
    struct statx st;
    long r = meta_fstat(t, fd, STATX_BASIC_STATS, &st);
    if (r >= 0 && loc.mount >= 0 && mount_at(t, loc.mount)->type == FS_PROC)
        r = loc_of_fd(t, fd, &loc);
    if (r >= 0)
        r = may_enter(t, &loc, &st);
    return r < 0 ? r : enter(t, fd, loc.mount);
}

long sys_fchdir(struct task *t, int fd)
{
    temps_begin(t); // its mount is not to become another's meanwhile
    long r = fchdir_now(t, fd);
    temps_end(t);
    return r;
}

long sys_getcwd(struct task *t, uptr buf, size_t size)
{
    char path[LX_PATH_MAX];
    struct statx st;
    long r = host_statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_NLINK, &st);
    if (r >= 0 && st.stx_nlink == 0)
        r = -ENOENT;
    if (r >= 0)
        r = path_of_fd(t, AT_FDCWD, path, sizeof path);
    if (r < 0)
        return r;
    size_t n = strlen(path) + 1;
    if (n > size)
        return -ERANGE;
    return copy_to_guest(buf, path, n) ? -EFAULT : (long)n;
}

// ---- getdents ----

// The old layout: no type byte before the name, one behind its end, in the last byte of the record.
struct dirent_old {
    u64 ino;
    u64 off;
    u16 reclen;
    char name[];
};

#define CHUNK 32768

// A listing: entries that are not the instance's are dropped, device nodes retyped.
struct listing {
    struct task *t;
    int fd;
    u32 type;       // of the mount
    bool windows;   // names are mapped (drivename.h)
    s32 nodes;      // does the directory hold device nodes? -1: not asked yet
    struct loc loc; // the directory, in /proc
};

static bool named(const struct listing *l, char *name)
{
    if (l->windows)
        drivename_to_guest(name);
    return true;
}

static bool keep(struct listing *l, char *name, u8 *type)
{
    struct parent p = {.fd = l->fd, .name = name};
    u32 node, major, minor;
    if (l->type == FS_PROC)
        return procfs_lists(l->t, l->loc.rel, name);
    if (*type != DT_LNK)
        return named(l, name);
    if (l->nodes < 0)
        l->nodes = l->type == FS_DEVFS || device_marked(l->fd);
    // Of an overlay, fd is one layer's.
    if (l->nodes && meta_device(&p, &node, &major, &minor))
        *type = node == S_IFBLK ? DT_BLK : DT_CHR;
    return named(l, name);
}

// Edits n bytes of entries in place; returns the bytes left.
static size_t edit(struct listing *l, char *chunk, size_t n, bool old)
{
    size_t out = 0;
    for (size_t at = 0; at < n;) {
        struct dirent64 *e = (struct dirent64 *)(chunk + at);
        struct dirent_old *o = (struct dirent_old *)e;
        u16 len = e->reclen; // at the same place in both
        u8 *type = old ? (u8 *)e + len - 1 : &e->type;
        if (keep(l, old ? o->name : e->name, type)) {
            if (out != at) // something before it was dropped
                memmove(chunk + out, e, len);
            out += len;
        }
        at += len;
    }
    return out;
}

static long list(struct task *t, long nr, int fd, uptr buf, size_t size)
{
    char chunk[CHUNK] __attribute__((aligned(8)));
    struct listing l;
    l.t = t;
    l.fd = fd;
    l.nodes = -1;
    int m = fd_mount(t, fd);
    if (m < 0 && loc_of_fd(t, fd, &l.loc) >= 0)
        m = l.loc.mount;
    l.type = mount_at(t, MAX(m, 0))->type;
    l.windows = mount_at(t, MAX(m, 0))->drive.names;
    if (l.type == FS_PROC) {
        long r = loc_of_fd(t, fd, &l.loc);
        if (r < 0)
            return r;
    }
    for (;;) {
        long n = l.type == FS_OVERLAY && nr == __NR_getdents64
                     ? overlay_getdents(t, fd, chunk, MIN(size, sizeof chunk))
                     : HOST3(nr, fd, chunk, MIN(size, sizeof chunk));
        if (n <= 0)
            return n;
        size_t out = edit(&l, chunk, (size_t)n, nr == __NR_getdents);
        if (out) // else all of them were dropped
            return copy_to_guest(buf, chunk, out) ? -EFAULT : (long)out;
    }
}

long sys_getdents64(struct task *t, int fd, uptr buf, unsigned int size)
{
    return list(t, __NR_getdents64, fd, buf, size);
}

long sys_getdents(struct task *t, int fd, uptr buf, unsigned int size)
{
    return list(t, __NR_getdents, fd, buf, size);
}
