// SPDX-License-Identifier: MIT
// open(2) in guest terms: the walk to the place, and what is done there: an existing file opened, a
// device node by its number, a link of /proc followed, or a file made. The parts, from the bottom:
// the host call (fs/openhost.c), what is permitted (fs/openmay.c), what O_CREAT makes
// (fs/create.c); of programs for execve: fs/openexec.c.
#include <linux/mount.h>

#include "attr.h"
#include "fs.h"
#include "host.h"
#include "meta.h"
#include "open.h"
#include "overlay.h"
#include "procfs.h"
#include "reach.h"
#include "xattr.h"

#define LEASE_TRIES 5000 // some 0.6 s: who has it may have to wait for a processor

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

// An open that does not wait met a lease, which may be one that lxcore holds for a moment
// (file_lease()): Linux knows none there. A guest's own stays, and is told from it by an attempt
// that met one while lxcore held none. magic: loc is a link of /proc.
static __attribute__((noinline)) long open_leased(struct task *t, struct loc *loc, u64 flags,
                                                  bool magic)
{
    struct instance *in = t->instance;
    u32 begun = __atomic_load_n(&in->leases_begun, __ATOMIC_SEQ_CST);
    u32 ended = __atomic_load_n(&in->leases_ended, __ATOMIC_SEQ_CST), first = begun, last = ended;
    long r = -EAGAIN;
    bool ours = true;
    for (u32 tries = 0; r == -EAGAIN && ours && tries < LEASE_TRIES; tries++) {
        if (tries)
            patience_step(tries);
        begun = __atomic_load_n(&in->leases_begun, __ATOMIC_SEQ_CST);
        ended = __atomic_load_n(&in->leases_ended, __ATOMIC_SEQ_CST);
        r = magic ? HOST_INTR4(__NR_openat, loc->base, loc->rel, flags, 0)
                  : host_open_loc(t, loc, flags, 0, 0);
        ours = begun != ended || begun != __atomic_load_n(&in->leases_begun, __ATOMIC_SEQ_CST);
    }
    // Who was to end it has been killed: nobody is to wait for him again.
    if (r == -EAGAIN && ours && begun == first && ended == last)
        __atomic_compare_exchange_n(&in->leases_ended, &ended, begun, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    return r;
}

static long host_open_existing(struct task *t, struct loc *loc, u64 flags, u64 resolve)
{
    long r = host_open_loc(t, loc, flags, 0, resolve);
    return r == -EAGAIN && (flags & O_NONBLOCK) && !resolve ? open_leased(t, loc, flags, false) : r;
}

// Opening an existing file for writing: not while a process runs it (ETXTBSY). The look comes
// before O_TRUNC does its work. It costs a statx, and a ftruncate for O_TRUNC; plain reads pay
// nothing.
static long open_existing(struct task *t, struct loc *loc, u64 flags, u64 resolve, bool create,
                          const struct open_checked *c)
{
    struct statx st;
    bool writes = (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
    long fd = host_open_existing(t, loc, writes ? flags & ~(u64)O_TRUNC : flags, resolve);
    if ((fd >= 0 || fd == -ENXIO) && create && !(flags & O_PATH) &&
        may_create_in_sticky(t, loc) < 0) {
        if (fd >= 0)
            host_close((int)fd);
        return -EACCES;
    }
    if (fd >= 0 && !open_is_checked(t, (int)fd, c)) {
        host_close((int)fd);
        return -ESTALE;
    }
    if (fd < 0 || !writes)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH,
                        STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE, &st);
    if (r >= 0 && is_marked_new(&st) && host_fgetxattr((int)fd, META_XATTR, NULL, 0) == -ENODATA) {
        host_close((int)fd); // or it would count as open
        return bury(t, loc) ? -ENOENT : host_open_existing(t, loc, flags, resolve);
    }
    if (r >= 0 && is_overlay(t, loc->mount)) // what execve has noted
        overlay_numbers(t, loc->mount, &(struct parent){.fd = (int)fd, .name = ""}, &st);
    if (r >= 0 && (st.stx_mode & S_IFMT) == S_IFREG) {
        u64 dev = device_of(&st);
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
static long bring_up(struct task *t, struct loc *loc, u64 flags, struct open_checked *c)
{
    struct parent p;
    struct statx st;
    if (loc->over != OVER_LOWER || (flags & O_PATH) || !(open_wants(flags) & MAY_WRITE))
        return 0;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    r = host_statx(p.fd, p.name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    bool file = r >= 0 && (st.stx_mode & S_IFMT) == S_IFREG;
    if (file)
        r = overlay_copy_up(t, loc, &p);
    if (file && r >= 0 && loc->held) { // what is held then is the copy
        loc->base = p.fd;
        loc->pinned = true;
        p.temporary = false;
    }
    parent_done(t, &p);
    return r < 0 || !file ? r : open_check(t, loc, flags, c);
}

// May the file or directory that a magic link of /proc leads to be opened so? *st: which it is, or
// nothing that has to be asked for (a pipe's owner the host knows alone). It is looked at by a
// descriptor that is closed again before the open: that one is to get the lowest number.
static __attribute__((noinline)) long may_follow_magic(struct task *t, const struct loc *loc,
                                                       u64 flags, struct statx *st)
{
    struct loc there;
    int want = open_wants(flags);
    st->stx_ino = 0;
    if ((flags & O_PATH) || (fs_unchecked(&t->cred) && !(want & MAY_WRITE)))
        return 0;
    long fd = procfs_open_object(t, loc->base, loc->rel, loc->rel);
    if (fd < 0)
        return fd;
    long r = loc_of_fd(t, (int)fd, &there); // of a removed file: which mount it was in
    bool mounted = r >= 0;
    r = meta_fstat(t, (int)fd, STATX_BASIC_STATS | META_HOSTS_NUMBERS, st);
    if (r >= 0 && !carries_attr(st->stx_mode)) {
        if (mounted && st->stx_nlink && (st->stx_mode & S_IFMT) == S_IFIFO)
            r = may_access(&t->cred, st, want);
        st->stx_ino = 0;
    } else if (r >= 0) {
        struct parent p = {.fd = (int)fd, .name = ""};
        bool dir = (st->stx_mode & S_IFMT) == S_IFDIR;
        r = dir && (want & MAY_WRITE) ? -EISDIR : may_access(&t->cred, st, want);
        if (r >= 0 && mounted && (want & MAY_WRITE))
            r = loc_is_read_only(t, &there) ? -EROFS : meta_witness(t, there.mount, &p, st);
    }
    temp_close(t, (int)fd);
    return r;
}

// By a way in /proc that is a link. is_run: what it leads to is a program that runs. A slash behind
// it is not O_DIRECTORY, which F_GETFL would show.
static long open_magic(struct task *t, struct loc *loc, u64 flags, bool is_run)
{
    struct statx st;
    size_t n = strlen(loc->rel);
    const char *end = loc->must_be_dir && n + 1 < sizeof loc->rel ? "/" : "";
    long r = -EACCES;
    // Later, where it can be done by the descriptor: it may be another file by then.
    u64 trunc = flags & O_ACCMODE ? flags & O_TRUNC : 0;
    for (int tries = 0; tries < 100; tries++) {
        r = may_follow_magic(t, loc, flags, &st);
        if (r < 0)
            return r;
        u64 now = st.stx_ino ? flags & ~trunc : flags;
        str_copy(loc->rel + n, end, 2);
        r = HOST_INTR4(__NR_openat, loc->base, loc->rel, now, 0);
        if (r == -EAGAIN && (flags & O_NONBLOCK))
            r = open_leased(t, loc, now, true);
        loc->rel[n] = 0;
        if (r < 0 || !st.stx_ino)
            return r;
        if (open_is_same((int)r, &st)) {
            if (is_overlay(t, loc->mount)) // what execve has noted
                overlay_numbers(t, loc->mount, &(struct parent){.fd = (int)r, .name = ""}, &st);
            u64 dev = device_of(&st);
            bool runs =
                (open_wants(flags) & MAY_WRITE) && (is_run || reach_runs_file(t, dev, st.stx_ino));
            long done = runs ? -ETXTBSY : trunc ? cut((int)r, flags) : 0;
            if (done >= 0)
                return r;
            host_close((int)r);
            return done;
        }
        host_close((int)r); // another thread has put it on that number
    }
    return -EACCES;
}

// The directory above a path that begins with ".." is held by a temporary, which has the number
// that the descriptor is to get; so may what is held by the link of a descriptor.
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

// What a descriptor of the caller's is open on, whatever its path is by now.
static __attribute__((noinline)) long open_held(struct task *t, int fd, int mount, bool dir,
                                                u64 flags)
{
    struct loc link = {.base = reserved_fd(t, RESERVED_PROC), .must_be_dir = dir};
    link.mount = is_overlay(t, mount) ? mount : 0;
    fmt(link.rel, sizeof link.rel, "%u/task/%u/fd/%d", t->proc->tgid, t->tid, fd);
    bool is_run = fd == reserved_fd(t, RESERVED_PROGRAM);
    return open_magic(t, &link, flags & ~(u64)(O_CREAT | O_EXCL), is_run);
}

// In an overlay the copy may have to be made first.
static __attribute__((noinline)) long bring_up_held(struct task *t, struct loc *loc, u64 flags)
{
    struct open_checked c;
    if (loc->over != OVER_LOWER || !(open_wants(flags) & MAY_WRITE) || (flags & O_PATH))
        return 0;
    long r = open_check(t, loc, flags, &c);
    if (r >= 0)
        r = bring_up(t, loc, flags, &c);
    if (r >= 0)
        r = make_room(t, loc);
    return r >= 0 && !loc->held ? -EMFILE : r; // no number to hold it by
}

// The magic link at the end of a way in /proc is the host's to follow. Before the end there must be
// none: it would lead out. (What is a directory in /proc stays one. The parent is not held: the
// open may wait for another guest thread.)
static long follow_magic(struct task *t, struct loc *loc, u64 flags)
{
    struct parent p;
    if (procfs_is_own_program(t, loc->rel))
        return open_held(t, reserved_fd(t, RESERVED_PROGRAM), 0, loc->must_be_dir, flags);
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    parent_done(t, &p);
    return open_magic(t, loc, flags, false);
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
    r = any ? 0 : may_access(&t->cred, &st, open_wants(flags));
    return r < 0 ? r : -EROFS;
}

static bool leads_to_dir(struct task *t, struct loc *loc)
{
    long fd = host_open_loc(t, loc, O_PATH | O_DIRECTORY, 0, 0);
    if (fd >= 0)
        host_close((int)fd);
    return fd >= 0;
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
        long r = procfs_open(t, loc->rel, (int)flags);
        if (r != -ENOSYS)
            return r;
        r = host_open_loc(t, loc, plain, 0, 0);
        // A magic link that procfs lets through; not one that is itself what a descriptor is open
        // on.
        if (r == -ELOOP && (slash || !(flags & O_NOFOLLOW)) && !loc->object) {
            r = follow_magic(t, loc, plain);
            if (r >= 0)
                loc->mount = -1; // what it leads to lies elsewhere
        }
        return r;
    }
    if ((flags & __O_TMPFILE) == __O_TMPFILE)
        return open_tmpfile(t, loc, flags, (u32)how->mode);
    if (loc_is_read_only(t, loc) && (open_wants(flags) & MAY_WRITE) && !(flags & O_PATH)) {
        long r = open_read_only(t, loc, flags);
        if (r < 0)
            return r;
    }
    long r = -ENOENT;
    if ((flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL) && loc->over < OVER_ABSENT) {
        struct open_checked c;
        r = open_check(t, loc, flags, &c);
        if (r == -EPERM && (flags & O_CREAT)) // of O_NOATIME, which comes last
            r = may_create_in_sticky(t, loc) < 0 ? -EACCES : r;
        if (r >= 0 && (flags & (O_CREAT | O_NONBLOCK | O_PATH)) == O_CREAT)
            r = may_wait_in_sticky(t, loc);
        if (r >= 0)
            r = bring_up(t, loc, flags, &c);
        if (r >= 0) {
            // O_CREAT on a directory is EISDIR whatever the access mode (open(2)).
            r = open_existing(t, loc, plain, how->resolve & RESOLVE_CACHED, flags & O_CREAT, &c);
            if (r == -EINVAL && (flags & O_CREAT) && (flags & O_DIRECT) && leads_to_dir(t, loc))
                return -EISDIR;
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
    return r == -ENOENT && (flags & O_CREAT) ? open_create(t, loc, flags, (u32)how->mode) : r;
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
    r = (*p.name || loc->held) && meta_device(&p, &n->type, &n->major, &n->minor);
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
        return open_way(t, loc->base, loc->rel, &path, false);
    }
    if (mount_flags(t, loc->mount) & 4) // MS_NODEV
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
            r = may_access(&t->cred, &st, open_wants(how->flags));
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

// A directory of an overlay is not seen by other threads before it is noted as one; of what may be
// a FIFO, on which the open waits, nothing depends on that.
static long open_noted(struct task *t, struct loc *loc, const struct open_how *how)
{
    bool dir = (loc->over == OVER_UPPER || loc->over == OVER_LOWER) &&
               (loc->over_mode & S_IFMT) == S_IFDIR;
    bool making = dir && fd_making(t, loc->mount);
    long r = open_at(t, loc, how);
    if (making && r >= 0 && !fd_is_reserved(t, (int)r))
        fd_set_mount(t, (int)r, loc->mount);
    fd_made(t, making);
    return r;
}

static long open_path(struct task *t, int dirfd, char *path, const struct open_how *how)
{
    struct loc loc;
    u64 flags = how->flags;
    int walk = walk_flags(how) | (flags & O_CREAT ? WALK_ABSENT : 0) |
               ((flags & __O_TMPFILE) == __O_TMPFILE ? 0 : WALK_OBJECT);
    long r = flags & O_CREAT ? open_slash(t, dirfd, path, walk) : 0;
    if (r < 0)
        return r;
    for (int tries = 0;;) {
        s32 block = t->files->reserved;
        r = path_walk(t, dirfd, path, walk, &loc);
        // An overlay's look at its layers takes a root that has got another number for a layer
        // that has nothing there.
        if (block != t->files->reserved && (r < 0 || is_overlay(t, loc.mount)) && tries++ < 100) {
            if (r >= 0)
                loc_done(t, &loc);
            continue;
        }
        if (r >= 0)
            r = may_block(t, &loc, flags);
        if (r >= 0)
            r = make_room(t, &loc);
        if (r < 0)
            break;
        struct node node;
        bool may = in_dev(t, &loc, how) || (loc.held && loc.object && !(flags & O_PATH));
        bool link = may && node_at(t, &loc, &node) > 0;
        if (link) {
            r = open_node(t, &loc, &node, how);
        } else if (loc.held) {
            r = bring_up_held(t, &loc, flags);
            if (r >= 0)
                r = open_held(t, loc.base, loc.mount, loc.must_be_dir, flags);
        } else {
            r = open_noted(t, &loc, how);
            link = r == -ELOOP && loc.walked;
            if (link)
                r = open_link(t, &loc, how);
        }
        // What O_CREAT makes of a link's text is left to the slow walk.
        if (r == -ELOOP && (walk & (WALK_LINK - 1) & ~WALK_OBJECT) == WALK_FOLLOW &&
            !(flags & O_CREAT) && path_put_link(t, &loc, &walk, path)) {
            loc_done(t, &loc);
            continue;
        }
        bool again = r == -EEXIST && (flags & O_CREAT) && tries < 100 && bury(t, &loc);
        loc_done(t, &loc);
        if ((again || (r == -EEXIST && (flags & (O_CREAT | O_EXCL)) == O_CREAT)) && tries++ < 100)
            continue; // somebody was faster: open theirs
        if (r == -ESTALE && tries++ < 100)
            continue; // somebody has put it there since it was asked for
        if ((r == -EBADF || r == -ENOTDIR || (r == -ENOENT && loc.over)) &&
            block != t->files->reserved && tries++ < 100)
            continue; // another thread has taken the number of the mount's root
        if ((link && (r != -ELOOP || (flags & O_NOFOLLOW))) ||
            !walk_again(t, &loc, r, &walk, &tries))
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

// Where no number is left below a low block, the host says so, and the call is made again above.
long fs_open(struct task *t, int dirfd, char *path, const struct open_how *how)
{
    t->takes_lowest = 1;
    long r = open_path(t, dirfd, path, how);
    t->takes_lowest = 0;
    return r;
}
