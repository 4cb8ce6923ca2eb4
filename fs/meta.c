// SPDX-License-Identifier: MIT
// Guest metadata of inodes, read: what an unprivileged host user cannot store natively is kept in
// one extended attribute, in the encoding that containers use: "uid:gid:mode[:type]", mode in
// octal, type "file" or "dir". The attribute is the authority; an inode without one has the host's
// mode, and the host's owner, with the owner of the mount's root directory and the invoking user
// shown as root.
//
// A regular file with an attribute has the host's S_ISVTX too, which means nothing on files; so one
// without need not be asked for its attribute. That goes for trees that are marked as made so
// (cli/mark.c), and for what lxcore makes itself: there an attribute without the bit does not
// count. In other trees every file is asked.
//
// Symlinks, FIFOs, sockets and device nodes: fs/side.c. Changes: fs/change.c; new inodes:
// fs/newinode.c.
#include <asm/stat.h>
#include <linux/capability.h>

#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "mqueue.h"
#include "overlay.h"
#include "procfs.h"
#include "xattr.h"

#define UNFINISHED_TRIES 1000 // about 150 ms
#define MISMATCH_TRIES 10     // no sleep: such an attribute may be there to stay

static char *put_word(char *out, const char *word)
{
    while (*word)
        *out++ = *word++;
    return out;
}

size_t attr_format(char out[ATTR_SIZE], const struct attr *a)
{
    char *s = attr_put(out, a->uid, 10, ':');
    s = attr_put(s, a->gid, 10, ':');
    s = attr_put(s, a->mode | (a->witnessed ? ATTR_WITNESSED : 0), 8, ':');
    s = put_word(s, a->type == S_IFDIR ? "dir" : "file");
    if (a->has_acl)
        s = put_word(s, ":acl");
    if (a->has_names) {
        s = attr_put(put_word(s, ":"), a->names_uid, 10, ':');
        s = attr_put(s, a->names_gid, 10, 0) - 1;
    } else if (a->has_caps) {
        s = put_word(s, ":cap");
    }
    return (size_t)(s - out);
}

bool meta_is_kept(struct task *t, int mount)
{
    u32 type = mount_at(t, MAX(mount, 0))->type;
    return type == FS_VOLFS || type == FS_DRVFS || type == FS_TMPFS || type == FS_DEVFS ||
           type == FS_OVERLAY;
}

// What statx(2) says of these costs the host more: a larger answer, and for an empty path the check
// that it is one. Only statx tells stx_attributes; who wants them asks for more than the basic
// ones.
static long host_stat(int fd, const char *name, int flags, u32 mask, struct statx *st)
{
    struct stat s;
    if (mask & ~(u32)STATX_BASIC_STATS)
        return host_statx(fd, name, flags, mask | STATX_BASIC_STATS, st);
    long r = (flags & AT_EMPTY_PATH) && fd >= 0 ? HOST2(__NR_fstat, fd, &s)
                                                : HOST4(__NR_newfstatat, fd, name, &s, flags);
    if (r < 0)
        return r;
    st->stx_mask = STATX_BASIC_STATS;
    st->stx_attributes = st->stx_attributes_mask = 0;
    st->stx_blksize = (u32)s.st_blksize;
    st->stx_nlink = (u32)s.st_nlink;
    st->stx_uid = s.st_uid;
    st->stx_gid = s.st_gid;
    st->stx_mode = (u16)s.st_mode;
    st->stx_ino = s.st_ino;
    st->stx_size = (u64)s.st_size;
    st->stx_blocks = (u64)s.st_blocks;
    st->stx_atime =
        (struct statx_timestamp){.tv_sec = (s64)s.st_atime, .tv_nsec = (u32)s.st_atime_nsec};
    st->stx_mtime =
        (struct statx_timestamp){.tv_sec = (s64)s.st_mtime, .tv_nsec = (u32)s.st_mtime_nsec};
    st->stx_ctime =
        (struct statx_timestamp){.tv_sec = (s64)s.st_ctime, .tv_nsec = (u32)s.st_ctime_nsec};
    st->stx_btime = (struct statx_timestamp){0};
    // The kernel's new_encode_dev().
    st->stx_rdev_major = s.st_rdev >> 8 & 0xfff;
    st->stx_rdev_minor = (s.st_rdev & 0xff) | (s.st_rdev >> 12 & 0xfff00);
    st->stx_dev_major = s.st_dev >> 8 & 0xfff;
    st->stx_dev_minor = (s.st_dev & 0xff) | (s.st_dev >> 12 & 0xfff00);
    META_MORE(st) = 0;
    return r;
}

long meta_host_stat(const struct parent *p, u32 mask, struct statx *st)
{
    // Without AT_EMPTY_PATH the host need not look for its kind of name.
    int flags = p->guests || !*p->name ? AT_EMPTY_PATH : 0;
    return host_stat(p->fd, p->guests ? "" : p->name, AT_SYMLINK_NOFOLLOW | flags, mask, st);
}

long meta_host_look(const struct parent *p, struct statx *st)
{
    long r = host_stat(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, st);
    if (r >= 0 && meta_by_name(st->stx_mode))
        r = host_stat(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, st);
    return r;
}

void meta_map_owner(struct task *t, int mount, struct statx *st)
{
    const struct instance *in = t->instance;
    const struct mount_entry *e = mount_at(t, MAX(mount, 0));
    if (st->stx_uid == e->root_uid || st->stx_uid == in->host_uid)
        st->stx_uid = 0;
    if (st->stx_gid == e->root_gid || st->stx_gid == in->host_gid)
        st->stx_gid = 0;
}

// The host's S_ISUID stands for set-id bits that a write takes away, and is gone with the first
// (fs/change.c).
static u32 witnessed_mode(const struct attr *a, u32 host_mode)
{
    u32 mode = a->mode;
    if (!a->witnessed || (host_mode & S_ISUID))
        return mode;
    if (mode & S_IXGRP)
        mode &= ~(u32)S_ISGID;
    return mode & ~(u32)S_ISUID;
}

// Waits a little for the creator of an inode to give it what it has not yet (fs/newinode.c), or for
// its name to go; one that died in between is not waited for for ever.
static bool wait(int *tries)
{
    struct __kernel_timespec pause = {0, 100000};
    if (++*tries > UNFINISHED_TRIES)
        return false;
    if (*tries < 10)
        HOST0(__NR_sched_yield);
    else
        HOST2(__NR_nanosleep, &pause, NULL);
    return true;
}

bool meta_by_name(u32 host_mode)
{
    u32 type = host_mode & S_IFMT;
    return type == S_IFLNK || type == S_IFIFO || type == S_IFSOCK;
}

bool is_marked_new(const struct statx *st)
{
    if ((st->stx_mode & S_IFMT) == S_IFREG)
        return (st->stx_mode & S_ISVTX) && !st->stx_size;
    return (st->stx_mode & (S_IFMT | MODE_BITS)) == (S_IFDIR | UNFINISHED_DIR);
}

// Is the inode just being made, so that *st, the host's view, says too little of it? n: what
// getxattr(2) said of its attribute. One that has been so for long stays so: its creator is dead,
// or a tool of the host has copied the mode alone.
static bool unfinished(const struct statx *st, long n)
{
    return n == -ENOENT ||
           (n == -ENODATA && is_marked_new(st) && attr_changed_within(st, UNFINISHED_FOR));
}

// Does the host's mode say that there is no attribute?
static bool has_none(struct task *t, int mount, const struct statx *st)
{
    return (st->stx_mode & (S_IFMT | S_ISVTX)) == S_IFREG && mount >= 0 &&
           mount_at(t, mount)->marked_dev == device_of(st);
}

// Without an attribute, or with somebody else's text, the host's view holds.
static void apply_attr(struct task *t, const struct parent *p, bool has_attr, const struct attr *a,
                       struct statx *st)
{
    if (has_attr) {
        u32 host_mode = st->stx_mode;
        st->stx_uid = a->uid;
        st->stx_gid = a->gid;
        st->stx_mode = (u16)((st->stx_mode & S_IFMT) | witnessed_mode(a, st->stx_mode));
        if (a->has_acl)
            META_MORE(st) = acl_allows(&t->cred, p, st);
        if (a->has_caps && a->witnessed && (host_mode & S_ISUID))
            META_MORE(st) |= CAPS_HOLD;
    } else if ((st->stx_mode & (S_IFMT | S_ISVTX)) == (S_IFREG | S_ISVTX)) {
        st->stx_mode &= (u16) ~(S_ISVTX | S_ISUID); // a mark, and a witness that stands for nothing
    }
}

static void apply_pts(struct task *t, struct statx *st)
{
    const struct pts_owner *o = pts_owner(t, st);
    if (!o->set)
        return;
    st->stx_uid = o->uid;
    st->stx_gid = o->gid;
    st->stx_mode = (u16)((st->stx_mode & S_IFMT) | o->mode);
}

// A pipe, socket or memfd: the host knows one owner of them all. Whoever asks is shown as the one
// who made it, as he mostly is.
static void apply_nameless(struct task *t, struct statx *st)
{
    if (!st->stx_uid)
        st->stx_uid = t->cred.fsuid;
    if (!st->stx_gid)
        st->stx_gid = t->cred.fsgid;
}

static bool is_memfd(struct task *t, const struct statx *st)
{
    return device_of(st) == t->instance->memfd_dev;
}

#define NAMED_TRIES 100

// What its record says is its own, if it had the name until that was read: a rename moves the
// ctime.
static long stat_by_name(struct task *t, int fd, u32 owner, struct statx *st)
{
    struct loc loc;
    struct parent p;
    struct statx was, now = *st;
    long r = st->stx_mask & STATX_CTIME ? 0 : host_statx(fd, "", AT_EMPTY_PATH, STATX_CTIME, &now);
    bool stayed = false;
    for (int tries = 0; r >= 0 && !stayed && tries < NAMED_TRIES; tries++) {
        struct statx named = *st;
        was = now;
        r = side_locate(t, fd, &loc, &p);
        if (r < 0)
            break;
        side_stat(t, loc.mount, &p, owner, &named);
        parent_done(t, &p);
        r = host_statx(fd, "", AT_EMPTY_PATH, STATX_CTIME, &now);
        stayed = !memcmp(&was.stx_ctime, &now.stx_ctime, sizeof now.stx_ctime);
        if (r < 0 || stayed || tries + 1 == NAMED_TRIES)
            *st = named;
    }
    return r;
}

// A symlink, FIFO or socket known by its descriptor: its record lies beside its name.
static void apply_by_name(struct task *t, int fd, u32 owner, struct statx *st)
{
    if (fd_is_anonymous(t, fd)) {
        apply_nameless(t, st);
        return;
    }
    long r = stat_by_name(t, fd, owner, st);
    if (r >= 0)
        return;
    if (r == -ENOTDIR) {
        fd_set_anonymous(t, fd);
        apply_nameless(t, st);
    } else {
        struct parent self = {.fd = fd, .name = ""};
        u32 host_mode = st->stx_mode;
        if (mount_at(t, MAX(fd_mount(t, fd), 0))->drive.on)
            drive_view(t, fd_mount(t, fd), &self, owner, st);
        device_stat(&self, st); // the name is gone
        side_link_get(t, fd_mount(t, fd), &self, host_mode, st, NULL);
    }
}

// A node of /dev that lxcore opens from the host is the same file by name as by descriptor.
static void apply_host_device(struct statx *st)
{
    struct statx host;
    const char *path = (st->stx_mode & S_IFMT) == S_IFCHR
                           ? device_host_path(st->stx_rdev_major, st->stx_rdev_minor)
                           : NULL;
    if (!path || host_statx(AT_FDCWD, path, 0, STATX_INO, &host) < 0)
        return;
    st->stx_ino = host.stx_ino;
    st->stx_dev_major = host.stx_dev_major;
    st->stx_dev_minor = host.stx_dev_minor;
}

// Was the attribute that of the next inode of the name?
static bool mismatch(const struct statx *st, const struct attr *a)
{
    return a->type && a->type != (st->stx_mode & S_IFMT);
}

// What is known of an inode's attribute.
struct known {
    struct attr attr;
    bool has_attr;
    bool by_now; // without having asked
    bool keep;   // may be remembered
};

// What *st says is whole: true. Else the host's view is to be had again, after a moment.
static bool apply(struct task *t, int mount, const struct parent *p, struct statx *st,
                  struct known *k, int tries, bool watched)
{
    char value[ATTR_SIZE];
    k->has_attr = k->by_now = k->keep = false;
    const struct mount_entry *e = mount_at(t, MAX(mount, 0));
    u32 owner = st->stx_uid;
    meta_map_owner(t, mount, st);
    if (has_none(t, mount, st)) {
        k->by_now = true;
        return true;
    }
    if (mqueue_is(t, st)) {
        mqueue_stat(t, st);
        k->by_now = true;
        return true;
    }
    if (is_pts(st))
        apply_pts(t, st);
    if (e->drive.on &&
        !(meta_is_kept(t, mount) && (carries_attr(st->stx_mode) || meta_by_name(st->stx_mode))))
        drive_view(t, mount, p, owner, st);
    if (!meta_is_kept(t, mount))
        return true;
    if (carries_attr(st->stx_mode)) {
        bool whole = true;
        k->by_now = attrcache_get(t, st, &k->has_attr, &k->attr) ||
                    (k->has_attr = attrown_get(t, st, &k->attr));
        if (!k->by_now) {
            bool keep = attrcache_may_put(t, st, watched);
            long n = host_getxattr_at(p, META_XATTR, value, sizeof value);
            whole = !unfinished(st, n);
            k->has_attr = attr_parse(value, n, &k->attr);
            k->keep = keep && whole;
            whole = whole && (!k->has_attr || !mismatch(st, &k->attr) || tries >= MISMATCH_TRIES);
        }
        apply_attr(t, p, k->has_attr, &k->attr, st);
        if (!k->has_attr && is_memfd(t, st))
            apply_nameless(t, st);
        if (e->drive.on && !k->has_attr)
            drive_view(t, mount, p, owner, st);
        return whole;
    }
    if (!meta_by_name(st->stx_mode))
        return true;
    bool whole = true;
    if (*p->name)
        whole = side_stat(t, mount, p, owner, st);
    else
        apply_by_name(t, p->fd, owner, st);
    if (mount_at(t, MAX(mount, 0))->type == FS_DEVFS)
        apply_host_device(st);
    return whole;
}

bool meta_apply(struct task *t, int mount, const struct parent *p, struct statx *st, struct attr *a)
{
    struct known k;
    struct statx host = *st;
    for (int tries = 0; !apply(t, mount, p, st, &k, tries, false) && wait(&tries);)
        *st = host;
    *a = k.attr;
    return k.has_attr;
}

// The attribute was looked up by name too: is the inode there still the one in *st, unchanged?
static bool still_there(const struct parent *p, const struct statx *st, u32 host_mode)
{
    struct statx now;
    return !*p->name || !strcmp(p->name, ".") ||
           (host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &now) >= 0 &&
            now.stx_mode == host_mode && is_same_inode(&now, st) &&
            now.stx_nlink == st->stx_nlink &&
            !memcmp(&now.stx_ctime, &st->stx_ctime, sizeof now.stx_ctime));
}

// Else owner and mode would be another's than the size; that is worth a host call where the name
// may have come to mean another inode. Files need it only where there is an attribute, or the
// host's mode says that there should be one. An answer that is to be remembered needs it where
// another thread can have changed the directory that the number stands for. Where the name stayed,
// all that can go wrong is a witness, which belongs to the attribute of its time.
static bool must_look_again(const struct task *t, const struct known *k, u32 host_mode,
                            bool watched, bool stayed)
{
    bool threads = t->files->refs > 1 || t->fs->refs > 1;
    if (k->by_now)
        return false;
    if (stayed)
        return k->has_attr && k->attr.witnessed;
    return (k->keep && (threads || watched)) || k->has_attr || (host_mode & S_ISVTX) ||
           (host_mode & S_IFMT) == S_IFDIR;
}

// What was known of the name before it was looked at.
struct before {
    struct name_watch name;
    bool ended;   // name_changes_ended()
    bool watched; // name_watch()
};

// The host's view of p.
static long look(struct task *t, int mount, const struct parent *p, u32 mask, struct statx *st,
                 struct before *b)
{
    b->ended = *p->name && name_changes_ended(t, p, &b->name);
    b->watched = b->ended && name_is_watched(t, mount, p);
    long r = meta_host_stat(p, mask & ~(META_NO_LINK | META_HOSTS_NUMBERS), st);
    bool link = r >= 0 && (mask & META_NO_LINK) && (st->stx_mode & S_IFMT) == S_IFLNK;
    return link ? -ELOOP : r;
}

// Has no guest of the instance changed the name since? (A directory has its own by no name.)
static bool is_quiet(const struct task *t, const struct parent *p, const struct before *b)
{
    return !*p->name || !strcmp(p->name, ".") || (b->ended && name_stayed(t, &b->name));
}

// Another file has the name by now, or had it meanwhile, which its times do not always tell: of one
// exchanged with another XFS leaves them alone, and where the host's clock is coarse they repeat.
// So the file is held. False: it is not whole, or its owner is known by its name.
static __attribute__((noinline)) bool look_held(struct task *t, int mount, const struct parent *p,
                                                u32 mask, struct statx *st, struct known *k)
{
    struct statx now;
    bool whole = false;
    temps_begin(t); // p's number stays meanwhile
    long fd = temp_open(t, p->fd, p->name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH);
    if (fd >= 0) {
        struct parent held = {.fd = (s32)fd, .name = ""};
        whole = meta_host_stat(&held, mask & ~(META_NO_LINK | META_HOSTS_NUMBERS), &now) >= 0 &&
                carries_attr(now.stx_mode) && apply(t, mount, &held, &now, k, 0, false) &&
                (k->has_attr || !is_marked_new(&now));
        temp_close(t, (int)fd);
    }
    temps_end(t);
    if (whole)
        *st = now;
    return whole;
}

// Behind the first look: the attribute, and what else the host's view does not tell.
static __attribute__((noinline)) long stat_more(struct task *t, int mount, const struct parent *p,
                                                u32 mask, struct statx *st, struct before b)
{
    struct known k;
    int tries = 0;
    bool asked = false; // meta_bury(), which waits for the maker
    long r = 0;
    for (; r >= 0; r = look(t, mount, p, mask, st, &b)) {
        u32 host_mode = st->stx_mode;
        bool new = is_marked_new(st);
        bool whole = apply(t, mount, p, st, &k, tries, b.watched);
        if (whole && new && !k.has_attr && !k.by_now && !asked) {
            if (meta_bury(t, mount, p))
                return -ENOENT;
            asked = true;
            continue; // finished by now, or not of our making
        }
        bool stayed = !k.by_now && b.watched && name_stayed(t, &b.name);
        bool again = whole && must_look_again(t, &k, host_mode, b.watched, stayed);
        if (whole && (!again || (still_there(p, st, host_mode) && is_quiet(t, p, &b)))) {
            if (k.keep)
                attrcache_put(t, st, k.has_attr, &k.attr);
            return r;
        }
        if (again && !is_quiet(t, p, &b) && look_held(t, mount, p, mask, st, &k))
            return 0;
        if (wait(&tries))
            continue;
        if (!new || k.has_attr || asked)
            return r;
        if (meta_bury(t, mount, p))
            return -ENOENT;
        meta_wait_made(t, mount, p);
        asked = true;
    }
    return r;
}

long meta_stat(struct task *t, int mount, const struct parent *p, u32 mask, struct statx *st)
{
    struct before b;
    long r = look(t, mount, p, mask, st, &b);
    if (r < 0)
        return r;
    if (has_none(t, mount, st)) // as nearly all files
        meta_map_owner(t, mount, st);
    else
        r = stat_more(t, mount, p, mask, st, b);
    if (r < 0 || !is_overlay(t, mount) || (mask & META_HOSTS_NUMBERS))
        return r;
    // A whiteout that has come since the walk: the name is not there.
    if (*p->name && (st->stx_mode & S_IFMT) == S_IFCHR && !st->stx_rdev_major &&
        !st->stx_rdev_minor)
        return -ENOENT;
    overlay_numbers(t, mount, p, st);
    return r;
}

long meta_stat_dir(struct task *t, int mount, const struct parent *p, struct statx *st)
{
    struct parent dir = {.fd = p->fd, .name = "."};
    if (p->kept && dir_attr_get(t, p->kept, st))
        return 0;
    u32 changes = dir_attr_changes(t);
    long r = meta_stat(t, mount, &dir, STATX_BASIC_STATS, st);
    if (r >= 0 && p->kept)
        dir_attr_put(t, p->kept, changes, st);
    return r;
}

// Of a descriptor from elsewhere only drives need to know it.
static int mount_of_open(struct task *t, int fd)
{
    return t->instance->has_drives ? mount_of_fd(t, fd) : fd_mount(t, fd);
}

static long stat_fd(struct task *t, int fd, int mount, u32 mask, struct statx *st)
{
    struct parent p = {.fd = fd, .name = ""};
    char value[ATTR_SIZE];
    struct attr a;
    bool has_attr;
    long r = host_stat(fd, "", AT_EMPTY_PATH, mask, st);
    if (r < 0)
        return r;
    if (carries_attr(st->stx_mode))
        fd_note_file(t, fd);
    u32 owner = st->stx_uid;
    if (!st->stx_nlink && (st->stx_mode & S_IFMT) == S_IFREG && procfs_fstat(t, fd, mask, st))
        return r;
    if (!carries_attr(st->stx_mode) || (mount >= 0 && !meta_is_kept(t, mount))) {
        meta_apply(t, mount, &p, st, &a);
        procfs_stat_fd(t, fd, st);
        return r;
    }
    meta_map_owner(t, mount, st);
    if (has_none(t, mount, st))
        return r;
    if (mqueue_is(t, st)) {
        mqueue_stat(t, st);
        return r;
    }
    if (!attrcache_get(t, st, &has_attr, &a)) {
        bool keep = attrcache_may_put(t, st, true); // the same inode twice, whatever its names do
        int tries = 0;
        long n;
        do {
            n = host_getxattr_at(&p, META_XATTR, value, sizeof value);
        } while (unfinished(st, n) && wait(&tries));
        has_attr = attr_parse(value, n, &a);
        if (keep && !unfinished(st, n))
            attrcache_put(t, st, has_attr, &a);
    }
    apply_attr(t, &p, has_attr, &a, st);
    if (!has_attr && is_memfd(t, st))
        apply_nameless(t, st);
    if (mount >= 0 && mount_at(t, mount)->drive.on && !has_attr)
        drive_view(t, mount, &p, owner, st);
    return r;
}

long meta_fstat(struct task *t, int fd, u32 mask, struct statx *st)
{
    struct parent p = {.fd = fd, .name = ""};
    int mount = mount_of_open(t, fd);
    long r = stat_fd(t, fd, mount, mask & ~META_HOSTS_NUMBERS, st);
    if (r >= 0 && is_overlay(t, mount) && !(mask & META_HOSTS_NUMBERS))
        overlay_numbers(t, mount, &p, st);
    return r;
}

u32 meta_host_mode(u32 guest_mode)
{
    return (guest_mode & 0777) | ((guest_mode & S_IFMT) == S_IFDIR ? 0700 : 0600);
}
