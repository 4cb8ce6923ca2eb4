// SPDX-License-Identifier: MIT
// What O_CREAT and O_TMPFILE make: a regular file with its owner, mode and ACL, in an overlay too.
// What other calls make (mknod, mkdir, symlink): syscalls/names.c.
#include <linux/mount.h>

#include "fs.h"
#include "host.h"
#include "meta.h"
#include "open.h"
#include "overlay.h"
#include "xattr.h"

// What O_CREAT makes of a path that ends in "." or "..", or in a link's slash: there is a
// directory, or nothing can be made.
static long create_dir(const struct parent *p, const struct loc *loc, u64 flags)
{
    struct statx st;
    if (!loc->dots && *p->name)
        return -EISDIR;
    long r = host_statx(p->fd, p->name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    if (r < 0)
        return r;
    if ((st.stx_mode & S_IFMT) == S_IFLNK && !loc->walked)
        return -ELOOP; // "link/.": what it leads to
    if ((st.stx_mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    return flags & O_EXCL ? -EEXIST : -EISDIR;
}

// The mode of a new file (the one asked for less the umask), and whose it is; the directory's
// attributes decide with.
static struct meta_new new_file(struct task *t, const struct statx *dir, u32 mode,
                                const struct acl_new *acl)
{
    struct meta_new n = {.mode = mode | S_IFREG, .acl = acl};
    meta_new_owner(t, dir, &n);
    return n;
}

static long created(struct task *t, const struct loc *loc, long fd, const struct meta_new *n)
{
    if (fd < 0)
        return fd;
    long r = meta_created_fd(t, loc->mount, (int)fd, n);
    if (r >= 0)
        return fd;
    host_close((int)fd);
    return r;
}

// What is there already is told before what is not permitted.
static long may_create(struct task *t, const struct loc *loc, const struct parent *p,
                       const struct statx *dir)
{
    struct statx st;
    long r = loc_is_read_only(t, loc) ? -EROFS : may_access(&t->cred, dir, MAY_WRITE | MAY_EXEC);
    if (r < 0 && host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0)
        r = -EEXIST;
    // A removed directory comes before its permission (fs/namei.c, may_create()).
    if (r == -EACCES && host_statx(p->fd, "", AT_EMPTY_PATH, STATX_NLINK, &st) >= 0 &&
        !st.stx_nlink)
        r = -ENOENT;
    return r;
}

// In the place of an overlay's whiteout: made in the directory for work, then moved.
static __attribute__((noinline)) long create_over(struct task *t, struct loc *loc, u64 flags,
                                                  const struct meta_new *n,
                                                  struct overlay_make *over)
{
    struct loc work = {.mount = loc->mount, .base = overlay_work(t, loc->mount)};
    str_copy(work.rel, over->name, sizeof work.rel);
    long fd = host_open_loc(t, &work, flags, meta_create_mode(t, loc->mount, n), 0);
    fd = created(t, loc, fd, n);
    if (fd < 0)
        return fd;
    struct parent p = {.fd = work.base, .name = over->name};
    long r = parent_open(t, loc, &over->final);
    if (r >= 0) {
        r = overlay_make_end(t, loc, &p, over, false, 0);
        parent_done(t, &p);
    }
    if (r >= 0)
        return fd;
    host_close((int)fd);
    return r;
}

long open_create(struct task *t, struct loc *loc, u64 flags, u32 mode)
{
    struct parent p;
    struct overlay_make over;
    struct statx dir;
    struct acl_new acl;
    struct own_name own;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    if (!*p.name || loc->must_be_dir)
        r = create_dir(&p, loc, flags);
    else
        r = meta_stat_dir(t, loc->mount, &p, &dir);
    if (r >= 0)
        r = may_create(t, loc, &p, &dir);
    if (r >= 0)
        mode = acl_inherit(t, loc->mount, &p, meta_new_mode(t, &dir, mode), &acl);
    if (r >= 0)
        r = overlay_make_begin(t, loc, &p, &over);
    name_own_begin(t, loc->mount, &p, &own);
    // No temporary is held while the descriptor is made: it is to be the lowest.
    if (r >= 0 && over.white)
        parent_done(t, &over.final);
    else
        parent_done(t, &p);
    if (r < 0)
        return r;
    struct meta_new n = new_file(t, &dir, mode, &acl);
    flags |= O_CREAT | O_EXCL;
    if (over.white)
        return create_over(t, loc, flags, &n, &over);
    r = host_open_loc(t, loc, flags, meta_create_mode(t, loc->mount, &n), 0);
    r = created(t, loc, r, &n);
    if (r >= 0)
        name_own_end(t, &own, 0);
    return r;
}

long open_tmpfile(struct task *t, struct loc *loc, u64 flags, u32 mode)
{
    struct parent p;
    struct statx dir;
    struct acl_new acl;
    long r;
    if (loc_is_read_only(t, loc)) { // told of directories only (Linux: fs/namei.c, do_tmpfile())
        r = host_open_loc(t, loc, O_PATH | O_DIRECTORY | (flags & O_NOFOLLOW), 0, 0);
        if (r >= 0)
            host_close((int)r);
        return r < 0 ? r : -EROFS;
    }
    r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    r = meta_stat(t, loc->mount, &p, STATX_BASIC_STATS, &dir);
    if (r >= 0)
        mode = acl_inherit_in(t, loc->mount, &p, meta_new_mode(t, &dir, mode), &acl);
    if (r >= 0 && (dir.stx_mode & S_IFMT) == S_IFDIR)
        r = may_access(&t->cred, &dir, MAY_WRITE | MAY_EXEC);
    if (r >= 0 && (dir.stx_mode & S_IFMT) == S_IFDIR)
        r = overlay_up(t, loc, &p);
    parent_done(t, &p);
    if (r < 0)
        return r;
    struct meta_new n = new_file(t, &dir, mode, &acl);
    r = host_open_loc(t, loc, flags, meta_create_mode(t, loc->mount, &n), 0);
    return created(t, loc, r, &n);
}
