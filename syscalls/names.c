// SPDX-License-Identifier: MIT
// Calls that make, link, read and remove names, each by one host call on a name in a pinned
// directory. Moving them: rename.c.
#include <linux/capability.h>
#include <linux/mount.h>

#include "attrstore.h"
#include "devlink.h"
#include "meta.h"
#include "nocase.h"
#include "pathop.h"
#include "procfs.h"
#include "syscall_rows.h"
#include "xattr.h"

// Begins at a name that is to be made. *dir: attributes of the directory.
static long begin_new(struct task *t, struct pathop *op, int dirfd, uptr path, bool directory,
                      struct statx *dir)
{
    long r = pathop_begin(t, op, dirfd, path, WALK_NAME);
    if (r < 0)
        return r;
    r = pathop_may_make(t, op, directory, dir);
    if (r >= 0)
        r = pathop_make_begin(t, op);
    if (r < 0)
        pathop_end(t, op);
    return r;
}

// The entry, which was made, was taken for unfinished and removed before it got its attribute, or
// there is such a one in its place.
static bool must_make_again(struct task *t, struct pathop *op, bool made, long result)
{
    if (result == -EEXIST)
        return meta_bury(t, op->loc.mount, &op->p);
    return made && result == -ENOENT;
}

long sys_mkdirat(struct task *t, int dirfd, uptr path, unsigned int mode)
{
    struct pathop op;
    struct statx dir;
    struct acl_new acl;
    struct meta_new n = {.acl = &acl};
    long r = begin_new(t, &op, dirfd, path, true, &dir);
    if (r < 0)
        return r;
    n.mode = S_IFDIR | acl_inherit(t, op.loc.mount, pathop_place(&op), mode & 01777, &acl);
    meta_new_owner(t, &dir, &n);
    bool made;
    do {
        u32 *making = meta_make_begin(t, op.loc.mount, &op.p, &n);
        r = HOST3(__NR_mkdirat, op.p.fd, op.p.name, meta_create_mode(t, op.loc.mount, &n));
        made = r >= 0;
        if (made) {
            nocase_inherit(t, op.loc.mount, &op.p);
            r = meta_created(t, op.loc.mount, &op.p, &n);
            if (r < 0 && r != -EEXIST)
                dirs_rmdir(t, &op.p);
        }
        meta_make_end(making);
    } while (must_make_again(t, &op, made, r));
    r = pathop_make_end(t, &op, true, r);
    pathop_end(t, &op);
    return r;
}

long sys_mkdir(struct task *t, uptr path, unsigned int mode)
{
    return sys_mkdirat(t, AT_FDCWD, path, mode);
}

static long make_node(struct task *t, struct pathop *op, const struct meta_new *n, u32 dev)
{
    struct statx st;
    struct meta_naming naming = {0};
    long r;
    u32 type = n->mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK) {
        if (host_statx(op->p.fd, op->p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0)
            return -EEXIST;
        bool whiteout = type == S_IFCHR && !dev; // anybody's since Linux 5.8
        if (whiteout && is_overlay(t, op->loc.mount))
            return -EPERM;
        if (!whiteout && !cred_has_cap(&t->cred, CAP_MKNOD))
            return pathop_is_gone(op) ? -ENOENT : -EPERM;
        if (pathop_mount(t, op)->type == FS_DRIVE)
            return -EPERM;
        return meta_mknod_acl(t, op->loc.mount, &op->p, n, dev);
    }
    u32 host_mode = type | meta_create_mode(t, op->loc.mount, n);
    if (type != S_IFREG) {
        r = meta_naming_begin(t, op->loc.mount, &op->p, n, "", &naming);
        if (naming.recorded && type == S_IFIFO)
            host_mode |= S_ISVTX; // who looks without finding the record finds that it is gone
        if (r >= 0)
            r = meta_naming_end(t, &op->p, &naming,
                                HOST4(__NR_mknodat, op->p.fd, op->p.name, host_mode, 0));
        return r;
    }
    bool made;
    do {
        u32 *making = meta_make_begin(t, op->loc.mount, &op->p, n);
        r = HOST4(__NR_mknodat, op->p.fd, op->p.name, host_mode, 0);
        made = r >= 0;
        if (made) {
            r = meta_created(t, op->loc.mount, &op->p, n);
            if (r < 0 && r != -EEXIST)
                name_unlink(t, &op->p, 0);
        }
        meta_make_end(making);
    } while (must_make_again(t, op, made, r));
    return r;
}

long sys_mknodat(struct task *t, int dirfd, uptr path, unsigned int mode, unsigned int dev)
{
    struct pathop op;
    struct statx dir;
    struct acl_new acl;
    struct meta_new n = {.acl = &acl};
    u32 type = mode & S_IFMT;
    if (!type)
        type = S_IFREG;
    if (type == S_IFDIR)
        return -EPERM;
    if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
        type != S_IFSOCK)
        return -EINVAL;
    long r = begin_new(t, &op, dirfd, path, false, &dir);
    if (r < 0)
        return r;
    mode = meta_new_mode(t, &dir, mode);
    n.mode = type | acl_inherit(t, op.loc.mount, pathop_place(&op), mode, &acl);
    meta_new_owner(t, &dir, &n);
    r = pathop_make_end(t, &op, false, make_node(t, &op, &n, dev));
    pathop_end(t, &op);
    return r;
}

long sys_mknod(struct task *t, uptr path, unsigned int mode, unsigned int dev)
{
    return sys_mknodat(t, AT_FDCWD, path, mode, dev);
}

long sys_symlinkat(struct task *t, uptr target_ptr, int dirfd, uptr path)
{
    char target[LX_PATH_MAX];
    struct pathop op;
    struct statx dir;
    long n = copy_str_from_guest(target, target_ptr, sizeof target);
    if (n < 0)
        return n;
    if (!n)
        return -ENOENT;
    n = device_link_to_host(target, (size_t)n);
    if (n < 0)
        return n;
    long r = begin_new(t, &op, dirfd, path, false, &dir);
    if (r < 0)
        return r;
    struct meta_new new = {.mode = S_IFLNK | 0777};
    struct meta_naming naming = {0};
    meta_new_owner(t, &dir, &new);
    do {
        r = meta_naming_begin(t, op.loc.mount, &op.p, &new, target, &naming);
        if (r >= 0)
            r = meta_naming_end(t, &op.p, &naming,
                                HOST3(__NR_symlinkat, target, op.p.fd, op.p.name));
    } while (r == -EEXIST && meta_bury(t, op.loc.mount, &op.p));
    r = pathop_make_end(t, &op, false, r);
    pathop_end(t, &op);
    return r;
}

long sys_symlink(struct task *t, uptr target, uptr path)
{
    return sys_symlinkat(t, target, AT_FDCWD, path);
}

// ---- Removing ----

// May the entry be removed from its directory?
static long may_remove(struct task *t, struct pathop *op)
{
    struct statx dir, st;
    if (fs_may_all(&t->cred))
        return 0;
    long r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
    if (r >= 0)
        r = meta_stat_dir(t, op->loc.mount, &op->p, &dir);
    return r < 0 ? r : may_delete(&t->cred, &dir, &st);
}

// Whatever it is?
static bool may_remove_any(struct task *t, struct pathop *op)
{
    const struct cred *c = &t->cred;
    struct statx dir;
    if (fs_may_all(c))
        return true;
    if (meta_stat_dir(t, op->loc.mount, &op->p, &dir) < 0 ||
        may_access(c, &dir, MAY_WRITE | MAY_EXEC) < 0)
        return false;
    return !(dir.stx_mode & S_ISVTX) || dir.stx_uid == c->fsuid || cred_has_cap(c, CAP_FOWNER);
}

// Names that cannot be removed, whatever they lead to.
static long is_no_name(struct task *t, const struct pathop *op, bool rmdir)
{
    struct statx st;
    switch (op->p.last) {
    case LAST_DOT:
        return rmdir ? -EINVAL : -EISDIR;
    case LAST_DOTDOT:
        return rmdir ? -ENOTEMPTY : -EISDIR;
    case LAST_ROOT:
        return rmdir ? -EBUSY : -EISDIR;
    }
    if (!pathop_is_root(t, op))
        return 0;
    // The root of a mount.
    if (mount_flags(t, pathop_name_mount(t, op)) & MS_RDONLY)
        return -EROFS;
    if (rmdir || meta_host_stat(&op->p, STATX_TYPE, &st) < 0)
        return -EBUSY;
    return (st.stx_mode & S_IFMT) == S_IFDIR ? -EISDIR : -EBUSY;
}

static long remove_entry(struct task *t, struct pathop *op, bool rmdir)
{
    return rmdir ? dirs_rmdir(t, &op->p) : name_unlink(t, &op->p, 0);
}

static long remove_in_proc(struct task *t, struct pathop *op, bool rmdir)
{
    struct statx dir, st;
    long r = meta_host_look(&op->p, &st);
    if (r >= 0)
        r = host_statx(op->p.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &dir);
    if (r < 0)
        return r;
    if (op->loc.must_be_dir && !rmdir)
        return (st.stx_mode & S_IFMT) == S_IFDIR ? -EISDIR : -ENOTDIR;
    return procfs_no_remove(t, op->loc.rel, &dir, &st, rmdir);
}

// Removes what the host alone decides on, and need not be looked at, by one who may remove all. It
// is announced before it is found out that it is so: who writes the first record that would have to
// be known waits for it (fs/sidelink.c). False: it has to be looked at.
static bool remove_unseen(struct task *t, struct pathop *op, bool rmdir, long *result)
{
    u32 records = records_changes(t);
    if (!rmdir)
        name_change_begin(t, &op->p);
    bool unseen = (rmdir || meta_names_none(t, &op->p)) && !attrstore_is_of(t, op->loc.mount) &&
                  !side_links_used(t, op->loc.mount) && !pathop_is_mount_point(t, op, false);
    if (unseen)
        *result = rmdir ? dirs_rmdir(t, &op->p) : HOST3(__NR_unlinkat, op->p.fd, op->p.name, 0);
    if (!rmdir)
        name_change_end(t, &op->p);
    if (!unseen || *result < 0)
        return unseen;
    if (!rmdir)
        meta_name_unseen(t, &op->p, records);
    way_name_removed(t, op->p.name);
    return true;
}

// any, records: as in remove_name(). *lock: of the name, or NULL. It stays for what has not its
// owner by its name, which then need not be looked at again; else the locks of inodes come first.
static long remove_seen(struct task *t, struct pathop *op, bool rmdir, bool any, u32 records,
                        u32 **lock)
{
    struct statx st;
    long r = meta_host_look(&op->p, &st);
    if (r < 0)
        return r;
    if (*lock && (meta_by_name(st.stx_mode) || is_marked_new(&st))) {
        reserved_release(*lock);
        *lock = NULL;
    }
    if (is_marked_new(&st) && meta_bury(t, op->loc.mount, &op->p))
        return -ENOENT;
    bool dir = (st.stx_mode & S_IFMT) == S_IFDIR;
    if (op->loc.must_be_dir && !rmdir)
        return dir ? -EISDIR : -ENOTDIR;
    r = any ? 0 : may_remove(t, op);
    if (r < 0)
        return r;
    if (dir == rmdir && pathop_is_mount_point(t, op, false))
        return -EBUSY;
    struct attrstore_going going;
    struct link_going names;
    bool known = !rmdir && op->p.over < OVER_LOWER && !*lock;
    if (known) {
        side_link_going(t, op->loc.mount, &op->p, &st, &names);
        st = names.was;
    }
    bool link = !rmdir && (st.stx_mode & S_IFMT) == S_IFLNK;
    attrstore_go(t, op->loc.mount, &op->p, &going);
    if (op->p.over)
        r = overlay_remove(t, &op->loc, &op->p, &st, rmdir);
    if (link)
        dirs_change_begin(t);
    if (!op->p.over)
        r = remove_entry(t, op, rmdir);
    if (link)
        dirs_change_end(t, NULL);
    if (r >= 0 && meta_by_name(st.stx_mode))
        meta_name_drop(&op->p);
    else if (r >= 0 && !dir)
        meta_name_unseen(t, &op->p, records);
    if (known)
        side_link_gone(t, op->loc.mount, &names, r >= 0);
    if (r >= 0)
        attrstore_gone(t, op->loc.mount, &going);
    return r;
}

static long remove_name(struct task *t, struct pathop *op, bool rmdir)
{
    u32 records = records_changes(t);
    long r = is_no_name(t, op, rmdir);
    if (r < 0)
        return r;
    if (pathop_mount_flags(t, op) & MS_RDONLY)
        return -EROFS;
    if (pathop_mount(t, op)->type == FS_PROC)
        return remove_in_proc(t, op, rmdir);
    if (op->p.over >= OVER_ABSENT)
        return -ENOENT;
    bool any = may_remove_any(t, op);
    if (!op->p.over && any && (rmdir || !op->loc.must_be_dir) && remove_unseen(t, op, rmdir, &r))
        return r;
    // Where there are records by inode.
    u32 *lock = any && !rmdir && !op->p.over && side_links_used(t, op->loc.mount)
                    ? meta_lock_name(t, &op->p)
                    : NULL;
    r = remove_seen(t, op, rmdir, any, records, &lock);
    if (lock)
        reserved_release(lock);
    return r;
}

long sys_unlinkat(struct task *t, int dirfd, uptr path, int flags)
{
    struct pathop op;
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    long r = pathop_begin(t, &op, dirfd, path, WALK_NAME);
    if (r < 0)
        return r;
    r = remove_name(t, &op, flags & AT_REMOVEDIR);
    pathop_end(t, &op);
    return r;
}

long sys_unlink(struct task *t, uptr path)
{
    return sys_unlinkat(t, AT_FDCWD, path, 0);
}

long sys_rmdir(struct task *t, uptr path)
{
    return sys_unlinkat(t, AT_FDCWD, path, AT_REMOVEDIR);
}

// ---- Links ----

// The existing file of a link(2): by name, or by the /proc name of a descriptor, which needs no
// privilege (open(2), O_TMPFILE).
static long host_link(const struct pathop *from, const struct pathop *to, bool by_fd)
{
    char name[FD_PATH_SIZE];
    if (by_fd || !*from->p.name) {
        fmt(name, sizeof name, FD_PATH, from->p.fd);
        return HOST5(__NR_linkat, AT_FDCWD, name, to->p.fd, to->p.name, AT_SYMLINK_FOLLOW);
    }
    return HOST5(__NR_linkat, from->p.fd, from->p.name, to->p.fd, to->p.name, 0);
}

// Where an object that is held without a name lies: links do not leave the guest's mount.
static int mount_of_object(struct task *t, const struct pathop *op)
{
    return *op->p.name ? op->loc.mount : mount_of_fd(t, op->p.fd);
}

// Linux: fs/namei.c, may_linkat(). Who does not own a file may give it another name only where he
// could as well read and write it, and where it grants no identity.
static long may_link(struct task *t, struct pathop *op)
{
    struct statx st;
    if (cred_has_cap(&t->cred, CAP_FOWNER))
        return 0;
    long r = meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st);
    if (r < 0 || st.stx_uid == t->cred.fsuid)
        return r;
    if ((st.stx_mode & S_IFMT) == S_IFREG && !(st.stx_mode & S_ISUID) &&
        (st.stx_mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
        may_access(&t->cred, &st, MAY_READ | MAY_WRITE) >= 0)
        return 0;
    return sysctl_number(t, "sys/fs/protected_hardlinks", 0) ? -EPERM : 0;
}

// May a be linked as b? may_make: what pathop_may_make() said of b, of which the lack of permission
// comes late. Linux: fs/namei.c, do_linkat() and vfs_link().
static long may_link_to(struct task *t, struct pathop *a, struct pathop *b, const struct statx *st,
                        long may_make)
{
    struct statx there;
    if (may_make < 0 && may_make != -EACCES)
        return may_make;
    long r = mount_of_object(t, a) == b->loc.mount ? may_link(t, a) : -EXDEV;
    if (r >= 0)
        r = may_make;
    if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFDIR)
        r = -EPERM;
    if (r < 0 && pathop_is_gone(b))
        r = -ENOENT; // the look-up of the new name comes first
    if (r < 0 && b->p.over < OVER_ABSENT) {
        long found = host_statx(b->p.fd, b->p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there);
        if (found >= 0 || found == -ENAMETOOLONG)
            r = found < 0 ? found : -EEXIST;
    }
    return r;
}

static long link_to(struct task *t, struct pathop *a, struct pathop *b, const struct statx *st,
                    bool by_fd)
{
    struct meta_named named;
    struct statx there;
    bool by_name = meta_by_name(st->stx_mode);
    u32 *lock = NULL, *name_lock = NULL;
    long r = 0;
    if (by_name) {
        lock = meta_lock_inode(t, st); // a change now would be for one name
        name_lock = meta_lock_name(t, &b->p);
        if (host_statx(b->p.fd, b->p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) >= 0 &&
            !meta_bury(t, b->loc.mount, &b->p))
            r = -EEXIST; // whose record is not to be touched
    }
    bool named_first = by_name && r >= 0;
    if (named_first) {
        meta_name_read(t, a->loc.mount, &a->p, st, &named);
        r = meta_name_write(t, b->loc.mount, &named, &a->p, &b->p);
    }
    if (r >= 0)
        r = host_link(a, b, by_fd);
    if (r == -EEXIST && !by_name && meta_bury(t, b->loc.mount, &b->p))
        r = host_link(a, b, by_fd);
    if (r < 0 && named_first)
        meta_name_drop(&b->p); // what is there has come since, and has no record
    if (name_lock)
        reserved_release(name_lock);
    if (lock)
        reserved_release(lock);
    return r;
}

long sys_linkat(struct task *t, int olddirfd, uptr oldpath, int newdirfd, uptr newpath, int flags)
{
    struct pathop a, b;
    struct statx dir, st;
    char first = 0;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if ((flags & AT_EMPTY_PATH) && copy_from_guest(&first, oldpath, 1))
        return -EFAULT;
    bool by_fd = (flags & AT_EMPTY_PATH) && !first;
    if (by_fd && !cred_has_cap(&t->cred, CAP_DAC_READ_SEARCH))
        return -ENOENT;
    int walk =
        (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW | WALK_OBJECT : 0) | (by_fd ? WALK_EMPTY : 0);
    long r = pathop_begin(t, &a, olddirfd, oldpath, walk);
    if (r < 0)
        return r;
    r = host_statx(a.p.fd, a.p.name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
    if (r >= 0 && a.loc.must_be_dir && (st.stx_mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR;
    if (r >= 0)
        r = pathop_begin_second(t, &b, &a, newdirfd, newpath);
    if (r >= 0) {
        r = may_link_to(t, &a, &b, &st, pathop_may_make(t, &b, false, &dir));
        if (r >= 0 && (b.p.over == OVER_UPPER || b.p.over == OVER_LOWER))
            r = -EEXIST;
        if (r >= 0)
            r = overlay_up(t, &a.loc, &a.p);
        if (r >= 0)
            r = pathop_make_begin(t, &b);
        if (r >= 0)
            r = pathop_make_end(t, &b, false, link_to(t, &a, &b, &st, by_fd));
        pathop_end(t, &b);
    }
    pathop_end(t, &a);
    return r;
}

long sys_link(struct task *t, uptr oldpath, uptr newpath)
{
    return sys_linkat(t, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

// Length of the link's text, not ended by 0.
static long read_link(struct task *t, struct pathop *op, char *link, size_t size)
{
    struct devlink d;
    struct statx st;
    long n = -EINVAL;
    if (op->path[0] && mount_at(t, MAX(op->loc.mount, 0))->type == FS_PROC) {
        n = procfs_readlink(t, op->loc.rel, link, size);
        if ((n >= 0 || n == -EXDEV) && op->loc.must_be_dir)
            return -ENOTDIR; // the link leads to no directory
        if (n == -EXDEV)
            return (long)strlen(link);
        long r = n == -EINVAL ? parent_open(t, &op->loc, &op->p) : 0;
        if (r < 0)
            return r;
    }
    if (n == -EINVAL) {
        n = host_readlinkat(op->p.fd, op->p.name, link, size);
        if (n == -ENOENT && op->path[0] && !*op->p.name)
            n = -EINVAL; // a mount's root; for the empty path the host's errno is right
    }
    if (n == -EINVAL && op->loc.must_be_dir) {
        n = host_statx(op->p.fd, op->p.name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_TYPE, &st);
        return n < 0 ? n : (st.stx_mode & S_IFMT) == S_IFDIR ? -EINVAL : -ENOTDIR;
    }
    if (n >= 0 && !*op->p.name && op->loc.must_be_dir)
        return -ENOTDIR;                              // "." from the descriptor of a link
    if (n >= 0 && devlink_parse(link, (size_t)n, &d)) // the empty path has an error of its own
        n = op->loc.must_be_dir ? -ENOTDIR : op->path[0] ? -EINVAL : -ENOENT;
    return n > 0 ? device_link_to_guest(link, (size_t)n) : n;
}

long sys_readlinkat(struct task *t, int dirfd, uptr path, uptr buf, int size)
{
    char link[LX_PATH_MAX];
    struct pathop op;
    if (size <= 0)
        return -EINVAL;
    long n = pathop_begin(t, &op, dirfd, path, WALK_EMPTY | WALK_PROC_LOC);
    if (n < 0)
        return n;
    if (!op.path[0] && dirfd == AT_FDCWD)
        n = -ENOENT;
    else
        n = read_link(t, &op, link, sizeof link);
    pathop_end(t, &op);
    if (n < 0)
        return n;
    n = MIN(n, (long)size);
    return copy_to_guest(buf, link, (size_t)n) ? -EFAULT : n;
}

long sys_readlink(struct task *t, uptr path, uptr buf, int size)
{
    char first;
    // Unlike readlinkat, "" is an error here.
    if (copy_from_guest(&first, path, 1))
        return -EFAULT;
    if (size <= 0)
        return -EINVAL;
    return first ? sys_readlinkat(t, AT_FDCWD, path, buf, size) : -ENOENT;
}
