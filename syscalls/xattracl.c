// SPDX-License-Identifier: MIT
// POSIX ACLs, as the attributes that acl(5)'s library reads and writes: who may change them, and
// how an access ACL and the mode go together. What they look like and permit: fs/acl.c. Linux:
// fs/posix_acl.c.
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "uaccess.h"
#include "xattrop.h"

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
    bool read_only = mount_flags(t, subject_mount(t, s)) & MS_RDONLY;
    long r = read_only ? -EROFS : acl->size ? acl_parse(acl->value, acl->size) : 0;
    if (r < 0 || type == S_IFLNK)
        return r < 0 ? r : -EOPNOTSUPP;
    if (!access && type != S_IFDIR)
        return acl->empty ? NOTHING : -EACCES;
    if (!inode_owner_or_capable(&t->cred, st))
        return -EPERM;
    return acl->size ? acl_check(acl->value, acl->size, &acl->named) : 0;
}

// An access ACL holds only where the inode's own attribute says so, which is written last and
// removed first. v: what p, the subject, was seen to be, under its lock: a value and the word that
// it holds belong together.
static long set_access_seen(struct task *t, const struct subject *s, int mount,
                            const struct parent *p, const struct xattr_names *n,
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
    if (!carries_attr(st->stx_mode) && subject_special(t, s, &x))
        return xattr_change_special(t, &x, n, acl->named ? acl->value : NULL, acl->size, 0,
                                    &c.mode);
    if (acl->named)
        r = xattr_kept_error(n, subject_set(t, s, n->host, (uptr)acl->value, acl->size, 0));
    if (r >= 0)
        r = meta_set(t, mount, p, v, &c);
    if (r >= 0 && !acl->named && (META_MORE(st) & ACL_HOLDS))
        subject_remove(s, n->host);
    return r;
}

static long set_access_once(struct task *t, const struct subject *s, const struct xattr_names *n,
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

static long set_access(struct task *t, const struct subject *s, const struct xattr_names *n,
                       struct new_acl *acl)
{
    struct parent held;
    struct subject by = *s;
    long r = set_access_once(t, s, n, acl);
    if (r != META_ANOTHER)
        return r;
    r = meta_hold(t, s->p, &held);
    if (r < 0)
        return r;
    by.p = &held;
    r = set_access_once(t, &by, n, acl);
    temp_close(t, held.fd);
    return r;
}

// Linux: fs/posix_acl.c, set_posix_acl().
long xattr_set_acl(struct task *t, const struct subject *s, const struct xattr_names *n, uptr value,
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
        return xattr_kept_error(n, r);
    r = acl.empty ? subject_remove(s, n->host)
                  : subject_set(t, s, n->host, (uptr)acl.value, size, 0);
    dir_attr_changed(t);
    return r == -ENODATA ? 0 : xattr_kept_error(n, r);
}

long xattr_get_acl(struct task *t, const struct subject *s, const struct xattr_names *n, uptr value,
                   size_t size)
{
    char acl[ACL_SIZE] __attribute__((aligned(8)));
    struct special x;
    struct statx st;
    bool access = !strcmp(n->guest, XATTR_NAME_POSIX_ACL_ACCESS);
    long r = subject_stat(t, s, &st);
    if (r < 0)
        return r;
    if (subject_is_nameless(t, s, &st))
        return -EOPNOTSUPP;
    if ((st.stx_mode & S_IFMT) == S_IFLNK)
        return -EOPNOTSUPP;
    if (access && !(META_MORE(&st) & ACL_HOLDS))
        r = -ENODATA;
    else if (!carries_attr(st.stx_mode) && subject_special(t, s, &x)) {
        r = special_get(t, &x, n->guest, acl, sizeof acl);
        special_end(t, &x);
    } else
        r = subject_get(s, n->host, (uptr)acl, sizeof acl);
    if (r < 0 || !size)
        return r;
    if ((size_t)r > size)
        return -ERANGE;
    if (access)
        acl_set_mode(acl, (size_t)r, st.stx_mode);
    return copy_to_guest(value, acl, (size_t)r) ? -EFAULT : r;
}
