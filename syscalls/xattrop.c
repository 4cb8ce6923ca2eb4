// SPDX-License-Identifier: MIT
// The four operations on an extended attribute, when it is known what they work on: which class a
// name is of, who may use it, and where it is kept. Linux: fs/xattr.c, security/commoncap.c. ACLs:
// syscalls/xattracl.c.
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "nocase.h"
#include "uaccess.h"
#include "xattrop.h"

// user.*: like the content of a file, and only files and directories have it.
static long may_user(struct task *t, const struct subject *s, int want)
{
    struct statx st;
    long r = subject_stat(t, s, &st);
    if (r < 0)
        return r;
    u32 type = st.stx_mode & S_IFMT;
    if (!carries_attr(st.stx_mode))
        return want == MAY_WRITE ? -EPERM : -ENODATA;
    if (type == S_IFDIR && (st.stx_mode & S_ISVTX) && want == MAY_WRITE &&
        !inode_owner_or_capable(&t->cred, &st))
        return -EPERM;
    return may_access(&t->cred, &st, want);
}

// Linux: fs/xattr.c, xattr_permission().
static long may_use(struct task *t, const struct subject *s, const char *name, int want)
{
    const struct cred *c = &t->cred;
    struct statx st;
    bool write = want == MAY_WRITE;
    if (write && s->mount >= 0 && (mount_flags(t, s->mount) & MS_RDONLY))
        return -EROFS;
    if (str_starts(name, XATTR_SYSTEM_PREFIX))
        return 0; // its handler asks
    if (str_starts(name, XATTR_USER_PREFIX))
        return may_user(t, s, want);
    if (str_starts(name, XATTR_TRUSTED_PREFIX) && !cred_has_cap(c, CAP_SYS_ADMIN))
        return write ? -EPERM : -ENODATA;
    // What is known to be a file or directory is not looked at.
    bool nameless = s->fd >= 0 && !fd_is_file(t, s->fd) && subject_stat(t, s, &st) >= 0 &&
                    subject_is_nameless(t, s, &st);
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
static long host_name(struct task *t, const struct subject *s, struct xattr_names *n, int want)
{
    bool user = str_starts(n->guest, XATTR_USER_PREFIX);
    long named = xattr_name_to_host(n->guest, n->host);
    if (!strcmp(n->guest, CASE_XATTR) && !tells_case(t, s))
        named = -EOPNOTSUPP;
    if (named >= 0 && user && fs_unchecked(&t->cred) &&
        (want == MAY_READ || cred_has_cap(&t->cred, CAP_FOWNER)))
        return want == MAY_READ || s->mount < 0 || !(mount_flags(t, s->mount) & MS_RDONLY)
                   ? 0 // the host tells by type
                   : subject_error(t, s, -EROFS);
    long r = may_use(t, s, n->guest, want);
    if (r >= 0)
        r = named;
    return r < 0 ? subject_error(t, s, r) : r;
}

// Not in the guest's user.*, of which such inodes have none.
static bool is_kept(const struct xattr_names *n)
{
    return !str_starts(n->guest, XATTR_USER_PREFIX);
}

static bool has_no_records(struct task *t, const struct subject *s)
{
    return meta_names_none(t, s->p) && !side_links_used(t, subject_mount(t, s));
}

static __attribute__((noinline)) long get_special(struct task *t, const struct subject *s,
                                                  const struct xattr_names *n, uptr value,
                                                  size_t size)
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
long xattr_change_special(struct task *t, struct special *x, const struct xattr_names *n,
                          const void *value, size_t size, int flags, const u32 *mode)
{
    long r = special_set(t, x, n->guest, value, size, flags, mode);
    special_end(t, x);
    return r == -EOPNOTSUPP ? -EPERM : r;
}

static __attribute__((noinline)) long set_special(struct task *t, struct special *x,
                                                  const struct xattr_names *n, uptr value,
                                                  size_t size, int flags)
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
        r = xattr_change_special(t, x, n, own, size, flags, NULL);
    if (own)
        arena_free(own, MORE_SIZE);
    return r;
}

long xattr_kept_error(const struct xattr_names *n, long r)
{
    return r == -EPERM && !str_starts(n->guest, XATTR_USER_PREFIX) ? -EOPNOTSUPP : r;
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

// ---- Capabilities of a file ----

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
static long set_caps(struct task *t, const struct subject *s, const struct xattr_names *n,
                     uptr value, size_t size, int flags)
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
        r = subject_set(t, s, n->host, value, size, 0);
    if (r >= 0)
        r = change_caps(t, s, META_CAPS);
    if (lock)
        reserved_release(lock);
    return r;
}

// ---- The four operations ----

long xattr_get(struct task *t, const struct subject *s, struct xattr_names *n, uptr value,
               size_t size)
{
    struct statx st;
    if (xattr_is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return xattr_get_acl(t, s, n, value, size);
    if (!strcmp(n->guest, SOCKET_XATTR) && subject_stat(t, s, &st) >= 0 &&
        (st.stx_mode & S_IFMT) == S_IFSOCK)
        return subject_get(s, SOCKET_XATTR, value, size);
    long r = host_name(t, s, n, MAY_READ);
    if (r >= 0 && overlay_hides(t, s->mount, n->guest))
        r = -ENODATA;
    if (r >= 0 && subject_in_proc(t, s))
        r = subject_error(t, s, -EOPNOTSUPP);
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st) && !(META_MORE(&st) & CAPS_HOLD))
        return -ENODATA;
    r = subject_get(s, n->host, value, size);
    if (r == -ENODATA && !strcmp(n->guest, CASE_XATTR))
        return size && copy_to_guest(value, "1", 1) ? -EFAULT : 1;
    return r == -ENODATA && is_kept(n) ? get_special(t, s, n, value, size) : r;
}

long xattr_set(struct task *t, const struct subject *s, struct xattr_names *n, uptr value,
               size_t size, int flags)
{
    struct statx st;
    struct special x;
    if (xattr_is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return xattr_set_acl(t, s, n, value, size);
    if (size && !strcmp(n->guest, XATTR_NAME_CAPS) && !is_caps(value, size))
        return subject_error(t, s, -EINVAL);
    long r = host_name(t, s, n, MAY_WRITE);
    if (r >= 0 && (subject_in_proc(t, s) || overlay_hides(t, s->mount, n->guest)))
        r = -EOPNOTSUPP;
    if (r >= 0)
        r = subject_up(t, s, n->guest);
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st))
        return set_caps(t, s, n, value, size, flags);
    if (!strcmp(n->guest, CASE_XATTR) && !is_case(value, size))
        return -EINVAL;
    r = subject_set(t, s, n->host, value, size, flags);
    if (r == -EPERM && is_kept(n) && subject_special(t, s, &x))
        return set_special(t, &x, n, value, size, flags);
    return xattr_kept_error(n, r);
}

long xattr_remove(struct task *t, const struct subject *s, struct xattr_names *n)
{
    struct statx st;
    struct special x;
    if (xattr_is_acl(n->guest) && xattr_name_to_host(n->guest, n->host) >= 0)
        return xattr_set_acl(t, s, n, 0, 0);
    long r = host_name(t, s, n, MAY_WRITE);
    if (r >= 0 && (subject_in_proc(t, s) || overlay_hides(t, s->mount, n->guest)))
        r = -EOPNOTSUPP;
    if (r >= 0 && s->p && s->p->over == OVER_LOWER) {
        r = subject_get(s, n->host, 0, 0); // nothing is copied for nothing
        if (r >= 0)
            r = subject_up(t, s, n->guest);
    }
    if (r < 0)
        return r;
    if (is_caps_of_file(t, s, n->guest, &st))
        return META_MORE(&st) & CAPS_HOLD ? change_caps(t, s, META_NO_CAPS) : -ENODATA;
    r = subject_remove(s, n->host);
    if (r == -EPERM && is_kept(n) && subject_special(t, s, &x))
        return xattr_change_special(t, &x, n, NULL, 0, 0, NULL);
    return xattr_kept_error(n, r);
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

long xattr_list(struct task *t, const struct subject *s, uptr out, size_t size)
{
    char small[4096], *names = small;
    long r = subject_list(s, names, sizeof small);
    if (r == -ERANGE) {
        names = arena_alloc(XATTR_LIST_SIZE);
        if (!names)
            return -ENOMEM;
        r = subject_list(s, names, XATTR_LIST_SIZE);
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
