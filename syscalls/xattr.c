// SPDX-License-Identifier: MIT
// Extended attributes. How a guest's name is stored: fs/xattr.c. Rules: xattr(7); Linux:
// fs/xattr.c, security/commoncap.c.
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#include "meta.h"
#include "nocase.h"
#include "pathop.h"
#include "syscall_rows.h"
#include "xattr.h"

#define VALUE_MAX 65536
#define AT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)

// What a call works on: a place found by path, or an open descriptor.
struct subject {
    s32 fd; // -1: p
    s32 mount;
    struct parent *p;
    bool *asked;      // set when the host has been asked about an attribute
    struct loc *loc;  // with p, where that may be in an overlay; else NULL
    const char *proc; // the way in /proc, if it is there and not made by procfs; else NULL
};

struct names {
    char guest[XATTR_NAME_SIZE];
    char host[XATTR_NAME_SIZE];
};

// ---- Host calls ----

static long raw_get(const struct subject *s, const char *name, uptr value, size_t size)
{
    *s->asked = true;
    return s->fd >= 0 ? host_fgetxattr(s->fd, name, (void *)value, size)
                      : host_getxattr_at(s->p, name, (void *)value, size);
}

static long raw_set(const struct subject *s, const char *name, uptr value, size_t size, int flags)
{
    return s->fd >= 0 ? host_fsetxattr(s->fd, name, (const void *)value, size, flags)
                      : host_setxattr_at(s->p, name, (const void *)value, size, flags);
}

static long raw_list(const struct subject *s, char *list, size_t size)
{
    *s->asked = true;
    return s->fd >= 0 ? host_flistxattr(s->fd, list, size) : host_listxattr_at(s->p, list, size);
}

static long raw_remove(const struct subject *s, const char *name)
{
    return s->fd >= 0 ? host_fremovexattr(s->fd, name) : host_removexattr_at(s->p, name);
}

static long subject_stat(struct task *t, const struct subject *s, struct statx *st)
{
    long r = s->fd >= 0 ? meta_fstat(t, s->fd, STATX_BASIC_STATS, st)
                        : meta_stat(t, s->mount, s->p, STATX_BASIC_STATS, st);
    if (r >= 0 && s->proc)
        procfs_stat(t, s->proc, st);
    return r;
}

static int subject_mount(struct task *t, const struct subject *s)
{
    struct loc loc;
    if (s->mount >= 0)
        return s->mount;
    return loc_of_fd(t, s->fd, &loc) >= 0 ? loc.mount : 0;
}

static bool in_proc(struct task *t, const struct subject *s)
{
    return s->mount >= 0 && mount_at(t, s->mount)->type == FS_PROC;
}

// ---- Rules ----

static bool is_acl(const char *name)
{
    return str_starts(name, "system.posix_acl_");
}

// Can the host's inode have attributes?
static bool has_place(const struct statx *st)
{
    u32 type = st->stx_mode & S_IFMT;
    return type == S_IFREG || type == S_IFDIR;
}

static bool owns(const struct task *t, const struct statx *st)
{
    return t->cred.fsuid == st->stx_uid || cred_has_cap(&t->cred, CAP_FOWNER);
}

// user.*: like the content of a file, and only files and directories have it.
static long may_user(struct task *t, const struct subject *s, int want)
{
    struct statx st;
    long r = subject_stat(t, s, &st);
    if (r < 0)
        return r;
    u32 type = st.stx_mode & S_IFMT;
    if (!has_place(&st))
        return want == MAY_WRITE ? -EPERM : -ENODATA;
    if (type == S_IFDIR && (st.stx_mode & S_ISVTX) && want == MAY_WRITE && !owns(t, &st))
        return -EPERM;
    return may_access(&t->cred, &st, want);
}

// Is it what never had a name: a pipe, socket, or eventfd and the like, which have no type? Linux
// keeps but user.* for them, if anything.
static bool is_nameless(struct task *t, const struct subject *s, const struct statx *st)
{
    return s->fd >= 0 && !has_place(st) &&
           (!(st->stx_mode & S_IFMT) || (meta_by_name(st->stx_mode) && fd_is_anonymous(t, s->fd)));
}

// Linux: fs/xattr.c, xattr_permission().
static long may_use(struct task *t, const struct subject *s, const char *name, int want)
{
    const struct cred *c = &t->cred;
    struct statx st;
    bool write = want == MAY_WRITE;
    if (write && s->mount >= 0 && (mount_at(t, s->mount)->flags & MS_RDONLY))
        return -EROFS;
    if (str_starts(name, XATTR_SYSTEM_PREFIX))
        return 0; // its handler asks
    if (str_starts(name, XATTR_USER_PREFIX))
        return may_user(t, s, want);
    if (str_starts(name, XATTR_TRUSTED_PREFIX) && !cred_has_cap(c, CAP_SYS_ADMIN))
        return write ? -EPERM : -ENODATA;
    // What is known to be a file or directory is not looked at.
    bool nameless = s->fd >= 0 && !fd_is_file(t, s->fd) && subject_stat(t, s, &st) >= 0 &&
                    is_nameless(t, s, &st);
    if (nameless && !(st.stx_mode & S_IFMT))
        return -EOPNOTSUPP;
    bool security = str_starts(name, XATTR_SECURITY_PREFIX);
    int cap = strcmp(name, XATTR_NAME_CAPS) ? CAP_SYS_ADMIN : CAP_SETFCAP;
    if (security && write && !cred_has_cap(c, cap))
        return -EPERM;
    if (security || str_starts(name, XATTR_TRUSTED_PREFIX))
        return nameless ? -EOPNOTSUPP : 0;
    long r = subject_stat(t, s, &st);
    return r < 0 ? r : may_access(c, &st, want);
}

// r, unless there is no such file.
static long place_error(struct task *t, const struct subject *s, long r)
{
    struct statx st;
    long found = subject_stat(t, s, &st);
    return found == -ENOENT || found == -ENAMETOOLONG ? found : r;
}

// WSL's attribute of directories, in a drive with case=dir.
static bool tells_case(struct task *t, const struct subject *s)
{
    struct statx st;
    return mount_at(t, subject_mount(t, s))->drive.nocase == CASE_DIR &&
           subject_stat(t, s, &st) >= 0 && (st.stx_mode & S_IFMT) == S_IFDIR;
}

static bool is_case(uptr value, size_t size)
{
    char c = 0;
    return size == 1 && !copy_from_guest(&c, value, 1) && (c == '0' || c == '1');
}

// The host's name of the attribute, if the task may use it. What kind of name it is comes after
// what the file is and permits.
static long host_name(struct task *t, const struct subject *s, struct names *n, int want)
{
    bool user = str_starts(n->guest, XATTR_USER_PREFIX);
    long named = xattr_name_to_host(n->guest, n->host);
    if (!strcmp(n->guest, CASE_XATTR) && !tells_case(t, s))
        named = -EOPNOTSUPP;
    if (named >= 0 && user && fs_unchecked(&t->cred) &&
        (want == MAY_READ || cred_has_cap(&t->cred, CAP_FOWNER)))
        return want == MAY_READ || s->mount < 0 || !(mount_at(t, s->mount)->flags & MS_RDONLY)
                   ? 0 // the host tells by type
                   : place_error(t, s, -EROFS);
    long r = may_use(t, s, n->guest, want);
    if (r >= 0)
        r = named;
    return r < 0 ? place_error(t, s, r) : r;
}

// In an overlay: the file is about to be changed, if the host will not refuse that by its type.
static long subject_up(struct task *t, const struct subject *s, const char *name)
{
    struct statx st;
    if (!s->loc)
        return 0;
    long r = subject_stat(t, s, &st);
    if (r >= 0 && !has_place(&st) && str_starts(name, XATTR_USER_PREFIX))
        return -EPERM;
    return r < 0 ? r : overlay_up(t, s->loc, s->p);
}

// A symlink, FIFO, socket or device node, whose attributes are kept with its name.
static bool subject_special(struct task *t, const struct subject *s, struct special *x)
{
    struct parent self = {.fd = s->fd, .name = ""};
    return special_begin(t, MAX(s->mount, 0), s->fd >= 0 ? &self : s->p, x);
}

// Not in the guest's user.*, of which such inodes have none.
static bool is_kept(const struct names *n)
{
    return !str_starts(n->guest, XATTR_USER_PREFIX);
}

static bool has_no_records(struct task *t, const struct subject *s)
{
    return meta_names_none(t, s->p) && !side_links_used(t, subject_mount(t, s));
}

static __attribute__((noinline)) long get_special(struct task *t, const struct subject *s,
                                                  const struct names *n, uptr value, size_t size)
{
    struct special x;
    long r = -ENODATA;
    // Where nothing in the directory has a record it need not be asked what it is.
    if ((s->fd < 0 && *s->p->name && has_no_records(t, s)) || !subject_special(t, s, &x))
        return r;
    char *own = arena_alloc(MORE_SIZE);
    r = own ? special_get(t, &x, n->guest, own, MIN(size, (size_t)MORE_SIZE)) : -ENOMEM;
    if (r > 0 && size && copy_to_guest(value, own, (size_t)r))
        r = -EFAULT;
    if (own)
        arena_free(own, MORE_SIZE);
    special_end(t, &x);
    return r;
}

// value: in lxcore's memory, NULL to remove it.
static long change_special(struct task *t, struct special *x, const struct names *n,
                           const void *value, size_t size, int flags, const u32 *mode)
{
    long r = special_set(t, x, n->guest, value, size, flags, mode);
    special_end(t, x);
    return r == -EOPNOTSUPP ? -EPERM : r;
}

static __attribute__((noinline)) long set_special(struct task *t, struct special *x,
                                                  const struct names *n, uptr value, size_t size,
                                                  int flags)
{
    if (size >= MORE_SIZE) {
        special_end(t, x);
        return -ENOSPC;
    }
    char *own = arena_alloc(MORE_SIZE);
    long r = !own ? -ENOMEM : copy_from_guest(own, value, size) ? -EFAULT : 0;
    if (r < 0)
        special_end(t, x);
    else
        r = change_special(t, x, n, own, size, flags, NULL);
    if (own)
        arena_free(own, MORE_SIZE);
    return r;
}

// The host refuses user.* where it cannot be (links, FIFOs, device nodes); for the classes that are
// kept as user.* that is no matter of permission.
static long kept_error(const struct names *n, long r)
{
    return r == -EPERM && !str_starts(n->guest, XATTR_USER_PREFIX) ? -EOPNOTSUPP : r;
}

static long copy_name(struct names *n, uptr name)
{
    long r = copy_str_from_guest(n->guest, name, sizeof n->guest);
    if (r == 0 || r == -ENAMETOOLONG)
        return -ERANGE;
    return r < 0 ? r : 0;
}

// A file's capabilities, struct vfs_ns_cap_data. Linux: security/commoncap.c, cap_convert_nscap().
static bool is_caps(uptr value, size_t size)
{
    u32 magic;
    if (copy_from_guest(&magic, value, sizeof magic))
        return true; // EFAULT later
    magic &= VFS_CAP_REVISION_MASK;
    return (size == XATTR_CAPS_SZ_2 && magic == VFS_CAP_REVISION_2) ||
           (size == XATTR_CAPS_SZ_3 && magic == VFS_CAP_REVISION_3);
}

// ---- ACLs ----

// An ACL to be set; size 0: none.
struct new_acl {
    char value[ACL_SIZE] __attribute__((aligned(8)));
    size_t size;
    bool empty, named;
};

// What is there to be done to a file that is no directory, when a default ACL is removed from it.
#define NOTHING 1

static long may_set_acl(struct task *t, const struct subject *s, bool access,
                        const struct statx *st, struct new_acl *acl)
{
    u32 type = st->stx_mode & S_IFMT;
    bool read_only = mount_at(t, subject_mount(t, s))->flags & MS_RDONLY;
    long r = read_only ? -EROFS : acl->size ? acl_parse(acl->value, acl->size) : 0;
    if (r < 0 || type == S_IFLNK)
        return r < 0 ? r : -EOPNOTSUPP;
    if (!access && type != S_IFDIR)
        return acl->empty ? NOTHING : -EACCES;
    if (!owns(t, st))
        return -EPERM;
    return acl->size ? acl_check(acl->value, acl->size, &acl->named) : 0;
}

// An access ACL holds only where the inode's own attribute says so, which is written last and
// removed first. v: what p, the subject, was seen to be, under its lock: a value and the word that
// it holds belong together.
static long set_access_seen(struct task *t, const struct subject *s, int mount,
                            const struct parent *p, const struct names *n,
                            const struct new_acl *acl, const struct meta_view *v)
{
    const struct statx *st = &v->guest;
    struct meta_change c = {.what = acl->named ? META_ACL : META_NO_ACL};
    struct special x;
    long r = 0;
    if (acl->empty && !(META_MORE(st) & ACL_HOLDS))
        return 0;
    c.mode = st->stx_mode & 07777;
    if (!acl->empty) {
        c.what |= META_MODE;
        c.mode = acl_mode(acl->value, acl->size, c.mode);
        if (!cred_in_group(&t->cred, st->stx_gid) && !cred_has_cap(&t->cred, CAP_FSETID))
            c.mode &= ~(u32)S_ISGID;
    }
    if (!has_place(st) && subject_special(t, s, &x))
        return change_special(t, &x, n, acl->named ? acl->value : NULL, acl->size, 0, &c.mode);
    if (acl->named)
        r = kept_error(n, raw_set(s, n->host, (uptr)acl->value, acl->size, 0));
    if (r >= 0)
        r = meta_set(t, mount, p, v, &c);
    if (r >= 0 && !acl->named && (META_MORE(st) & ACL_HOLDS))
        raw_remove(s, n->host);
    return r;
}

static long set_access(struct task *t, const struct subject *s, const struct names *n,
                       struct new_acl *acl)
{
    struct parent self = {.fd = s->fd, .name = "", .guests = true};
    const struct parent *p = s->fd >= 0 ? &self : s->p;
    struct meta_view v;
    int mount = subject_mount(t, s);
    long r = meta_look(t, mount, p, &v);
    if (r < 0)
        return r;
    r = may_set_acl(t, s, true, &v.guest, acl);
    if (r >= 0)
        r = set_access_seen(t, s, mount, p, n, acl, &v);
    meta_done(t, &v);
    return r;
}

// NULL as meta_lock().
static u32 *lock_inode(struct task *t, const struct subject *s)
{
    struct statx st;
    struct parent self = {.fd = s->fd, .name = "", .guests = true};
    return meta_host_stat(s->fd >= 0 ? &self : s->p, STATX_BASIC_STATS, &st) < 0
               ? NULL
               : meta_lock_inode(t, &st);
}

// Capabilities hold only where the attribute of the file says so, and go with a write as its
// set-id bits do (fs/change.c).
static bool is_caps_of_file(struct task *t, const struct subject *s, const char *name,
                            struct statx *st)
{
    return !strcmp(name, XATTR_NAME_CAPS) && subject_stat(t, s, st) >= 0 &&
           (st->stx_mode & S_IFMT) == S_IFREG;
}

static long change_caps(struct task *t, const struct subject *s, u32 what)
{
    struct meta_change c = {.what = what};
    return s->fd >= 0 ? meta_fchange(t, s->fd, &c) : meta_change(t, s->mount, s->p, &c);
}

// The value is there first, so what held until now is taken back before.
static long set_caps(struct task *t, const struct subject *s, const struct names *n, uptr value,
                     size_t size, int flags)
{
    struct statx st;
    u32 *lock = lock_inode(t, s);
    long r = subject_stat(t, s, &st);
    bool there = META_MORE(&st) & CAPS_HOLD;
    if (r >= 0 && (there ? flags & XATTR_CREATE : flags & XATTR_REPLACE))
        r = there ? -EEXIST : -ENODATA;
    if (r >= 0 && there)
        r = change_caps(t, s, META_NO_CAPS);
    if (r >= 0)
        r = raw_set(s, n->host, value, size, 0);
    if (r >= 0)
        r = change_caps(t, s, META_CAPS);
    if (lock)
        reserved_release(lock);
    return r;
}

// A new ACL (acl(5)), or none for size 0. An access ACL carries the mode with it; one that is no
// more than a mode is not kept. Linux: fs/posix_acl.c, set_posix_acl().
static long set_acl(struct task *t, const struct subject *s, const struct names *n, uptr value,
                    size_t size)
{
    struct new_acl acl;
    struct statx st;
    bool access = !strcmp(n->guest, XATTR_NAME_POSIX_ACL_ACCESS);
    acl.size = size;
    acl.empty = size <= 4;
    acl.named = false;
    if (size > sizeof acl.value)
        return -ENOSPC;
    if (copy_from_guest(acl.value, value, size))
        return -EFAULT;
    if (access && !s->loc)
        return set_access(t, s, n, &acl);
    long r = subject_stat(t, s, &st);
    if (r >= 0)
        r = may_set_acl(t, s, access, &st, &acl);
    if (r == NOTHING)
        return 0;
    if (r >= 0)
        r = subject_up(t, s, n->guest);
    if (r < 0)
        return r;
    if (access)
        return set_access(t, s, n, &acl);
    r = acl.empty ? 0 : acl_mark(t, subject_mount(t, s));
    if (r < 0)
        return kept_error(n, r);
    r = acl.empty ? raw_remove(s, n->host) : raw_set(s, n->host, (uptr)acl.value, size, 0);
    dir_attr_changed(t);
    return r == -ENODATA ? 0 : kept_error(n, r);
}

static long get_acl(struct task *t, const struct subject *s, const struct names *n, uptr value,
                    size_t size)
{
    char acl[ACL_SIZE] __attribute__((aligned(8)));
    struct special x;
    struct statx st;
    bool access = !strcmp(n->guest, XATTR_NAME_POSIX_ACL_ACCESS);
    long r = subject_stat(t, s, &st);
    if (r < 0)
        return r;
    if (is_nameless(t, s, &st))
        return -EOPNOTSUPP;
    if ((st.stx_mode & S_IFMT) == S_IFLNK)
        return -EOPNOTSUPP;
    if (access && !(META_MORE(&st) & ACL_HOLDS))
        r = -ENODATA;
    else if (!has_place(&st) && subject_special(t, s, &x)) {
        r = special_get(t, &x, n->guest, acl, sizeof acl);
        special_end(t, &x);
    } else
        r = raw_get(s, n->host, (uptr)acl, sizeof acl);
    if (r < 0 || !size)
        return r;
    if ((size_t)r > size)
        return -ERANGE;
    if (access)
        acl_set_mode(acl, (size_t)r, st.stx_mode);
    return copy_to_guest(value, acl, (size_t)r) ? -EFAULT : r;
}

// ---- The four operations ----

static long get(struct task *t, const struct subject *s, struct names *n, uptr value, size_t size)
{
    struct statx st;
    if (is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return get_acl(t, s, n, value, size);
    if (!strcmp(n->guest, SOCKET_XATTR) && subject_stat(t, s, &st) >= 0 &&
        (st.stx_mode & S_IFMT) == S_IFSOCK)
        return raw_get(s, SOCKET_XATTR, value, size);
    long r = host_name(t, s, n, MAY_READ);
    if (r >= 0 && overlay_hides(t, s->mount, n->guest))
        r = -ENODATA;
    if (r >= 0 && in_proc(t, s))
        r = place_error(t, s, -EOPNOTSUPP);
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st) && !(META_MORE(&st) & CAPS_HOLD))
        return -ENODATA;
    r = raw_get(s, n->host, value, size);
    if (r == -ENODATA && !strcmp(n->guest, CASE_XATTR))
        return size && copy_to_guest(value, "1", 1) ? -EFAULT : 1;
    return r == -ENODATA && is_kept(n) ? get_special(t, s, n, value, size) : r;
}

static long set(struct task *t, const struct subject *s, struct names *n, uptr value, size_t size,
                int flags)
{
    struct statx st;
    struct special x;
    if (is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return set_acl(t, s, n, value, size);
    if (size && !strcmp(n->guest, XATTR_NAME_CAPS) && !is_caps(value, size))
        return place_error(t, s, -EINVAL);
    long r = host_name(t, s, n, MAY_WRITE);
    if (r >= 0 && (in_proc(t, s) || overlay_hides(t, s->mount, n->guest)))
        r = -EOPNOTSUPP;
    if (r >= 0)
        r = subject_up(t, s, n->guest);
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st))
        return set_caps(t, s, n, value, size, flags);
    if (!strcmp(n->guest, CASE_XATTR) && !is_case(value, size))
        return -EINVAL;
    r = raw_set(s, n->host, value, size, flags);
    if (r == -EPERM && is_kept(n) && subject_special(t, s, &x))
        return set_special(t, &x, n, value, size, flags);
    return kept_error(n, r);
}

static long remove(struct task *t, const struct subject *s, struct names *n)
{
    struct statx st;
    struct special x;
    if (is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return set_acl(t, s, n, 0, 0);
    long r = host_name(t, s, n, MAY_WRITE);
    if (r >= 0 && (in_proc(t, s) || overlay_hides(t, s->mount, n->guest)))
        r = -EOPNOTSUPP;
    if (r >= 0 && s->p && s->p->over == OVER_LOWER) {
        r = raw_get(s, n->host, 0, 0); // nothing is copied for nothing
        if (r >= 0)
            r = subject_up(t, s, n->guest);
    }
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st))
        return META_MORE(&st) & CAPS_HOLD ? change_caps(t, s, META_NO_CAPS) : -ENODATA;
    r = raw_remove(s, n->host);
    if (r == -EPERM && is_kept(n) && subject_special(t, s, &x))
        return change_special(t, &x, n, NULL, 0, 0, NULL);
    return kept_error(n, r);
}

// Takes what does not hold, an access ACL or capabilities, out of a list of n bytes.
static long without_dead(struct task *t, const struct subject *s, char *names, long n)
{
    struct statx st;
    u64 holds = ACL_HOLDS | CAPS_HOLD;
    bool looked = false;
    for (long at = 0; at < n;) {
        long size = (long)strlen(names + at) + 1;
        u64 needs = !strcmp(names + at, XATTR_NAME_POSIX_ACL_ACCESS) ? ACL_HOLDS
                    : !strcmp(names + at, XATTR_NAME_CAPS)           ? CAPS_HOLD
                                                                     : 0;
        if (needs && !looked && subject_stat(t, s, &st) >= 0) {
            bool file = (st.stx_mode & S_IFMT) == S_IFREG;
            holds = META_MORE(&st) | (file ? 0 : CAPS_HOLD);
        }
        looked |= needs != 0;
        if (needs & ~holds) {
            memmove(names + at, names + at + size, (size_t)(n - at - size));
            n -= size;
        } else {
            at += size;
        }
    }
    return n;
}

// Without the overlay's own.
static size_t drop_hidden(struct task *t, int m, char *names, size_t size)
{
    size_t out = 0;
    for (size_t at = 0, n; at < size; at += n) {
        n = strlen(names + at) + 1;
        if (overlay_hides(t, m, names + at))
            continue;
        memmove(names + out, names + at, n);
        out += n;
    }
    return out;
}

// Of what the host lists nothing: there may be some with its name.
static long add_special(struct task *t, const struct subject *s, char *names, size_t size)
{
    struct special x;
    long r = 0;
    if (s->fd >= 0 && fd_is_file(t, s->fd))
        return 0;
    if ((s->fd >= 0 || !*s->p->name || !has_no_records(t, s)) && subject_special(t, s, &x)) {
        r = special_list(t, &x, cred_has_cap(&t->cred, CAP_SYS_ADMIN), names, size);
        special_end(t, &x);
    }
    return r;
}

static long list(struct task *t, const struct subject *s, uptr out, size_t size)
{
    char small[4096], *names = small;
    long r = raw_list(s, names, sizeof small);
    if (r == -ERANGE) {
        names = arena_alloc(XATTR_LIST_SIZE);
        if (!names)
            return -ENOMEM;
        r = raw_list(s, names, XATTR_LIST_SIZE);
    }
    if (r > 0) {
        bool trusted = cred_has_cap(&t->cred, CAP_SYS_ADMIN);
        r = (long)xattr_list_to_guest(names, (size_t)r, trusted);
        r = without_dead(t, s, names, r);
    }
    if (!r)
        r = add_special(t, s, names, names == small ? sizeof small : XATTR_LIST_SIZE);
    if (r > 0) {
        if (is_overlay(t, s->mount))
            r = (long)drop_hidden(t, s->mount, names, (size_t)r);
        if (size && (size_t)r > size)
            r = -ERANGE;
        else if (size && copy_to_guest(out, names, (size_t)r))
            r = -EFAULT;
    }
    if (names != small)
        arena_free(names, XATTR_LIST_SIZE);
    return r;
}

// ---- Finding the subject ----

enum what { GET, SET, LIST, REMOVE };
struct request {
    enum what what;
    uptr name, value;
    size_t size;
    int flags;
};

static long perform(struct task *t, const struct subject *s, const struct request *q,
                    struct names *n)
{
    // The file system has none (SB_POSIXACL).
    if (q->what != LIST && is_acl(n->guest) && in_proc(t, s))
        return place_error(
            t, s,
            q->what != GET && (mount_at(t, s->mount)->flags & MS_RDONLY) ? -EROFS : -EOPNOTSUPP);
    switch (q->what) {
    case GET:
        return get(t, s, n, q->value, q->size);
    case SET:
        return set(t, s, n, q->value, q->size, q->flags);
    case LIST:
        return list(t, s, q->value, q->size);
    default:
        return remove(t, s, n);
    }
}

// What the kernel checks before it looks for the file.
static long check(const struct request *q, struct names *n)
{
    if (q->what == SET && (q->flags & ~(XATTR_CREATE | XATTR_REPLACE)))
        return -EINVAL;
    long r = q->what == LIST ? 0 : copy_name(n, q->name);
    if (r >= 0 && q->what == SET && q->size > VALUE_MAX)
        return -E2BIG;
    return r;
}

// In an overlay, where the descriptor is not of the file to be changed; NOT_OVER: it is. In a frame
// of its own.
#define NOT_OVER 1
static __attribute__((noinline)) long on_upper(struct task *t, int fd, const struct request *q,
                                               struct names *n)
{
    struct loc loc;
    struct parent upper;
    bool asked;
    long r = overlay_fd_up(t, fd, &loc, &upper);
    if (r <= 0)
        return r < 0 ? r : NOT_OVER;
    struct subject s = {-1, loc.mount, &upper, &asked, &loc, NULL};
    r = perform(t, &s, q, n);
    parent_done(t, &upper);
    return r;
}

static __attribute__((noinline)) long parse_acl(const struct request *q)
{
    char acl[ACL_SIZE] __attribute__((aligned(8)));
    if (!q->size || q->size > sizeof acl)
        return 0;
    return copy_from_guest(acl, q->value, q->size) ? -EFAULT : acl_parse(acl, q->size);
}

// Linux: fs/xattr.c, may_write_xattr(); of an ACL, posix_acl_from_xattr() comes first.
static long may_change_proc(struct task *t, const struct subject *s, const struct request *q,
                            const struct names *n)
{
    struct statx st;
    long r = subject_stat(t, s, &st);
    if (r < 0 || (mount_at(t, s->mount)->flags & MS_RDONLY))
        return r;
    if (q->what == SET && is_acl(n->guest))
        r = parse_acl(q);
    return r < 0 ? r : META_MORE(&st) & MORE_IMMUTABLE ? -EPERM : 0;
}

// A descriptor of what is in /proc, though it may be a memory file of procfs's.
static __attribute__((noinline)) long on_proc_fd(struct task *t, struct subject *s,
                                                 const struct request *q, struct names *n)
{
    struct loc loc;
    if (fd_is_path(t, s->fd))
        return -EBADF;
    if (loc_of_fd(t, s->fd, &loc) >= 0 && mount_at(t, loc.mount)->type == FS_PROC)
        s->proc = loc.rel;
    long r = q->what == SET || q->what == REMOVE ? may_change_proc(t, s, q, n) : 0;
    if (r >= 0)
        r = perform(t, s, q, n);
    s->proc = NULL; // loc ends here
    return r;
}

static long on_fd(struct task *t, int fd, const struct request *q)
{
    struct names n;
    long r = check(q, &n);
    if (r < 0)
        return r;
    bool asked = false;
    struct subject s = {fd, fd_mount(t, fd), NULL, &asked, NULL, NULL};
    bool reads = q->what == GET || q->what == LIST; // nothing is done before the host can say EBADF
    if (fd < 0 || (!reads && fd_is_path(t, fd)))
        return -EBADF;
    if (!reads && is_overlay(t, s.mount) && (r = on_upper(t, fd, q, &n)) != NOT_OVER)
        return r;
    if (q->what != LIST && in_proc(t, &s))
        return on_proc_fd(t, &s, q, &n);
    r = perform(t, &s, q, &n);
    return reads && !asked && fd_is_path(t, fd) ? -EBADF : r;
}

static long on_path(struct task *t, int dirfd, uptr path, int at_flags, const struct request *q)
{
    struct pathop op;
    struct names n;
    char first;
    if (at_flags & ~AT_FLAGS)
        return -EINVAL;
    // An empty path, or none: the descriptor itself.
    if ((at_flags & AT_EMPTY_PATH) && dirfd >= 0 &&
        (!path || (!copy_from_guest(&first, path, 1) && !first)))
        return on_fd(t, dirfd, q);
    long r = check(q, &n);
    if (r < 0)
        return r;
    r = pathop_begin(t, &op, dirfd, path,
                     (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
                         (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0));
    if (r < 0)
        return r;
    bool asked, changes = q->what == SET || q->what == REMOVE;
    if (changes)
        r = pathop_hold(t, &op);
    struct subject s = {-1, MAX(op.loc.mount, 0), &op.p, &asked, op.p.over ? &op.loc : NULL, NULL};
    if (in_proc(t, &s))
        s.proc = op.loc.rel;
    struct statx st;
    if (r >= 0 && op.loc.must_be_dir) {
        r = subject_stat(t, &s, &st);
        if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFDIR)
            r = -ENOTDIR;
    }
    if (r >= 0 && changes && s.proc)
        r = may_change_proc(t, &s, q, &n);
    if (r >= 0)
        r = perform(t, &s, q, &n);
    pathop_end(t, &op);
    return r;
}

long sys_setxattr(struct task *t, uptr path, uptr name, uptr value, size_t size, int flags)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){SET, name, value, size, flags});
}

long sys_lsetxattr(struct task *t, uptr path, uptr name, uptr value, size_t size, int flags)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){SET, name, value, size, flags});
}

long sys_fsetxattr(struct task *t, int fd, uptr name, uptr value, size_t size, int flags)
{
    return on_fd(t, fd, &(struct request){SET, name, value, size, flags});
}

long sys_getxattr(struct task *t, uptr path, uptr name, uptr value, size_t size)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){GET, name, value, size, 0});
}

long sys_lgetxattr(struct task *t, uptr path, uptr name, uptr value, size_t size)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){GET, name, value, size, 0});
}

long sys_fgetxattr(struct task *t, int fd, uptr name, uptr value, size_t size)
{
    return on_fd(t, fd, &(struct request){GET, name, value, size, 0});
}

long sys_listxattr(struct task *t, uptr path, uptr list, size_t size)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){LIST, 0, list, size, 0});
}

long sys_llistxattr(struct task *t, uptr path, uptr list, size_t size)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){LIST, 0, list, size, 0});
}

long sys_flistxattr(struct task *t, int fd, uptr list, size_t size)
{
    return on_fd(t, fd, &(struct request){LIST, 0, list, size, 0});
}

long sys_removexattr(struct task *t, uptr path, uptr name)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){REMOVE, name, 0, 0, 0});
}

long sys_lremovexattr(struct task *t, uptr path, uptr name)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){REMOVE, name, 0, 0, 0});
}

long sys_fremovexattr(struct task *t, int fd, uptr name)
{
    return on_fd(t, fd, &(struct request){REMOVE, name, 0, 0, 0});
}

// ---- The family of Linux 6.13 ----

// struct xattr_args.
struct at_args {
    u64 value;
    u32 size;
    u32 flags;
};

// As copy_struct_from_user(): a longer one is understood when the rest is zero.
static long copy_args(struct at_args *a, uptr args, size_t size)
{
    u8 rest[64];
    if (size < sizeof *a)
        return -EINVAL;
    if (size > LX_PAGE)
        return -E2BIG;
    for (size_t at = sizeof *a; at < size; at += sizeof rest) {
        size_t n = MIN(size - at, sizeof rest);
        if (copy_from_guest(rest, args + at, n))
            return -EFAULT;
        for (size_t i = 0; i < n; i++)
            if (rest[i])
                return -E2BIG;
    }
    return copy_from_guest(a, args, sizeof *a);
}

long sys_setxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name,
                    uptr args, size_t size)
{
    struct at_args a;
    long r = copy_args(&a, args, size);
    if (r < 0)
        return r;
    struct request q = {SET, name, a.value, a.size, (int)a.flags};
    return on_path(t, dirfd, path, (int)at_flags, &q);
}

long sys_getxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name,
                    uptr args, size_t size)
{
    struct at_args a;
    long r = copy_args(&a, args, size);
    if (r < 0)
        return r;
    if (a.flags)
        return -EINVAL;
    struct request q = {GET, name, a.value, a.size, 0};
    return on_path(t, dirfd, path, (int)at_flags, &q);
}

long sys_listxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr list,
                     size_t size)
{
    return on_path(t, dirfd, path, (int)at_flags, &(struct request){LIST, 0, list, size, 0});
}

long sys_removexattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name)
{
    return on_path(t, dirfd, path, (int)at_flags, &(struct request){REMOVE, name, 0, 0, 0});
}
