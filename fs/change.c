// SPDX-License-Identifier: MIT
// Guest metadata of inodes, written (reading: fs/meta.c). A change is one setxattr. The host's mode
// is the guest's with the owner always able to read and write (and search), and never has set-id
// bits together with execute permission. A regular file with an attribute has S_ISVTX there.
//
// Linux takes the set-id bits away when an ordinary user writes to the file. Guests write without
// lxcore seeing it, so the host's own rule is the witness: as long as somebody may write who may
// not keep the bits, the file has the host's S_ISUID and no execute permission there, the attribute
// says so, and the guest's bits hold only while the host's stands.
#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "mqueue.h"
#include "xattr.h"

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
    long r = change_exec(p, v, mode);
    if (r >= 0 && a.witnessed)
        r = set_witness(t, p, v);
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
