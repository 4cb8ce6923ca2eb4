// SPDX-License-Identifier: MIT
// Guest metadata of new inodes: what they are to be, and how they come to be so.
//
// A new inode gets its attribute a moment after its name. Until then others must not take the
// host's view for the truth: PostgreSQL's processes use each other's files and directories in that
// moment. A file is created with the host's S_ISVTX, which has no meaning there and stays, and with
// its witness: a chmod would change the times that tell an unfinished file from the host's. A
// directory is created with UNFINISHED_DIR, until it has its attribute. Who finds one of these
// without waits (fs/meta.c). What has its owner by name has its record before (fs/side.c).
//
// An inode whose maker was killed in between does not count, and who meets it removes it
// (meta_bury). It is told from what the host may have put there by its times, which are all the
// same; from one whose maker is only slow, where it is a file, by the maker's having it open. The
// maker of a directory, or of a node, holds a lock of its name from before it is there until it is
// finished (meta_make_begin). Should it have waited too long for that, it finds out that what it
// made was removed, and makes it again.
#include <linux/capability.h>
#include <linux/mount.h>

#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

#define MAKING_WAITS 20000 // should the clock be set back

u32 meta_new_mode(const struct task *t, const struct statx *dir, u32 mode)
{
    bool given = (dir->stx_mode & S_ISGID) && (mode & S_ISGID) && (mode & S_IXGRP);
    mode &= MODE_BITS;
    if (given && !cred_in_group(&t->cred, dir->stx_gid) && !cred_has_cap(&t->cred, CAP_FSETID))
        mode &= ~(u32)S_ISGID;
    return mode;
}

void meta_new_owner(struct task *t, const struct statx *dir, struct meta_new *n)
{
    n->uid = t->cred.fsuid;
    n->gid = t->cred.fsgid;
    if (dir->stx_mode & S_ISGID) {
        n->gid = dir->stx_gid;
        if ((n->mode & S_IFMT) == S_IFDIR)
            n->mode |= S_ISGID;
    }
}

// Do its host owner and mode, made with meta_host_mode(), tell all of it already?
static bool told_by_host(struct task *t, int mount, const struct meta_new *n)
{
    return !n->uid && !n->gid && (n->mode & MODE_BITS) == meta_host_mode(n->mode) &&
           !mount_at(t, MAX(mount, 0))->drive.on &&
           !(n->acl && n->acl->size && carries_attr(n->mode));
}

u32 meta_create_mode(struct task *t, int mount, const struct meta_new *n)
{
    u32 host_mode = meta_host_mode(n->mode);
    if (mount_at(t, MAX(mount, 0))->type == FS_DRIVE && (n->mode & S_IFMT) == S_IFREG)
        return n->mode & 0777; // a file that nobody is to write shows so
    if (told_by_host(t, mount, n) || !meta_is_kept(t, mount))
        return host_mode;
    if (meta_by_name(n->mode))
        return host_mode;
    if ((n->mode & S_IFMT) == S_IFDIR)
        return UNFINISHED_DIR;
    return needs_witness(t, n->mode) ? witness_mode(n->mode) : host_mode | S_ISVTX;
}

static struct attr attr_of_new(const struct task *t, const struct meta_new *n)
{
    return (struct attr){.uid = n->uid,
                         .gid = n->gid,
                         .mode = n->mode & MODE_BITS,
                         .type = n->mode & S_IFMT,
                         .has_acl = acl_is_given(n->mode, n->acl),
                         .witnessed = needs_witness(t, n->mode)};
}

u32 *meta_make_begin(struct task *t, int mount, const struct parent *p, const struct meta_new *n)
{
    return told_by_host(t, mount, n) || !meta_is_kept(t, mount) ? NULL : meta_lock_name(t, p);
}

void meta_make_end(u32 *lock)
{
    if (lock)
        reserved_release(lock);
}

// A file system without attributes shows the host's view.
static long not_kept(long r)
{
    return r == -EOPNOTSUPP ? 0 : r;
}

// The attribute comes last: with it the inode is finished.
long meta_created(struct task *t, int mount, const struct parent *p, const struct meta_new *n)
{
    char value[ATTR_SIZE];
    if (!meta_is_kept(t, mount))
        return 0;
    if (attrstore_is_of(t, mount))
        attrstore_new(p);
    if (told_by_host(t, mount, n))
        return 0;
    struct attr a = attr_of_new(t, n);
    long r = acl_give(p, n->mode, n->acl);
    if (r >= 0)
        r = host_setxattr_at(p, META_XATTR, value, attr_format(value, &a), 1 /* XATTR_CREATE */);
    if (r >= 0 && (n->mode & S_IFMT) == S_IFDIR)
        host_chmod_at(p, meta_host_mode(n->mode));
    if (n->acl)
        dir_attr_changed(t);
    return not_kept(r);
}

long meta_created_fd(struct task *t, int mount, int fd, const struct meta_new *n)
{
    char value[ATTR_SIZE];
    if (attrstore_is_of(t, mount))
        attrstore_new(&(struct parent){.fd = fd, .name = ""});
    if (told_by_host(t, mount, n) || !meta_is_kept(t, mount))
        return 0;
    struct attr a = attr_of_new(t, n);
    long r = acl_give_fd(fd, n->mode, n->acl);
    if (r >= 0)
        r = host_fsetxattr(fd, META_XATTR, value, attr_format(value, &a), 0);
    if (r == -EOPNOTSUPP)
        HOST2(__NR_fchmod, fd, meta_host_mode(n->mode));
    return not_kept(r);
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

// Never written, read or linked since it was made; and not changed either, but for the ACLs that it
// is to have.
static bool is_untouched(const struct parent *p, const struct statx *st)
{
    bool born = st->stx_mask & STATX_BTIME;
    if (!is_marked_new(st) || !same_time(&st->stx_mtime, &st->stx_atime) ||
        (born && !same_time(&st->stx_mtime, &st->stx_btime)) ||
        ((st->stx_mode & S_IFMT) == S_IFREG && st->stx_nlink != 1))
        return false;
    return same_time(&st->stx_ctime, &st->stx_mtime) ||
           host_getxattr_at(p, ACL_HOST_ACCESS, NULL, 0) >= 0 ||
           host_getxattr_at(p, ACL_HOST_DEFAULT, NULL, 0) >= 0;
}

// Has any process the file open? A write lease is only given when nobody else has (fcntl(2)). This
// process has no lock on it that closing it would drop: it has not been there for anybody yet.
static bool is_open(struct task *t, const struct parent *p)
{
    long fd = temp_open(t, p->fd, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, RESOLVE_BENEATH);
    if (fd < 0)
        return true;
    long r = file_lease(t, (int)fd, F_WRLCK);
    temp_close(t, (int)fd);
    return r < 0;
}

// Is it untouched and without an attribute? *st: what it is.
static bool is_unfinished(const struct parent *p, struct statx *st)
{
    char value[ATTR_SIZE];
    return host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, st) >=
               0 &&
           is_untouched(p, st) && host_getxattr_at(p, META_XATTR, value, sizeof value) == -ENODATA;
}

void meta_wait_made(struct task *t, int mount, const struct parent *p)
{
    struct statx st;
    for (u32 tries = 0; meta_is_kept(t, mount) && tries < MAKING_WAITS && is_unfinished(p, &st) &&
                        attr_changed_within(&st, UNFINISHED_FOR);
         tries++)
        patience_step(tries);
}

bool meta_bury(struct task *t, int mount, const struct parent *p)
{
    struct statx st, now;
    bool dead = false;
    if (!*p->name || !strcmp(p->name, ".") || !meta_is_kept(t, mount) || !is_unfinished(p, &st))
        return false;
    bool dir = (st.stx_mode & S_IFMT) == S_IFDIR;
    if (!dir && is_open(t, p))
        return false;
    // Its maker, if there is one, has done by then; and nobody changes it.
    u32 *lock = meta_lock_inode(t, &st), *making = meta_lock_name(t, p);
    // Still the same, without an attribute?
    if (host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_INO, &now) < 0)
        dead = true;
    else if (is_unfinished(p, &now) && now.stx_ino == st.stx_ino)
        dead = (mount_flags(t, MAX(mount, 0)) & MS_RDONLY) || // it does not count
               name_unlink(t, p, dir ? AT_REMOVEDIR : 0) >= 0;
    meta_make_end(making);
    meta_make_end(lock);
    return dead;
}
