// SPDX-License-Identifier: MIT
// rename, renameat, renameat2. The order of checks is that of Linux: fs/namei.c, do_renameat2()
// and vfs_rename().
#include <linux/fs.h>
#include <linux/mount.h>

#include "attrstore.h"
#include "devlink.h"
#include "drivename.h"
#include "meta.h"
#include "nocase.h"
#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"

// Both names, and the host's view of what they are.
struct rename {
    struct pathop a, b;
    struct statx src, dst;
    bool there;     // is b there, as far as it matters?
    bool unseen;    // b was not looked at
    bool announced; // that it changes
    bool locked;    // lock_names(): neither has its owner by its name, nor comes to
    u32 *lock[2];
    u32 flags;
    u32 records; // written before anything was looked at
    struct own_name own;
};

static bool is_dir(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFDIR;
}

static bool is_link(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFLNK;
}

// One of the two is "..", "/" or the like, or the root of a mount, which has no name there.
static long check_no_name(struct task *t, const struct rename *r)
{
    const struct pathop *a = &r->a, *b = &r->b;
    struct statx st;
    if (a->p.last != LAST_NAME)
        return -EBUSY;
    if (b->p.last == LAST_NAME && (mount_flags(t, pathop_name_mount(t, a)) & MS_RDONLY))
        return -EROFS;
    if (b->p.last == LAST_NAME && !pathop_is_root(t, a)) {
        long e = meta_host_look(&a->p, &st);
        if (e < 0)
            return e;
    }
    return pathop_is_root(t, b) && (r->flags & RENAME_NOREPLACE) ? -EEXIST : -EBUSY;
}

// Are the names ones that can be renamed at all?
static long check_places(struct task *t, const struct rename *r)
{
    const struct pathop *a = &r->a, *b = &r->b;
    if (pathop_name_mount(t, a) != pathop_name_mount(t, b))
        return -EXDEV;
    if (pathop_is_root(t, a) || pathop_is_root(t, b))
        return check_no_name(t, r);
    u32 type = pathop_mount(t, a)->type;
    if ((r->flags & RENAME_WHITEOUT) && (type == FS_DRIVE || type == FS_OVERLAY))
        return -EINVAL; // no device nodes there; none that the guest makes
    return pathop_mount_flags(t, a) & MS_RDONLY ? -EROFS : 0;
}

// Around the change of the new name; ended already, or not begun, is no matter.
static void announce(struct task *t, struct rename *r)
{
    if (r->announced)
        return;
    name_own_begin(t, r->b.loc.mount, &r->b.p, &r->own);
    name_change_begin(t, &r->b.p);
    r->announced = true;
}

static void announced_end(struct task *t, struct rename *r)
{
    if (r->announced)
        name_change_end(t, &r->b.p);
    r->announced = false;
}

// Does what has the new name now, if anything, not matter? Of a file the host knows what it may
// replace, and only records would be left behind.
static bool replaces_any(struct task *t, const struct rename *r)
{
    const struct pathop *b = &r->b;
    return !r->a.p.over && !b->p.over && (r->src.stx_mode & S_IFMT) == S_IFREG && !r->flags &&
           !r->a.loc.must_be_dir && !b->loc.must_be_dir && fs_may_all(&t->cred) &&
           meta_names_none(t, &b->p) && !attrstore_is_of(t, b->loc.mount) &&
           !side_links_used(t, b->loc.mount) &&
           !mount_name_is_point(t, b->p.name, strlen(b->p.name));
}

// Then the change of that name is announced, as it was before that was found out (as
// syscalls/names.c, remove_unseen()).
static bool begin_unseen(struct task *t, struct rename *r)
{
    announce(t, r);
    if (!replaces_any(t, r))
        announced_end(t, r);
    return r->announced;
}

// Where there are records by inode, who may rename all keeps those out who make, move or remove
// what has its owner by its name, and so needs no second look at the names (fs/siderename.c).
static void lock_names(struct task *t, struct rename *r)
{
    const struct parent *name[2] = {&r->a.p, &r->b.p};
    r->locked = !r->flags && !r->a.p.over && !r->b.p.over && fs_may_all(&t->cred) &&
                side_links_used(t, r->b.loc.mount);
    int first = meta_name_index(name[1]) < meta_name_index(name[0]);
    for (int i = 0; r->locked && i < 2; i++)
        r->lock[i] = meta_lock_name(t, name[i ^ first]);
}

static void unlock_names(struct rename *r)
{
    for (int i = 0; r->locked && i < 2; i++)
        if (r->lock[i])
            reserved_release(r->lock[i]);
    r->locked = false;
}

// It is not for what has been found: then the locks of inodes come first.
static void unlock_if_named(struct rename *r, const struct statx *st)
{
    if (meta_by_name(st->stx_mode) || is_marked_new(st))
        unlock_names(r);
}

static long look(struct task *t, struct rename *r)
{
    r->there = false;
    // Then it is all that matters of a file whose name is this thread's doing.
    r->src.stx_mode = S_IFREG;
    r->src.stx_ino = 0; // which is none
    bool own = name_is_own_file(t, r->a.loc.mount, &r->a.p);
    r->unseen = own && !r->locked && begin_unseen(t, r);
    if (r->unseen)
        return 0;
    bool passed = own && r->locked;
    long e = passed                       ? 0
             : r->a.p.over >= OVER_ABSENT ? overlay_absent(&r->a.loc)
                                          : meta_host_look(&r->a.p, &r->src);
    if (e < 0)
        return e;
    unlock_if_named(r, &r->src);
    if (is_marked_new(&r->src) && meta_bury(t, r->a.loc.mount, &r->a.p))
        return -ENOENT;
    r->unseen = !r->locked && begin_unseen(t, r);
    if (r->unseen)
        return 0;
    e = r->b.p.over >= OVER_ABSENT ? overlay_absent(&r->b.loc) : meta_host_look(&r->b.p, &r->dst);
    if (e >= 0)
        unlock_if_named(r, &r->dst);
    if (passed && !r->locked) { // it matters now which file it is
        long src = meta_host_look(&r->a.p, &r->src);
        if (src < 0)
            return src;
    }
    if (e >= 0 && is_marked_new(&r->dst) && meta_bury(t, r->b.loc.mount, &r->b.p))
        e = -ENOENT;
    r->there = e >= 0;
    if (e < 0 && e != -ENOENT)
        return e;
    if (r->there && (r->flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (r->flags & RENAME_EXCHANGE) {
        if (!r->there)
            return -ENOENT;
        if (!is_dir(&r->dst) && r->b.loc.must_be_dir)
            return -ENOTDIR;
    }
    if (!is_dir(&r->src) &&
        (r->a.loc.must_be_dir || (!(r->flags & RENAME_EXCHANGE) && r->b.loc.must_be_dir)))
        return -ENOTDIR;
    return 0;
}

// May the entry be taken out of its directory? *dir gets the directory.
static long may_take(struct task *t, struct pathop *op, struct statx *dir)
{
    struct statx st;
    long r = meta_stat_dir(t, op->loc.mount, &op->p, dir);
    if (r >= 0)
        r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
    return r < 0 ? r : may_delete(&t->cred, dir, &st);
}

// A directory that gets another parent has its ".." changed.
static long may_reparent(struct task *t, struct pathop *op, const struct statx *host)
{
    struct statx st;
    if (!is_dir(host))
        return 0;
    long r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
    return r < 0 ? r : may_access(&t->cred, &st, MAY_WRITE);
}

static long may_rename(struct task *t, struct rename *r)
{
    struct statx from, to;
    if (fs_may_all(&t->cred))
        return 0;
    long e = may_take(t, &r->a, &from);
    if (e >= 0)
        e = r->there ? may_take(t, &r->b, &to) : pathop_may_change(t, &r->b, &to);
    if (e >= 0 && r->there && !(r->flags & RENAME_EXCHANGE) && is_dir(&r->src) != is_dir(&r->dst))
        e = is_dir(&r->src) ? -ENOTDIR : -EISDIR;
    if (e < 0 || is_same_inode(&from, &to))
        return e;
    e = may_reparent(t, &r->a, &r->src);
    if (e >= 0 && (r->flags & RENAME_EXCHANGE))
        e = may_reparent(t, &r->b, &r->dst);
    return e;
}

// The host's rename, with a 0:0 node put under the old name for RENAME_WHITEOUT. Between the two
// the old name is free; a process killed there leaves what a rename without the flag would.
static long host_rename(struct task *t, struct rename *r)
{
    u32 flags = r->flags & ~(u32)RENAME_WHITEOUT;
    bool dirs = is_dir(&r->src) || (r->there && is_dir(&r->dst));
    bool ways = dirs || is_link(&r->src) || (r->there && is_link(&r->dst));
    long e;
    if (ways)
        dirs_change_begin(t);
    announce(t, r);
    name_change_begin(t, &r->a.p);
    if (flags)
        e = HOST5(__NR_renameat2, r->a.p.fd, r->a.p.name, r->b.p.fd, r->b.p.name, flags);
    else
        e = HOST4(__NR_renameat, r->a.p.fd, r->a.p.name, r->b.p.fd, r->b.p.name);
    announced_end(t, r);
    name_change_end(t, &r->a.p);
    if (e >= 0 && dirs)
        __atomic_fetch_add(&t->instance->dir_moves, 1, __ATOMIC_ACQ_REL);
    if (ways)
        dirs_change_end(t, e >= 0 && dirs && r->there && !(flags & RENAME_EXCHANGE) ? r->b.p.name
                                                                                    : NULL);
    if (e >= 0 && r->unseen)
        way_name_removed(t, r->b.p.name);
    if (e >= 0 && !flags && (r->src.stx_mode & S_IFMT) == S_IFREG)
        name_own_end(t, &r->own,
                     name_changes_index(&r->a.p) == name_changes_index(&r->b.p) ? 2 : 1);
    if (e >= 0 && (r->flags & RENAME_WHITEOUT)) {
        struct meta_new n = {.mode = S_IFCHR};
        struct statx dir;
        if (meta_by_name(r->src.stx_mode))
            meta_name_drop(&r->a.p); // or it would be the whiteout's
        e = meta_stat_dir(t, r->a.loc.mount, &r->a.p, &dir);
        if (e >= 0) {
            meta_new_owner(t, &dir, &n);
            e = meta_mknod(t, &r->a.p, n.mode, n.uid, n.gid, 0);
        }
    }
    return e;
}

static long move(struct task *t, void *arg)
{
    return host_rename(t, arg);
}

// Owners that go by name go along.
static long rename_named(struct task *t, struct rename *r)
{
    struct meta_renaming names = {.from = &r->a.p,
                                  .to = &r->b.p,
                                  .src = &r->src,
                                  .dst = r->there ? &r->dst : NULL,
                                  .exchange = r->flags & RENAME_EXCHANGE,
                                  .keeps_name = r->flags & RENAME_WHITEOUT};
    return meta_rename(t, r->a.loc.mount, &names, move, r);
}

// Has one of the names such an owner? Where there are records by inode, it is asked under the lock
// of the name; that the first one is written is waited with until the announced change is made.
static bool goes_by_name(struct task *t, struct rename *r)
{
    if (meta_by_name(r->src.stx_mode) || (r->there && meta_by_name(r->dst.stx_mode)))
        return true;
    if (r->announced)
        return false;
    announce(t, r);
    if (!side_links_used(t, r->b.loc.mount))
        return false;
    announced_end(t, r);
    return true;
}

static bool is_below(const char *path, const char *top)
{
    size_t n = strlen(top);
    return !strncmp(path, top, n) && path[n] == '/';
}

// One name below the other is told before permission; where that is given the host finds it out.
static long check_ancestry(struct task *t, struct rename *r)
{
    char a[LX_PATH_MAX], b[LX_PATH_MAX];
    if (instance_path_of_loc(t, &r->a.loc, a, sizeof a) < 0 ||
        instance_path_of_loc(t, &r->b.loc, b, sizeof b) < 0)
        return 0;
    if (is_below(b, a))
        return -EINVAL;
    if (is_below(a, b))
        return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return 0;
}

// Where case does not tell names apart: is the new name the old one, in other letters? Then it
// becomes the one asked for, which is not there.
static bool changes_case(struct task *t, struct rename *r)
{
    if (!pathop_mount(t, &r->b)->drive.nocase || r->flags || strcmp(r->a.loc.rel, r->b.loc.rel))
        return false;
    char *name = r->b.path, *end = name + strlen(name);
    while (end > name && end[-1] == '/')
        *--end = 0;
    char *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    if (pathop_mount(t, &r->b)->drive.names) {
        size_t n = strlen(name), room = sizeof r->b.path - (size_t)(name - r->b.path);
        char host[LX_PATH_MAX];
        if (drivename_to_host(name, n, host, sizeof host) >= room)
            return false;
        str_copy(name, host, room);
    }
    if (!nocase_same(name, r->b.p.name) || !strcmp(name, r->b.p.name))
        return false;
    r->b.p.name = name;
    r->b.p.hash = 0;
    r->there = false;
    return true;
}

// There a name that is missing cannot be looked up, and none can be taken away.
static long rename_in_proc(struct task *t, struct rename *r)
{
    struct statx dir;
    if (!r->there)
        return -ENOENT;
    long e = host_statx(r->a.p.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &dir);
    return e < 0 ? e : procfs_no_remove(t, r->a.loc.rel, &dir, &r->src, is_dir(&r->src));
}

static long rename_once(struct task *t, struct rename *r)
{
    long e = check_places(t, r);
    r->there = false;
    r->records = records_changes(t);
    if (e >= 0) {
        lock_names(t, r);
        e = look(t, r);
    }
    if (e == -ENOTDIR && !r->there && pathop_is_gone(&r->b))
        e = -ENOENT; // in a removed directory the look-up fails
    if (e < 0)
        return e;
    if (r->there && is_same_inode(&r->src, &r->dst) && !changes_case(t, r))
        return 0; // also two links of one file: nothing happens
    if (pathop_mount(t, &r->a)->type == FS_PROC)
        return rename_in_proc(t, r);
    e = may_rename(t, r);
    if (e < 0 && !r->there && pathop_is_gone(&r->b))
        return -ENOENT;
    if (e < 0) {
        long below = check_ancestry(t, r);
        return below < 0 ? below : e;
    }
    if (pathop_is_mount_point(t, &r->a, is_dir(&r->src)) ||
        (r->there && pathop_is_mount_point(t, &r->b, is_dir(&r->dst))))
        return -EBUSY;
    if (!r->a.p.over != !r->b.p.over && is_overlay(t, r->a.loc.mount))
        return -EXDEV; // only one of them has a path that is not too long (fs/path.c: walk_deep)
    if (r->a.p.over) {
        e = check_ancestry(t, r);
        return e < 0 ? e
                     : overlay_rename(t, &r->a.loc, &r->a.p, &r->src, &r->b.loc, &r->b.p,
                                      r->there ? &r->dst : NULL, r->flags);
    }
    struct attrstore_going going = {.last = false};
    if (r->there && !(r->flags & RENAME_EXCHANGE))
        attrstore_go(t, r->b.loc.mount, &r->b.p, &going);
    e = !r->locked && goes_by_name(t, r) ? rename_named(t, r) : host_rename(t, r);
    if (e == 0)
        attrstore_gone(t, r->b.loc.mount, &going);
    if (e == 0 && !meta_by_name(r->src.stx_mode))
        meta_name_unseen(t, &r->b.p, r->records);
    return e;
}

static long rename_names(struct task *t, struct rename *r)
{
    long e = RENAME_ANOTHER;
    r->announced = r->locked = false;
    for (int i = 0; i < SWAPS && e == RENAME_ANOTHER; i++) {
        e = rename_once(t, r);
        unlock_names(r);
    }
    announced_end(t, r); // it did not come to it
    return e == RENAME_ANOTHER ? -EBUSY : e;
}

static bool is_in_directory(const struct pathop *op)
{
    struct statx st;
    return host_statx(op->p.fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0 || is_dir(&st);
}

long sys_renameat2(struct task *t, int olddirfd, uptr oldpath, int newdirfd, uptr newpath,
                   unsigned int flags)
{
    struct rename r;
    r.flags = flags;
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
        return -EINVAL;
    if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
        return -EINVAL;
    long e = pathop_begin(t, &r.a, olddirfd, oldpath, WALK_NAME | WALK_LONG);
    if (e < 0)
        return e;
    e = pathop_begin_second(t, &r.b, &r.a, newdirfd, newpath);
    if (e >= 0) {
        e = rename_names(t, &r);
        if (e < 0 && (!is_in_directory(&r.a) || !is_in_directory(&r.b)))
            e = -ENOTDIR;
        pathop_end(t, &r.b);
    } else if (!is_in_directory(&r.a)) {
        e = -ENOTDIR; // the first path comes first
    }
    pathop_end(t, &r.a);
    return e;
}

long sys_renameat(struct task *t, int olddirfd, uptr oldpath, int newdirfd, uptr newpath)
{
    return sys_renameat2(t, olddirfd, oldpath, newdirfd, newpath, 0);
}

long sys_rename(struct task *t, uptr oldpath, uptr newpath)
{
    return sys_renameat2(t, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}
