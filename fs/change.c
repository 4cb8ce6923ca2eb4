// SPDX-License-Identifier: MIT
// Guest metadata of inodes, written (reading: fs/meta.c). A change is one setxattr. The host's mode
// is the guest's with the owner always able to read and write (and search), and never has set-id
// bits together with execute permission. A regular file with an attribute has S_ISVTX there.
//
// Linux takes the set-id bits away when an ordinary user writes to the file. Guests write without
// lxcore seeing it, so the host's own rule is the witness: as long as somebody may write who may
// not keep the bits, the file has the host's S_ISUID and no execute permission there, the attribute
// says so, and the guest's bits hold only while the host's stands.
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "mqueue.h"
#include "xattr.h"

#define MAKING_WAITS 20000 // should the clock be set back

static bool has_set_id(u32 mode)
{
    return (mode & S_ISUID) || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

static bool needs_witness(const struct task *t, u32 mode)
{
    return (mode & S_IFMT) == S_IFREG && has_set_id(mode) && !cred_has_cap(&t->cred, CAP_FSETID);
}

// The host's mode of an inode with an attribute.
static u32 marked_mode(u32 guest_mode)
{
    return meta_host_mode(guest_mode) | ((guest_mode & S_IFMT) == S_IFREG ? S_ISVTX : 0);
}

// While set-id bits are witnessed.
static u32 witness_mode(u32 guest_mode)
{
    return S_ISUID | (marked_mode(guest_mode) & ~0111u);
}

static long set_attr(const struct parent *p, u32 host_mode, const struct attr *a)
{
    char value[ATTR_SIZE];
    size_t n = attr_format(value, a);
    long r = host_setxattr_at(p, META_XATTR, value, n, 0);
    // user.* needs write permission even for the owner: make the host mode what it should be.
    if ((r == -EACCES || r == -EPERM) &&
        host_chmod_at(p, meta_host_mode(host_mode) |
                             ((host_mode & S_IFMT) == S_IFREG ? host_mode & S_ISVTX : 0)) >= 0)
        r = host_setxattr_at(p, META_XATTR, value, n, 0);
    return r == -EOPNOTSUPP ? -EPERM : r;
}

// Entries whose owner is that of their directory keep it when the directory gets another.
static void keep_names(struct task *t, const struct parent *p, const struct meta_view *v,
                       bool owner, struct attr *a)
{
    a->has_names = v->has_names;
    a->names_uid = v->names_uid;
    a->names_gid = v->names_gid;
    if ((v->host.stx_mode & S_IFMT) != S_IFDIR || !owner)
        return;
    if (!side_dir_has_names(t, p)) {
        a->has_names = false;
    } else if (!v->has_names) {
        a->has_names = true;
        a->names_uid = v->guest.stx_uid;
        a->names_gid = v->guest.stx_gid;
    }
    if (a->names_uid == a->uid && a->names_gid == a->gid)
        a->has_names = false;
}

// Sets the witness for set-id bits or capabilities that are to be stored next. What the attribute
// says until then holds without it.
static long set_witness(struct task *t, const struct parent *p, const struct meta_view *v)
{
    bool stands = v->host.stx_mode & S_ISUID;
    if (v->witnessed && stands)
        return 0;
    if (!v->has_attr || v->witnessed) { // the host's mode tells; or a write has taken the bits
        struct attr old = {.uid = v->guest.stx_uid,
                           .gid = v->guest.stx_gid,
                           .mode = v->guest.stx_mode & MODE_BITS,
                           .type = S_IFREG,
                           .has_acl = v->has_acl};
        long r = set_attr(p, v->host.stx_mode, &old);
        attrcache_forget(t, &v->host);
        if (r < 0)
            return r;
    }
    return host_chmod_at(p, witness_mode(v->guest.stx_mode));
}

// Is there nothing but owner and mode that the attribute or the host's mode would have to say?
static bool is_settled(const struct meta_view *v, const struct attr *a, u32 what)
{
    bool marked = a->type != S_IFREG || (v->host.stx_mode & S_ISVTX);
    return v->has_attr && marked && !(what & ~(u32)(META_UID | META_GID | META_MODE)) &&
           !a->witnessed && !v->witnessed && !v->had_caps && a->has_names == v->has_names;
}

// Who may execute a memory file the host knows too: it refuses to change that of a sealed one
// (F_SEAL_EXEC), and looks at its own mode when it seals one (mm/memfd.c, memfd_add_seals()). Those
// have no name. 0 or -EPERM.
static long change_exec(const struct parent *p, const struct meta_view *v, u32 mode)
{
    bool memory = (v->host.stx_mode & S_IFMT) == S_IFREG && !v->host.stx_nlink;
    if (!memory || !((v->guest.stx_mode ^ mode) & 0111) || (v->host.stx_mode & S_ISUID))
        return 0;
    long r = host_chmod_at(p, (v->host.stx_mode & MODE_BITS & ~0111u) | (mode & 0111));
    return r == -EPERM ? r : 0;
}

// Files and directories.
static long write_attr(struct task *t, int mount, const struct parent *p, const struct meta_view *v,
                       const struct statx *new, u32 what)
{
    u32 mode = new->stx_mode &MODE_BITS, least = meta_host_mode(new->stx_mode &S_IFMT);
    bool owner = v->guest.stx_uid != new->stx_uid || v->guest.stx_gid != new->stx_gid;
    bool plain = (mode & ~0777u) == 0 && (mode & least) == least;
    struct attr a = {.uid = new->stx_uid,
                     .gid = new->stx_gid,
                     .mode = mode,
                     .type = new->stx_mode &S_IFMT,
                     .has_acl = (v->has_acl && !(what & META_NO_ACL)) || (what & META_ACL),
                     .has_caps = (v->has_caps && !(what & META_NO_CAPS)) || (what & META_CAPS),
                     .witnessed = needs_witness(t, new->stx_mode)};
    struct attr_own own;
    a.witnessed |= a.has_caps;
    keep_names(t, p, v, owner, &a);
    if (!v->has_attr && !owner && plain && !a.has_acl && !a.has_caps &&
        !mount_at(t, MAX(mount, 0))->drive.on)
        return host_chmod_at(p, mode);
    // To the host, an attribute that gets the value it has is no change: the time would stay.
    if (!owner && mode == (v->guest.stx_mode & MODE_BITS) && is_settled(v, &a, what))
        return host_chmod_at(p, v->host.stx_mode & MODE_BITS);
    long r = a.witnessed ? set_witness(t, p, v) : change_exec(p, v, mode);
    attrown_begin(t, p, v, &own);
    if (r >= 0)
        r = set_attr(p, v->host.stx_mode, &a);
    if (side_is_full(r) && a.type == S_IFDIR && side_gather_seen(t, mount, p, v))
        r = set_attr(p, v->host.stx_mode, &a);
    if (r >= 0)
        attrown_end(t, &own, &a);
    attrcache_forget(t, &v->host);
    if (r >= 0 && v->had_caps && !a.has_caps)
        host_removexattr_at(p, CAPS_HOST);
    if (r < 0 || a.witnessed)
        return r;
    if (v->host.stx_mode & S_ISUID)
        host_chmod_at(p, marked_mode(new->stx_mode));
    else if (a.type == S_IFREG && !(v->host.stx_mode & S_ISVTX)) // killed before: nothing changed
        r = host_chmod_at(p, (v->host.stx_mode & MODE_BITS) | S_ISVTX);
    return r;
}

// All that is written is of the inode that was seen: another one's attribute would say whose that
// one is.
static long store_attr(struct task *t, int mount, const struct parent *p, const struct meta_view *v,
                       const struct statx *new, u32 what)
{
    if (!name_hold(t, p, &v->name))
        return META_ANOTHER;
    long r = write_attr(t, mount, p, v, new, what);
    name_let_go(t, p, &v->name);
    return r;
}

// A symlink, FIFO, socket or device node.
static long store_by_name(struct task *t, int mount, const struct parent *p,
                          const struct statx *old, const struct statx *new, u32 what)
{
    struct loc loc;
    struct parent named;
    if (*p->name)
        return what & META_NO_CAPS ? side_store_without(t, mount, p, new, XATTR_NAME_CAPS)
                                   : side_store(t, mount, p, new, NULL);
    long r = side_locate(t, p->fd, &loc, &named);
    if (r >= 0) {
        r = store_by_name(t, loc.mount, &named, old, new, what);
        parent_done(t, &named);
    } else if (old->stx_uid != new->stx_uid || old->stx_gid != new->stx_gid) {
        r = -EPERM; // a pipe, or no name any more: the host knows one owner
    } else {
        r = host_chmod_at(p, new->stx_mode &MODE_BITS);
    }
    return r;
}

// What the change makes of the attributes in *st; the rules are the caller's (syscalls/attr.c).
static void changed(const struct meta_change *c, struct statx *st)
{
    if (c->what & META_UID)
        st->stx_uid = c->uid;
    if (c->what & META_GID)
        st->stx_gid = c->gid;
    if (c->what & META_MODE)
        st->stx_mode = (u16)((st->stx_mode & S_IFMT) | (c->mode & MODE_BITS));
}

// Two changes of one inode go one after the other: each writes all that the attribute says. Who
// waits for a stopped process goes on without.
static u32 *take(struct task *t, u32 *lock)
{
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) == t->tid)
        return NULL; // held already, for an entry of this directory
    return reserved_wait(t, lock) ? lock : NULL;
}

unsigned meta_lock_index(const struct statx *st)
{
    return (st->stx_ino ^ st->stx_dev_minor) % META_LOCKS;
}

u32 *meta_lock_inode(struct task *t, const struct statx *st)
{
    return take(t, &t->instance->meta_lock[meta_lock_index(st)]);
}

bool meta_is_locked(struct task *t, const struct statx *st)
{
    u32 owner = __atomic_load_n(&t->instance->meta_lock[meta_lock_index(st)], __ATOMIC_RELAXED);
    return owner && owner != t->tid;
}

unsigned meta_name_index(const struct parent *p)
{
    return side_fnv(p->name, strlen(p->name), FNV_START) % META_LOCKS;
}

u32 *meta_lock_name(struct task *t, const struct parent *p)
{
    return take(t, &t->instance->name_lock[meta_name_index(p)]);
}

long meta_look(struct task *t, int mount, const struct parent *p, struct meta_view *v)
{
    u32 before = __atomic_load_n(&t->instance->meta_changes, __ATOMIC_ACQUIRE);
    v->name = (struct name_watch){0};
    v->watched = false;
    if (*p->name && name_changes_ended(t, p, &v->name))
        v->watched = name_is_watched(t, mount, p);
    else
        v->name.count--; // one is being made: the name has not stayed
    long r = meta_host_stat(p, STATX_BASIC_STATS, &v->host);
    if (r < 0)
        return r;
    v->lock = meta_lock_inode(t, &v->host);
    if (before != __atomic_load_n(&t->instance->meta_changes, __ATOMIC_ACQUIRE)) {
        r = meta_host_stat(p, STATX_BASIC_STATS, &v->host);
        if (r < 0) {
            meta_done(t, v);
            return r;
        }
    }
    struct attr a;
    v->guest = v->host;
    v->has_attr = meta_apply(t, mount, p, &v->guest, &a);
    if (!v->has_attr && is_marked_new(&v->host)) {
        // Its maker, if there is one, has finished it then.
        r = meta_bury(t, mount, p) ? -ENOENT : 0;
        if (r >= 0) {
            meta_wait_made(t, mount, p);
            r = meta_host_stat(p, STATX_BASIC_STATS, &v->host);
        }
        if (r < 0) {
            meta_done(t, v);
            return r;
        }
        v->guest = v->host;
        v->has_attr = meta_apply(t, mount, p, &v->guest, &a);
    }
    v->has_acl = v->has_attr && a.has_acl;
    v->witnessed = v->has_attr && a.witnessed;
    v->had_caps = v->has_attr && a.has_caps;
    v->has_caps = META_MORE(&v->guest) & CAPS_HOLD;
    v->has_names = v->has_attr && a.has_names;
    v->names_uid = a.names_uid;
    v->names_gid = a.names_gid;
    return 0;
}

static u32 *change_count(struct task *t, const struct statx *st)
{
    return &t->instance->meta_counts[meta_lock_index(st) % META_COUNTS];
}

u32 meta_change_count(struct task *t, const struct statx *st)
{
    return __atomic_load_n(change_count(t, st), __ATOMIC_ACQUIRE);
}

void meta_unlock_inode(struct task *t, const struct statx *st, u32 *lock)
{
    __atomic_fetch_add(&t->instance->meta_changes, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(change_count(t, st), 1, __ATOMIC_RELEASE);
    if (lock)
        reserved_release(lock);
}

void meta_done(struct task *t, struct meta_view *v)
{
    meta_unlock_inode(t, &v->host, v->lock);
}

long meta_set(struct task *t, int mount, const struct parent *p, const struct meta_view *v,
              const struct meta_change *c)
{
    struct statx new = v->guest;
    changed(c, &new);
    if (mqueue_is(t, &v->host)) {
        long r = host_chmod_at(p, v->host.stx_mode & MODE_BITS); // moves the time of change
        return r < 0 ? r : mqueue_set(t, &new);
    }
    if (is_pts(&v->host)) {
        *pts_owner(t, &v->host) =
            (struct pts_owner){1, new.stx_uid, new.stx_gid, new.stx_mode &MODE_BITS};
        return 0;
    }
    if (mount_at(t, MAX(mount, 0))->type == FS_DRIVE)
        return c->what & META_MODE ? drive_chmod(p, v->host.stx_mode, c->mode) : 0;
    if (!meta_is_kept(t, mount))
        return v->guest.stx_uid != new.stx_uid || v->guest.stx_gid != new.stx_gid ||
                       v->guest.stx_mode != new.stx_mode
                   ? -EPERM
                   : 0;
    if (carries_attr(v->host.stx_mode)) {
        long r = store_attr(t, mount, p, v, &new, c->what);
        if ((v->host.stx_mode & S_IFMT) == S_IFDIR)
            dir_attr_changed(t);
        return r;
    }
    new.stx_ino = v->host.stx_ino; // by which its name is known again
    if (meta_by_name(v->host.stx_mode))
        return store_by_name(t, mount, p, &v->guest, &new, c->what);
    return -EPERM; // a device node of the host's
}

long meta_hold(struct task *t, const struct parent *p, struct parent *held)
{
    long fd = temp_open(t, p->fd, p->name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH);
    *held = (struct parent){.fd = (s32)fd, .name = ""};
    return fd;
}

static long change_once(struct task *t, int mount, const struct parent *p,
                        const struct meta_change *c)
{
    struct meta_view v;
    long r = meta_look(t, mount, p, &v);
    if (r < 0)
        return r;
    r = meta_set(t, mount, p, &v, c);
    meta_done(t, &v);
    return r;
}

long meta_change(struct task *t, int mount, const struct parent *p, const struct meta_change *c)
{
    struct parent held;
    long r = change_once(t, mount, p, c);
    if (r != META_ANOTHER)
        return r;
    r = meta_hold(t, p, &held);
    if (r < 0)
        return r;
    r = change_once(t, mount, &held, c);
    temp_close(t, held.fd);
    return r;
}

long meta_fchange(struct task *t, int fd, const struct meta_change *c)
{
    struct parent p = {.fd = fd, .name = "", .guests = true};
    return meta_change(t, fd_mount(t, fd), &p, c);
}

static long witness_once(struct task *t, int mount, const struct parent *p)
{
    struct meta_view v;
    long r = meta_look(t, mount, p, &v);
    if (r < 0)
        return r;
    if (needs_witness(t, v.guest.stx_mode))
        r = store_attr(t, mount, p, &v, &v.guest, 0);
    meta_done(t, &v);
    return r;
}

long meta_witness(struct task *t, int mount, const struct parent *p, const struct statx *st)
{
    struct parent held;
    if (!needs_witness(t, st->stx_mode) || !meta_is_kept(t, mount))
        return 0;
    long r = witness_once(t, mount, p);
    if (r != META_ANOTHER)
        return r;
    r = meta_hold(t, p, &held);
    if (r < 0)
        return r;
    r = witness_once(t, mount, &held);
    temp_close(t, held.fd);
    return r;
}

// ---- New inodes ----
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
