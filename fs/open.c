// SPDX-License-Identifier: MIT
// open(2) in guest terms. The final host call resolves the whole symlink-free way at once, so that
// the descriptor it returns is the lowest free one, as Linux promises.
#include <linux/capability.h>
#include <linux/mount.h>

#include "attr.h"
#include "fs.h"
#include "host.h"
#include "meta.h"
#include "overlay.h"
#include "reach.h"
#include "xattr.h"

static int wanted_access(u64 flags)
{
    static const int want[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
    return want[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

// A new pseudo terminal belongs to who opened it (devpts's uid= of the opener, gid=5, mode=620).
static void own_pts(struct task *t, int master)
{
    u32 n;
    if (HOST3(__NR_ioctl, master, 0x80045430 /* TIOCGPTN */, &n) < 0)
        return;
    t->instance->pts[n % PTS_MAX] = (struct pts_owner){1, t->cred.fsuid, 5, 0620};
}

static long open_device(struct task *t, u32 type, u32 major, u32 minor, u64 flags)
{
    const char *path = type == S_IFCHR ? device_host_path(major, minor) : NULL;
    if (!path)
        return -ENXIO;
    // The host's node is another's: O_NOATIME would be refused.
    long fd = HOST_INTR4(__NR_openat, AT_FDCWD, path,
                         flags & ~(u64)(O_CREAT | O_EXCL | O_TRUNC | O_NOATIME), 0);
    if (fd >= 0 && major == 5 && minor == 2)
        own_pts(t, (int)fd);
    return fd;
}

// Opening what loc.base itself is (".", a bound file, a descriptor's own path in /proc). dir: only
// a directory, as a slash at the end says it, which follows whatever the flags are. The flags are
// the guest's own: F_GETFL shows O_DIRECTORY and O_NOFOLLOW.
static long reopen(int base, u64 flags, u64 mode, bool dir)
{
    char path[FD_PATH_SIZE + 1];
    if (base == AT_FDCWD)
        return HOST_INTR4(__NR_openat, base, ".", flags, mode);
    if (dir || (flags & (O_NOFOLLOW | O_CREAT)) == O_NOFOLLOW) {
        fmt(path, sizeof path, FD_PATH "/", base);
        long r = HOST_INTR4(__NR_openat, AT_FDCWD, path, flags, mode);
        if (dir || r != -ENOTDIR)
            return r;
    }
    fmt(path, sizeof path, FD_PATH, base);
    return HOST_INTR4(__NR_openat, AT_FDCWD, path, flags & ~(u64)O_NOFOLLOW, mode);
}

// The directory of loc, if it is kept open, or is to be from now on; 0: it is not. An error of the
// way to it is one of the open's too. In its place nobody puts another while it is in use. (The
// whole block may move while the open waits, for a FIFO: as with the number of a mount's root,
// fs_open() looks at that.)
static int kept_dir_of(struct task *t, struct loc *loc, const char **name)
{
    struct dir_key key;
    char *slash = strrchr(loc->rel, '/');
    if (!slash)
        return 0;
    *name = slash + 1;
    if (loc->kept)
        return loc->kept;
    int kept = dir_kept(t, loc, (size_t)(slash - loc->rel), &key);
    if (kept || !dir_wanted(t, &key))
        return kept;
    *slash = 0;
    long fd = temp_open(t, loc->base, loc->rel, O_PATH | O_DIRECTORY, WALK_RESOLVE);
    *slash = '/';
    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? (int)fd : 0;
    kept = dir_keep(t, &key, (int)fd);
    temp_close(t, (int)fd);
    return kept;
}

static long host_open_loc(struct task *t, struct loc *loc, u64 flags, u64 mode, u64 resolve)
{
    const char *name;
    if (!loc->rel[0]) // the guest's descriptor need not be a directory
        return reopen(loc->base, flags, mode, loc->must_be_dir && !(flags & O_CREAT));
    // By its name alone: a link is ELOOP as below, but not together with these flags.
    bool alone = !(flags & (O_PATH | O_DIRECTORY)) && !resolve && !loc->must_be_dir;
    int kept = alone ? kept_dir_of(t, loc, &name) : 0;
    if (kept < 0)
        return kept;
    if (kept) {
        // Not by O_NOFOLLOW, which F_GETFL would show.
        struct open_how by_name = {.flags = flags, .mode = mode, .resolve = RESOLVE_NO_SYMLINKS};
        long r = HOST_INTR4(__NR_openat2, dir_fd(t, kept), name, &by_name, sizeof by_name);
        if (kept != loc->kept)
            dir_release(t, kept);
        return r;
    }
    if (loc->walked && loc->object && (flags & O_PATH))
        flags |= O_NOFOLLOW;
    struct open_how how = {.flags = flags, .mode = mode, .resolve = WALK_RESOLVE | resolve};
    if (loc->must_be_dir && !(flags & O_CREAT)) {
        // A trailing slash follows a link whatever O_NOFOLLOW says: ELOOP asks for a slow walk.
        size_t n = strlen(loc->rel);
        if (n + 1 < sizeof loc->rel) {
            memcpy(loc->rel + n, "/", 2);
            long r = HOST_INTR4(__NR_openat2, loc->base, loc->rel, &how, sizeof how);
            loc->rel[n] = 0;
            return r;
        }
        how.flags |= O_DIRECTORY;
        how.flags &= ~(u64)O_NOFOLLOW;
    }
    return HOST_INTR4(__NR_openat2, loc->base, loc->rel, &how, sizeof how);
}

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

static bool read_only(struct task *t, const struct loc *loc)
{
    return mount_at(t, MAX(loc->mount, 0))->flags & MS_RDONLY;
}

// What is there already is told before what is not permitted.
static long may_create(struct task *t, const struct loc *loc, const struct parent *p,
                       const struct statx *dir)
{
    struct statx st;
    long r = read_only(t, loc) ? -EROFS : may_access(&t->cred, dir, MAY_WRITE | MAY_EXEC);
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

// Creates the file at loc, which must not be there yet. -EEXIST: it is.
static long create(struct task *t, struct loc *loc, u64 flags, u32 mode)
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

// A tmpfile lies in directory loc; its attribute goes on at once, it has no name yet.
static long open_tmpfile(struct task *t, struct loc *loc, u64 flags, u32 mode)
{
    struct parent p;
    struct statx dir;
    struct acl_new acl;
    long r;
    if (read_only(t, loc)) { // told of directories only (Linux: fs/namei.c, do_tmpfile())
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

// Which inode was asked for; nothing where none was.
struct checked {
    struct statx st;  // ino 0: none
    u32 index, count; // with watched: of the changes of its name, in a directory that is held
    bool watched;
};

// Are inodes shown with other numbers than the host's?
static bool has_own_numbers(struct task *t, int mount)
{
    u32 type = mount_at(t, MAX(mount, 0))->type;
    return type == FS_OVERLAY || type == FS_DEVFS;
}

static void note_checked(struct task *t, const struct loc *loc, const struct parent *p,
                         const struct statx *st, struct checked *c)
{
    if (has_own_numbers(t, loc->mount))
        return;
    c->st = *st;
    c->watched &= p->kept && p->kept == loc->kept;
    c->index = name_changes_index(p->name);
}

// Is fd open on the inode that was looked at? By now its name can be another's.
static bool is_same(int fd, const struct statx *as)
{
    struct statx st;
    return host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) < 0 ||
           (st.stx_ino == as->stx_ino && st.stx_dev_major == as->stx_dev_major &&
            st.stx_dev_minor == as->stx_dev_minor);
}

static bool is_checked(struct task *t, int fd, const struct checked *c)
{
    return !c->st.stx_ino || (c->watched && name_changes_none(t, c->index, c->count)) ||
           is_same(fd, &c->st);
}

// Is there nothing that an open with these flags could be refused, and no set-id bit that a write
// takes away (fs/inode.c, setattr_should_drop_suidgid())?
static bool passes_all(const struct cred *c, u64 flags)
{
    return (flags & O_PATH) ||
           (fs_unchecked(c) && (!(flags & O_NOATIME) || cred_has_cap(c, CAP_FOWNER)) &&
            (!(wanted_access(flags) & MAY_WRITE) || cred_has_cap(c, CAP_FSETID)));
}

// Permission of an existing file, for those that have no capability to pass every check.
static long check_access(struct task *t, struct loc *loc, u64 flags, struct checked *c)
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
    c->watched = name_watch(t, loc->mount, &p, &c->count);
    r = meta_stat(t, loc->mount, &p, STATX_BASIC_STATS | (follow ? META_NO_LINK : 0), &st);
    if (r >= 0)
        note_checked(t, loc, &p, &st, c);
    if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFLNK) {
        int want = wanted_access(flags);
        bool dir = (st.stx_mode & S_IFMT) == S_IFDIR;
        if (dir && ((want & MAY_WRITE) || (flags & O_CREAT)))
            r = -EISDIR;
        else if (!dir && (loc->must_be_dir || (flags & O_DIRECTORY)))
            r = -ENOTDIR;
        else
            r = may_access(&t->cred, &st, want);
        if (r >= 0 && (flags & O_NOATIME) && st.stx_uid != t->cred.fsuid &&
            !cred_has_cap(&t->cred, CAP_FOWNER))
            r = -EPERM;
        if (r >= 0 && (want & MAY_WRITE) && loc->over != OVER_LOWER)
            r = meta_witness(t, loc->mount, &p, &st);
    }
    temps_end(t);
    parent_done(t, &p);
    return r;
}

// O_CREAT of what is there already, by another than its owner, in a directory where anybody can put
// something: Linux: fs/namei.c, may_create_in_sticky().
static long may_create_in_sticky(struct task *t, struct loc *loc)
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

// The same before an open that would wait for the other end of a FIFO. Where others can put none,
// which a kept directory tells without a host call, there is nothing to look at.
static long may_wait_in_sticky(struct task *t, struct loc *loc)
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

// Removes what an unfinished creation left there.
static bool bury(struct task *t, struct loc *loc)
{
    struct parent p;
    if (parent_open(t, loc, &p) < 0)
        return false;
    bool dead = meta_bury(t, loc->mount, &p);
    parent_done(t, &p);
    return dead;
}

// What O_TRUNC asks for. A descriptor of access mode 3 (ioctl only; open(2)) cannot be written by.
static long cut(int fd, u64 flags)
{
    char path[FD_PATH_SIZE];
    if ((flags & O_ACCMODE) != O_ACCMODE)
        return HOST2(__NR_ftruncate, fd, 0);
    fmt(path, sizeof path, FD_PATH, fd);
    return HOST2(__NR_truncate, path, 0);
}

// Opening an existing file for writing: not while a process runs it (ETXTBSY). The look comes
// before O_TRUNC does its work. It costs a statx, and a ftruncate for O_TRUNC; plain reads pay
// nothing.
static long open_existing(struct task *t, struct loc *loc, u64 flags, u64 resolve, bool create,
                          const struct checked *c)
{
    struct statx st;
    bool writes = (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
    long fd = host_open_loc(t, loc, writes ? flags & ~(u64)O_TRUNC : flags, 0, resolve);
    if ((fd >= 0 || fd == -ENXIO) && create && !(flags & O_PATH) &&
        may_create_in_sticky(t, loc) < 0) {
        if (fd >= 0)
            host_close((int)fd);
        return -EACCES;
    }
    if (fd >= 0 && !is_checked(t, (int)fd, c)) {
        host_close((int)fd);
        return -ESTALE;
    }
    if (fd < 0 || !writes)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH,
                        STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE, &st);
    if (r >= 0 && is_marked_new(&st) && host_fgetxattr((int)fd, META_XATTR, NULL, 0) == -ENODATA) {
        host_close((int)fd); // or it would count as open
        return bury(t, loc) ? -ENOENT : host_open_loc(t, loc, flags, 0, resolve);
    }
    if (r >= 0 && (st.stx_mode & S_IFMT) == S_IFREG) {
        u64 dev = (u64)st.stx_dev_major << 32 | st.stx_dev_minor;
        if (reach_runs_file(t, dev, st.stx_ino))
            r = -ETXTBSY;
        else if (flags & O_TRUNC)
            r = cut((int)fd, flags);
    }
    if (r < 0) {
        host_close((int)fd);
        return r;
    }
    return fd;
}

// A file of an overlay's lower layer is to be written: it is copied up first.
static long bring_up(struct task *t, struct loc *loc, u64 flags, struct checked *c)
{
    struct parent p;
    struct statx st;
    if (loc->over != OVER_LOWER || (flags & O_PATH) || !(wanted_access(flags) & MAY_WRITE))
        return 0;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    r = host_statx(p.fd, p.name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    bool file = r >= 0 && (st.stx_mode & S_IFMT) == S_IFREG;
    if (file)
        r = overlay_copy_up(t, loc, &p);
    parent_done(t, &p);
    return r < 0 || !file ? r : check_access(t, loc, flags, c);
}

// May the file or directory that a magic link of /proc leads to be opened so? *st: which it is, or
// nothing that has to be asked for (a pipe's owner the host knows alone). It is looked at by a
// descriptor that is closed again before the open: that one is to get the lowest number.
static __attribute__((noinline)) long may_follow_magic(struct task *t, const struct loc *loc,
                                                       u64 flags, struct statx *st)
{
    struct loc there;
    int want = wanted_access(flags);
    st->stx_ino = 0;
    if ((flags & O_PATH) || (fs_unchecked(&t->cred) && !(want & MAY_WRITE)))
        return 0;
    long fd = temp_open(t, loc->base, loc->rel, O_PATH, 0);
    if (fd < 0)
        return fd;
    long r = loc_of_fd(t, (int)fd, &there); // of a removed file: which mount it was in
    bool mounted = r >= 0;
    r = meta_fstat(t, (int)fd, STATX_BASIC_STATS, st);
    if (r >= 0 && !carries_attr(st->stx_mode)) {
        st->stx_ino = 0;
    } else if (r >= 0) {
        struct parent p = {.fd = (int)fd, .name = ""};
        bool dir = (st->stx_mode & S_IFMT) == S_IFDIR;
        r = dir && (want & MAY_WRITE) ? -EISDIR : may_access(&t->cred, st, want);
        if (r >= 0 && mounted && (want & MAY_WRITE))
            r = read_only(t, &there) ? -EROFS : meta_witness(t, there.mount, &p, st);
    }
    temp_close(t, (int)fd);
    return r;
}

// The magic link at the end of a way in /proc is the host's to follow. Before the end there must be
// none: it would lead out. (What is a directory in /proc stays one. The parent is not held: the
// open may wait for another guest thread.)
static long follow_magic(struct task *t, struct loc *loc, u64 flags)
{
    struct parent p;
    struct statx st;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    parent_done(t, &p);
    // Later, where it can be done by the descriptor: it may be another file by then.
    u64 trunc = flags & O_ACCMODE ? flags & O_TRUNC : 0;
    for (int tries = 0; tries < 100; tries++) {
        r = may_follow_magic(t, loc, flags, &st);
        if (r < 0)
            return r;
        if (!st.stx_ino)
            return HOST_INTR4(__NR_openat, loc->base, loc->rel, flags, 0);
        r = HOST_INTR4(__NR_openat, loc->base, loc->rel, flags & ~trunc, 0);
        if (r < 0)
            return r;
        if (is_same((int)r, &st)) {
            long done = trunc ? cut((int)r, flags) : 0;
            if (done >= 0)
                return r;
            host_close((int)r);
            return done;
        }
        host_close((int)r); // another thread has put it on that number
    }
    return -EACCES;
}

// To be written or made in a mount that is read-only: what the name is and permits comes before
// that. 0: a link, or nothing that is written here.
static __attribute__((noinline)) long open_read_only(struct task *t, struct loc *loc, u64 flags)
{
    struct statx st;
    struct parent p;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return 0; // and is told by the open
    temps_begin(t);
    r = meta_stat(t, loc->mount, &p, STATX_BASIC_STATS, &st);
    temps_end(t);
    parent_done(t, &p);
    if (r < 0)
        return r == -ENOENT && (flags & O_CREAT) ? -EROFS : 0;
    u32 type = st.stx_mode & S_IFMT;
    if (type != S_IFREG && type != S_IFDIR)
        return 0;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (type == S_IFDIR)
        return -EISDIR;
    if (loc->must_be_dir || (flags & O_DIRECTORY))
        return -ENOTDIR;
    // A file that is to be cut asks for the mount first (Linux: do_open()).
    bool any = (flags & O_TRUNC) || fs_unchecked(&t->cred);
    r = any ? 0 : may_access(&t->cred, &st, wanted_access(flags));
    return r < 0 ? r : -EROFS;
}

// One attempt at a place that path_walk found.
static long open_at(struct task *t, struct loc *loc, const struct open_how *how)
{
    u64 flags = how->flags;
    u64 plain = flags & ~(u64)(O_CREAT | O_EXCL);
    if (mount_at(t, loc->mount)->type == FS_PROC && loc->walked) {
        bool slash = loc->must_be_dir && !loc->dots;
        if (slash && (flags & O_CREAT))
            return -EISDIR;
        flags |= slash ? O_DIRECTORY : 0;
        plain |= slash ? O_DIRECTORY : 0;
        long r = procfs_open(t, loc->rel, (int)flags);
        if (r != -ENOSYS)
            return r;
        r = host_open_loc(t, loc, plain, 0, 0);
        // A magic link that procfs lets through; not one that is itself what a descriptor is open
        // on.
        if (r == -ELOOP && !(flags & O_NOFOLLOW) && !loc->object) {
            r = follow_magic(t, loc, plain);
            if (r >= 0)
                loc->mount = -1; // what it leads to lies elsewhere
        }
        return r;
    }
    if ((flags & __O_TMPFILE) == __O_TMPFILE)
        return open_tmpfile(t, loc, flags, (u32)how->mode);
    if (read_only(t, loc) && (wanted_access(flags) & MAY_WRITE) && !(flags & O_PATH)) {
        long r = open_read_only(t, loc, flags);
        if (r < 0)
            return r;
    }
    long r = -ENOENT;
    if ((flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL) && loc->over < OVER_ABSENT) {
        struct checked c;
        r = check_access(t, loc, flags, &c);
        if (r == -EPERM && (flags & O_CREAT)) // of O_NOATIME, which comes last
            r = may_create_in_sticky(t, loc) < 0 ? -EACCES : r;
        if (r >= 0 && (flags & (O_CREAT | O_NONBLOCK | O_PATH)) == O_CREAT)
            r = may_wait_in_sticky(t, loc);
        if (r >= 0)
            r = bring_up(t, loc, flags, &c);
        if (r >= 0) {
            // O_CREAT on a directory is EISDIR whatever the access mode (open(2)).
            r = open_existing(t, loc, plain, how->resolve & RESOLVE_CACHED, flags & O_CREAT, &c);
            if (r >= 0 && (flags & O_CREAT) && (flags & O_ACCMODE) == O_RDONLY) {
                struct statx st;
                if (host_statx((int)r, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0 &&
                    (st.stx_mode & S_IFMT) == S_IFDIR && !(flags & O_PATH)) {
                    host_close((int)r);
                    return -EISDIR;
                }
            }
        }
    }
    return r == -ENOENT && (flags & O_CREAT) ? create(t, loc, flags, (u32)how->mode) : r;
}

struct node {
    u32 type, major, minor;
};

// Is there a device node at loc? An error is one of the way to its directory.
static long node_at(struct task *t, struct loc *loc, struct node *n)
{
    struct parent p;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    r = *p.name && meta_device(&p, &n->type, &n->major, &n->minor);
    parent_done(t, &p);
    return r;
}

// Linux: fs/namei.c, do_open() and may_open().
static long open_node(struct task *t, struct loc *loc, const struct node *n,
                      const struct open_how *how)
{
    struct parent p;
    struct statx st;
    long r = 0;
    if ((how->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (loc->must_be_dir || (how->flags & O_DIRECTORY))
        return -ENOTDIR;
    if (how->flags & O_PATH) {
        struct open_how path = {.flags = how->flags | O_NOFOLLOW, .resolve = WALK_RESOLVE};
        return host_openat2(loc->base, loc->rel, &path);
    }
    if (mount_at(t, loc->mount)->flags & 4) // MS_NODEV
        return -EACCES;
    if (how->flags & O_CREAT)
        r = may_create_in_sticky(t, loc);
    if (r >= 0 && !fs_unchecked(&t->cred)) {
        r = parent_open(t, loc, &p);
        if (r < 0)
            return r;
        r = meta_stat(t, loc->mount, &p, STATX_BASIC_STATS, &st);
        parent_done(t, &p);
        if (r >= 0)
            r = may_access(&t->cred, &st, wanted_access(how->flags));
    }
    return r < 0 ? r : open_device(t, n->type, n->major, n->minor, how->flags);
}

// In /dev most names are device nodes: these are looked for before anything else is tried.
static bool in_dev(struct task *t, const struct loc *loc, const struct open_how *how)
{
    return mount_at(t, MAX(loc->mount, 0))->type == FS_DEVFS && !loc->walked && loc->rel[0] &&
           !strchr(loc->rel, '/') && !how->resolve;
}

// What an ELOOP at the end of a slow walk is: a device node, or a link that must not be followed.
static long open_link(struct task *t, struct loc *loc, const struct open_how *how)
{
    struct node node;
    long r = node_at(t, loc, &node);
    if (r < 0)
        return r;
    if (r)
        return open_node(t, loc, &node, how);
    if (loc->object && (loc->must_be_dir || (how->flags & O_DIRECTORY)))
        return -ENOTDIR;
    bool creates = (how->flags & (O_CREAT | O_EXCL | O_PATH)) == O_CREAT;
    return creates && may_create_in_sticky(t, loc) < 0 ? -EACCES : -ELOOP;
}

static int walk_flags(const struct open_how *how)
{
    bool excl = (how->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    return (how->flags & O_NOFOLLOW || excl ? 0 : WALK_FOLLOW) |
           (how->resolve & RESOLVE_BENEATH ? WALK_BENEATH : 0) |
           (how->resolve & RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0) |
           (how->resolve & RESOLVE_NO_SYMLINKS ? WALK_NO_SYMLINKS : 0) |
           (how->resolve & RESOLVE_NO_XDEV ? WALK_NO_XDEV : 0) |
           (how->resolve & RESOLVE_NO_MAGICLINKS ? WALK_NO_MAGIC : 0);
}

// "name/" with O_CREAT: a directory cannot be made so, and nothing else can have that name.
static __attribute__((noinline)) long open_slash(struct task *t, int dirfd, const char *path,
                                                 int walk)
{
    struct loc loc;
    struct parent p;
    struct statx st;
    size_t n = strlen(path);
    if (!n || path[n - 1] != '/')
        return 0;
    long r = path_parent(t, dirfd, path, (walk & ~WALK_FOLLOW) | WALK_NAME, &loc, &p);
    if (r < 0)
        return r;
    r = p.last == LAST_NAME ? -EISDIR : 0;
    if (r < 0 && host_statx(p.fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0 &&
        (st.stx_mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR; // the guest's own descriptor
    parent_done(t, &p);
    return r;
}

// A temporary may not be held while the open waits for another guest thread: a FIFO above ".." is
// opened by its path.
static long may_block(struct task *t, struct loc *loc, u64 flags)
{
    struct statx st;
    if (!loc->pinned || (flags & (O_PATH | O_NONBLOCK)))
        return 0;
    if (host_statx(loc->base, loc->rel, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_TYPE, &st) < 0 ||
        (st.stx_mode & S_IFMT) != S_IFIFO)
        return 0;
    return loc_root(t, loc);
}

// The directory above a path that begins with ".." is held by a temporary, which has the number
// that the descriptor is to get.
static long make_room(struct task *t, struct loc *loc)
{
    if (!loc->pinned)
        return 0;
    long base = temp_raise(t, loc->base);
    if (base < 0)
        return loc_root(t, loc);
    loc->base = (s32)base;
    return 0;
}

long fs_open(struct task *t, int dirfd, char *path, const struct open_how *how)
{
    struct loc loc;
    u64 flags = how->flags;
    int walk = walk_flags(how) | (flags & O_CREAT ? WALK_ABSENT : 0);
    long r = flags & O_CREAT ? open_slash(t, dirfd, path, walk) : 0;
    if (r < 0)
        return r;
    for (int tries = 0;;) {
        s32 block = t->files->reserved;
        r = path_walk(t, dirfd, path, walk, &loc);
        if (r >= 0)
            r = may_block(t, &loc, flags);
        if (r >= 0)
            r = make_room(t, &loc);
        if (r < 0)
            break;
        struct node node;
        bool link = in_dev(t, &loc, how) && node_at(t, &loc, &node) > 0;
        if (link) {
            r = open_node(t, &loc, &node, how);
        } else {
            r = open_at(t, &loc, how);
            link = r == -ELOOP && loc.walked;
            if (link)
                r = open_link(t, &loc, how);
        }
        // What O_CREAT makes of a link's text is left to the slow walk.
        if (r == -ELOOP && (walk & (WALK_LINK - 1)) == WALK_FOLLOW && !(flags & O_CREAT) &&
            path_put_link(t, &loc, &walk, path)) {
            loc_done(t, &loc);
            continue;
        }
        bool again = r == -EEXIST && (flags & O_CREAT) && tries < 100 && bury(t, &loc);
        loc_done(t, &loc);
        if ((again || (r == -EEXIST && (flags & (O_CREAT | O_EXCL)) == O_CREAT)) && tries++ < 100)
            continue; // somebody was faster: open theirs
        if (r == -ESTALE && tries++ < 100)
            continue; // somebody has put it there since it was asked for
        if ((r == -EBADF || r == -ENOTDIR) && block != t->files->reserved && tries++ < 100)
            continue; // another thread has taken the number of the mount's root
        if ((link && (r != -ELOOP || (flags & O_NOFOLLOW))) || !walk_again(&loc, r, &walk, &tries))
            break;
    }
    if (r >= 0 && fd_is_reserved(t, (int)r)) {
        reserved_return(t, (int)r);
        return -EMFILE;
    }
    if (r >= 0)
        fd_set_mount(t, (int)r, loc.mount);
    if (r >= 0 && !(flags & O_PATH))
        fd_note_open(t, (int)r);
    return r;
}

// May a file with these attributes be executed, on mount e?
static long may_execute(struct task *t, const struct mount_entry *e, const struct statx *st)
{
    if ((st->stx_mode & S_IFMT) != S_IFREG || (e->flags & 8)) // MS_NOEXEC
        return -EACCES;
    return may_access(&t->cred, st, MAY_EXEC);
}

// Opens a program by the way that is known. What is not as it should be ends with -ESTALE.
static long open_known(struct task *t, const struct known_way *w, struct statx *st,
                       char *guest_path, bool *nosuid)
{
    struct mount_entry *e = mount_at(t, 0);
    int root = mount_root_fd(t, 0);
    // Whatever may have taken the file's place: nothing waits for it.
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY, .resolve = WALK_RESOLVE};
    long fd = root < 0 ? root : host_openat2(root, way_text(w), &how);
    if (fd < 0)
        return -ESTALE;
    struct parent p = {.fd = (s32)fd, .name = ""};
    if (fd_is_reserved(t, (int)fd) || meta_stat(t, 0, &p, STATX_BASIC_STATS, st) < 0 ||
        may_execute(t, e, st) < 0) {
        if (fd_is_reserved(t, (int)fd))
            reserved_return(t, (int)fd);
        else
            host_close((int)fd);
        return -ESTALE;
    }
    if (guest_path)
        fmt(guest_path, LX_PATH_MAX, "/%s", way_text(w));
    *nosuid = e->flags & 2;
    return fd;
}

static __attribute__((noinline)) long open_exec_slow(struct task *t, int dirfd, const char *path,
                                                     int flags, struct statx *st, char *guest_path,
                                                     bool *nosuid, const struct way_key *key)
{
    struct loc loc;
    struct parent p;
    int walk =
        (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    if (flags & AT_EMPTY_PATH && !*path) {
        long r = meta_fstat(t, dirfd, STATX_BASIC_STATS, st);
        if (r < 0)
            return r;
        if ((st->stx_mode & S_IFMT) != S_IFREG)
            return -EACCES;
        r = may_access(&t->cred, st, MAY_EXEC);
        if (r < 0)
            return r;
        if (guest_path && path_of_fd(t, dirfd, guest_path, LX_PATH_MAX) < 0)
            guest_path[0] = 0;
        *nosuid = fd_mount(t, dirfd) >= 0 && (mount_at(t, fd_mount(t, dirfd))->flags & 2);
        return reopen(dirfd, O_RDONLY, 0, false);
    }
    temps_begin(t);
    long r = path_parent(t, dirfd, path, walk, &loc, &p);
    if (r >= 0) {
        struct mount_entry *e = mount_at(t, loc.mount);
        bool magic = p.temporary && !*p.name; // a link of /proc to something without a path
        r = meta_stat(t, loc.mount, &p, STATX_BASIC_STATS, st);
        if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFLNK)
            r = -ELOOP;
        else if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFREG && loc.must_be_dir)
            r = -ENOTDIR;
        if (r >= 0)
            r = may_execute(t, e, st);
        *nosuid = e->flags & 2;
        if (r >= 0)
            r = host_open_loc(t, &loc, O_RDONLY, 0, 0);
        // Whom it makes the task, and whether he may run it, is not what another file says.
        bool matters = !fs_unchecked(&t->cred) || (st->stx_mode & (S_ISUID | S_ISGID)) ||
                       (META_MORE(st) & CAPS_HOLD);
        if (r >= 0 && matters && !has_own_numbers(t, loc.mount) && !is_same((int)r, st)) {
            host_close((int)r);
            r = -ESTALE;
        }
        if (r >= 0 && guest_path &&
            (magic ? path_of_fd(t, p.fd, guest_path, LX_PATH_MAX)
                   : path_of_loc(t, &loc, guest_path, LX_PATH_MAX)) < 0)
            guest_path[0] = 0;
        if (r >= 0 && !magic)
            way_learn(t, key, &loc);
        parent_done(t, &p);
    }
    temps_end(t);
    return r;
}

long fs_open_exec(struct task *t, int dirfd, const char *path, int flags, struct statx *st,
                  char *guest_path, bool *nosuid)
{
    struct way_key key = {.path = NULL};
    struct known_way way;
    if (!flags && way_known(t, path, &key, &way)) {
        long fd = open_known(t, &way, st, guest_path, nosuid);
        if (fd != -ESTALE)
            return fd;
    }
    for (int tries = 0;; tries++) {
        long fd = open_exec_slow(t, dirfd, path, flags, st, guest_path, nosuid, &key);
        if (fd != -ESTALE || tries == 100)
            return fd;
    }
}
