// SPDX-License-Identifier: MIT
// mount, umount2, pivot_root, chroot. What a mount is here: include/instance.h; changes of the
// table: fs/mounting.c. Every mount is private, whatever propagation is asked for. Linux:
// fs/namespace.c, whose order of checks is kept.
#include <linux/capability.h>

#include "host.h"
#include "overlay.h"
#include "syscall_rows.h"
#include "uaccess.h"

#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static bool may_mount(struct task *t)
{
    return cred_has_cap(&t->cred, CAP_SYS_ADMIN);
}

// ---- mount ----

static const struct {
    const char *name;
    u32 type;
} fs_types[] = {
    {"tmpfs", FS_TMPFS},    {"proc", FS_PROC},   {"sysfs", FS_SYSFS},     {"devpts", FS_DEVPTS},
    {"devtmpfs", FS_DEVFS}, {"drvfs", FS_DRVFS}, {"overlay", FS_OVERLAY},
};

struct request {
    char source[LX_PATH_MAX];
    char type[64];
    char data[LX_PATH_MAX];
    bool has_source, has_type;
};

// As Linux's path_mount(): relatime unless something else is said, and of the rest the last wins.
static u32 flags_asked(u32 flags)
{
    u32 kept = flags & MOUNT_FLAGS;
    return kept & MS_STRICTATIME ? kept & ~(u32)MS_NOATIME : kept;
}

// A mount that shows what no other does, in e.
static long make_own(struct task *t, struct mount_entry *e, u32 type, const struct request *q)
{
    if (type == FS_TMPFS)
        return tmpfs_make(t, e, q->data);
    if (type == FS_OVERLAY)
        return overlay_make(t, e, q->data);
    return q->has_source ? drvfs_make(t, e, q->source, q->data) : -EINVAL;
}

static long mount_new(struct task *t, const struct request *q, u32 flags, const struct place *to)
{
    struct mount_entry e = {0};
    u32 type = FS_NONE;
    if (!q->has_type)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(fs_types); i++)
        if (!strcmp(q->type, fs_types[i].name))
            type = fs_types[i].type;
    bool own = type == FS_TMPFS || type == FS_DRVFS || type == FS_OVERLAY;
    int shown = type == FS_NONE || own ? -1 : mount_of_type(t, type);
    if (type == FS_NONE || (shown < 0 && !own))
        return -ENODEV;
    long r = type == FS_OVERLAY ? 0 : mount_check_options(type, q->data);
    if (r < 0)
        return r;
    if (!place_is_dir(to))
        return -ENOTDIR;
    // The same file system twice on one directory is refused; each tmpfs is a new one, and each
    // proc (Linux 5.8) and devpts.
    bool one = type == FS_SYSFS || type == FS_DEVFS;
    if (one && place_is_mount(to) && mount_at(t, to->loc.mount)->type == type)
        return -EBUSY;
    if (shown >= 0) {
        memcpy(&e, mount_at(t, shown), sizeof e);
        e.base = shown;
        e.base_path[0] = 0;
    } else {
        r = make_own(t, &e, type, q);
        if (r < 0)
            return r;
    }
    e.flags = flags_asked(flags) | e.locked;
    e.flags |= e.flags & MS_RDONLY ? MOUNT_FS_RDONLY | MOUNT_OWN_RDONLY : 0;
    str_copy(e.source, q->has_source ? q->source : "none", sizeof e.source);
    r = mount_attach(t, &e, to);
    if (r < 0 && e.type == FS_TMPFS)
        tmpfs_discard(t, &e);
    return r < 0 ? r : 0;
}

static long mount_again(struct task *t, const struct request *q, u32 flags, const struct place *to)
{
    if (!place_is_mount(to))
        return -EINVAL;
    struct mount_entry *e = mount_at(t, to->loc.mount);
    bool over = e->type == FS_OVERLAY;
    if (e->locked & ~flags)
        return over && !(flags & MS_BIND) ? -EROFS : -EPERM;
    if (!(flags & MS_BIND)) {
        // An overlay takes no notice of any: mount(8) says all those again that it has.
        long r = over ? 0 : mount_check_options(e->type, q->data);
        if (r >= 0 && e->drive.on && q->data[0])
            r = drvfs_set_options(t, e, mount_root_fd(t, to->loc.mount), q->data);
        if (r >= 0 && e->type == FS_TMPFS)
            r = tmpfs_change(t, e, q->data);
        if (r < 0)
            return r;
    }
    u32 now = flags_asked(flags);
    if (!(flags & (MOUNT_ATIME | MS_RELATIME)))
        now |= mount_flags(t, to->loc.mount) & MOUNT_ATIME;
    mount_set_flags(t, to->loc.mount, now);
    if (!(flags & MS_BIND))
        mount_set_fs_rdonly(t, to->loc.mount, flags & MS_RDONLY);
    return 0;
}

static long set_propagation(u32 flags, const struct place *to)
{
    u32 kind = flags & ~(u32)(MS_REC | MS_SILENT);
    if ((kind & ~(u32)PROPAGATION) || (kind & (kind - 1)) || !place_is_mount(to))
        return -EINVAL;
    return 0; // nothing to change: see the top
}

static long mount_from(struct task *t, const struct request *q, u32 flags, const struct place *to)
{
    struct place from;
    if (!q->has_source || !q->source[0])
        return -EINVAL;
    long r = place_find(t, q->source, WALK_FOLLOW, &from);
    if (r < 0)
        return r;
    if (flags & MS_BIND)
        return mount_bind(t, &from, to, flags & MS_REC);
    return mount_move(t, &from, to);
}

static long do_mount(struct task *t, const char *target, const struct request *q, u32 flags)
{
    struct place to;
    long r = place_find(t, target, WALK_FOLLOW, &to);
    if (r < 0)
        return r;
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(u32)MS_MGC_MSK;
    if (flags & (u32)MS_NOUSER)
        return -EINVAL;
    if (!may_mount(t))
        return -EPERM;
    if (flags & MS_REMOUNT)
        return mount_again(t, q, flags, &to);
    if (flags & MS_BIND)
        return mount_from(t, q, flags, &to);
    if (flags & PROPAGATION)
        return set_propagation(flags, &to);
    if (flags & MS_MOVE)
        return mount_from(t, q, flags, &to);
    return mount_new(t, q, flags, &to);
}

// A string that may be left out. *there: it was not.
static long copy_optional(char *out, uptr from, size_t size, bool *there)
{
    *there = from;
    out[0] = 0;
    if (!from)
        return 0;
    long r = copy_str_from_guest(out, from, size);
    return r == -ENAMETOOLONG ? -EINVAL : MIN(r, 0);
}

long sys_mount(struct task *t, uptr source, uptr target, uptr fstype, unsigned long flags,
               uptr data)
{
    struct request q;
    char path[LX_PATH_MAX];
    bool has_data;
    long r = copy_optional(q.type, fstype, sizeof q.type, &q.has_type);
    if (r == -EINVAL) // no file system has such a long name
        r = 0, str_copy(q.type, "?", sizeof q.type);
    if (r >= 0)
        r = copy_optional(q.source, source, sizeof q.source, &q.has_source);
    if (r >= 0)
        r = copy_optional(q.data, data, sizeof q.data, &has_data);
    if (r >= 0)
        r = copy_str_from_guest(path, target, sizeof path);
    if (r < 0)
        return r;
    return do_mount(t, path, &q, (u32)flags);
}

// ---- umount2 ----

static long do_umount(struct task *t, const char *path, int flags)
{
    struct place at;
    long r = place_find(t, path, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &at);
    if (r < 0)
        return r;
    // What is mounted on the place itself is meant, also where "." leads below it
    // (LOOKUP_MOUNTPOINT).
    int m = mount_pivoted(t, mount_on(t, at.loc.mount, at.path));
    struct mount_entry *e = mount_at(t, m);
    if (!may_mount(t))
        return -EPERM;
    if (!place_is_mount(&at) && m == at.loc.mount)
        return -EINVAL;
    if (m == 0)
        return flags & MNT_DETACH ? -EINVAL : -EBUSY;
    if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
        return -EINVAL;
    if (flags & MNT_DETACH) {
        mount_detach(t, m);
        return 0;
    }
    // The mount that the caller's root lies in becomes read-only (do_umount_root()).
    if (m == t->fs->root_mount && (flags & MNT_EXPIRE))
        return -EINVAL;
    if (m == t->fs->root_mount) {
        mount_set_fs_rdonly(t, m, true);
        return 0;
    }
    if (mount_has_child(t, m) || mount_in_use(t, m))
        return -EBUSY;
    if ((flags & MNT_EXPIRE) && !(mount_flags(t, m) & MOUNT_EXPIRING)) {
        u32 own = mount_rdonly(mount_flags(t, m)) & MOUNT_OWN_RDONLY ? MS_RDONLY : 0;
        mount_set_flags(t, m,
                        (mount_flags(t, m) & MOUNT_FLAGS & ~(u32)MS_RDONLY) | own | MOUNT_EXPIRING);
        return -EAGAIN;
    }
    bool discard = e->base == BASE_STORE && mount_is_alone(t, m);
    if (mount_end(t, m) && discard)
        tmpfs_discard(t, e);
    return 0;
}

long sys_umount2(struct task *t, uptr target, int flags)
{
    char path[LX_PATH_MAX];
    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
        return -EINVAL;
    long r = copy_str_from_guest(path, target, sizeof path);
    if (r < 0)
        return r;
    return do_umount(t, path, flags);
}

// ---- Roots ----

static long do_chroot(struct task *t, const char *path)
{
    struct place at;
    long r = place_find(t, path, WALK_FOLLOW, &at);
    if (r < 0)
        return r;
    if (!place_is_dir(&at))
        return -ENOTDIR;
    r = may_access(&t->cred, &at.st, MAY_EXEC);
    if (r < 0)
        return r;
    if (!cred_has_cap(&t->cred, CAP_SYS_CHROOT))
        return -EPERM;
    root_set(t, at.loc.mount, at.loc.rel);
    return 0;
}

long sys_chroot(struct task *t, uptr path)
{
    char text[LX_PATH_MAX];
    long r = copy_str_from_guest(text, path, sizeof text);
    if (r < 0)
        return r;
    return do_chroot(t, text);
}

// The table keeps its root: processes get the new one as by chroot, and a view of the old one, with
// what is mounted in it, is made at put_old. An umount by a descriptor of the old one is that
// view's.
static long do_pivot(struct task *t, const char *new_root, const char *put_old)
{
    struct place new, put, old;
    long r = place_find(t, new_root, WALK_FOLLOW, &new);
    if (r >= 0 && !place_is_dir(&new))
        r = -ENOTDIR;
    if (r >= 0)
        r = place_find(t, put_old, WALK_FOLLOW, &put);
    if (r >= 0 && !place_is_dir(&put))
        r = -ENOTDIR;
    if (r >= 0)
        r = place_find(t, "/", WALK_FOLLOW, &old);
    if (r < 0)
        return r;
    if (new.loc.mount == old.loc.mount || put.loc.mount == old.loc.mount)
        return -EBUSY;
    if (!place_is_mount(&new) || !place_is_mount(&old) || !place_is_below(&put, &new))
        return -EINVAL;
    r = mount_pivot(t, &old, &put, new.loc.mount);
    if (r < 0)
        return r;
    return root_pivot(t, old.loc.mount, new.loc.mount);
}

long sys_pivot_root(struct task *t, uptr new_root, uptr put_old)
{
    char new[LX_PATH_MAX], put[LX_PATH_MAX];
    if (!may_mount(t))
        return -EPERM;
    long r = copy_str_from_guest(new, new_root, sizeof new);
    if (r >= 0)
        r = copy_str_from_guest(put, put_old, sizeof put);
    if (r < 0)
        return r;
    return do_pivot(t, new, put);
}
