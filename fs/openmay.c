// SPDX-License-Identifier: MIT
// What an open is permitted, by the attributes that the guest sees, and whether what was opened is
// what was looked at. Linux: fs/namei.c, may_open() and may_create_in_sticky().
#include <linux/capability.h>

#include "attr.h"
#include "fs.h"
#include "host.h"
#include "meta.h"
#include "open.h"
#include "overlay.h"

int open_wants(u64 flags)
{
    static const int want[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
    return want[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

bool mount_has_own_numbers(struct task *t, int mount)
{
    return mount_at(t, MAX(mount, 0))->type == FS_DEVFS;
}

static void note_checked(struct task *t, const struct loc *loc, const struct parent *p,
                         const struct statx *st, struct open_checked *c)
{
    if (mount_has_own_numbers(t, loc->mount))
        return;
    c->st = *st;
    c->watched &= p->kept && p->kept == loc->kept;
}

bool open_is_same(int fd, const struct statx *as)
{
    struct statx st;
    return host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) < 0 || is_same_inode(&st, as);
}

bool open_is_checked(struct task *t, int fd, const struct open_checked *c)
{
    return !c->st.stx_ino || (c->watched && name_stayed(t, &c->name)) || open_is_same(fd, &c->st);
}

// Is there nothing that an open with these flags could be refused, and no set-id bit that a write
// takes away (Linux: fs/inode.c, setattr_should_drop_suidgid())?
static bool passes_all(const struct cred *c, u64 flags)
{
    return (flags & O_PATH) ||
           (fs_unchecked(c) && (!(flags & O_NOATIME) || cred_has_cap(c, CAP_FOWNER)) &&
            (!(open_wants(flags) & MAY_WRITE) || cred_has_cap(c, CAP_FSETID)));
}

long open_check(struct task *t, struct loc *loc, u64 flags, struct open_checked *c)
{
    struct parent p;
    struct statx st;
    c->st.stx_ino = 0;
    if (passes_all(&t->cred, flags))
        return 0;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    temps_begin(t); // for name_watch()
    // A link that is to be followed is the walk's, whosoever it is.
    bool follow = !loc->walked && !(flags & O_NOFOLLOW);
    c->watched = name_watch(t, loc->mount, &p, &c->name);
    const u32 mask = STATX_BASIC_STATS | META_HOSTS_NUMBERS;
    r = meta_stat(t, loc->mount, &p, mask | (follow ? META_NO_LINK : 0), &st);
    if (r >= 0)
        note_checked(t, loc, &p, &st, c);
    // A whiteout has come since the walk.
    if (r >= 0 && p.over && (st.stx_mode & S_IFMT) == S_IFCHR && !st.stx_rdev_major &&
        !st.stx_rdev_minor)
        r = -ESTALE;
    if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFLNK) {
        int want = open_wants(flags);
        bool dir = (st.stx_mode & S_IFMT) == S_IFDIR;
        if (dir && ((want & MAY_WRITE) || (flags & O_CREAT)))
            r = -EISDIR;
        else if (!dir && (loc->must_be_dir || (flags & O_DIRECTORY)))
            r = -ENOTDIR;
        else
            r = may_access(&t->cred, &st, want);
        if (r >= 0 && (flags & O_NOATIME) && !inode_owner_or_capable(&t->cred, &st))
            r = -EPERM;
        if (r >= 0 && (want & MAY_WRITE) && loc->over != OVER_LOWER)
            r = meta_witness(t, loc->mount, &p, &st);
    }
    temps_end(t);
    parent_done(t, &p);
    return r;
}

// Linux: fs/namei.c, may_create_in_sticky().
long may_create_in_sticky(struct task *t, struct loc *loc)
{
    struct parent p;
    struct statx dir, st;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    r = *p.name ? meta_stat_dir(t, loc->mount, &p, &dir) : -ENOENT;
    if (r >= 0)
        r = dir.stx_mode & S_ISVTX ? meta_stat(t, loc->mount, &p, STATX_BASIC_STATS, &st) : -ENOENT;
    parent_done(t, &p);
    if (r < 0 || st.stx_uid == dir.stx_uid || st.stx_uid == t->cred.fsuid)
        return 0;
    u32 type = st.stx_mode & S_IFMT;
    long level = type == S_IFREG   ? sysctl_number(t, "sys/fs/protected_regular", 0)
                 : type == S_IFIFO ? sysctl_number(t, "sys/fs/protected_fifos", 0)
                 : type == S_IFDIR ? 0
                                   : 1;
    return (level > 0 && (dir.stx_mode & 0002)) ||
                   (level > 1 && (dir.stx_mode & 0020) && type != S_IFSOCK)
               ? -EACCES
               : 0;
}

// Where others can put no FIFO, which a kept directory tells without a host call, there is nothing
// to look at.
long may_wait_in_sticky(struct task *t, struct loc *loc)
{
    struct parent p;
    struct statx dir, st;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return 0; // told later
    bool fifo = *p.name && meta_stat_dir(t, loc->mount, &p, &dir) >= 0 &&
                (dir.stx_mode & S_ISVTX) &&
                host_statx(p.fd, p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0 &&
                (st.stx_mode & S_IFMT) == S_IFIFO;
    parent_done(t, &p);
    return fifo ? may_create_in_sticky(t, loc) : 0;
}
