// SPDX-License-Identifier: MIT
// What a call of extended attributes works on, a place or a descriptor: the host's calls for it,
// and what it is to the guest.
#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "procfs.h"
#include "uaccess.h"
#include "xattrop.h"

long subject_get(const struct subject *s, const char *name, uptr value, size_t size)
{
    *s->asked = true;
    return s->fd >= 0 ? host_fgetxattr(s->fd, name, (void *)value, size)
                      : host_getxattr_at(s->p, name, (void *)value, size);
}

long subject_set(const struct subject *s, const char *name, uptr value, size_t size, int flags)
{
    return s->fd >= 0 ? host_fsetxattr(s->fd, name, (const void *)value, size, flags)
                      : host_setxattr_at(s->p, name, (const void *)value, size, flags);
}

long subject_list(const struct subject *s, char *list, size_t size)
{
    *s->asked = true;
    return s->fd >= 0 ? host_flistxattr(s->fd, list, size) : host_listxattr_at(s->p, list, size);
}

long subject_remove(const struct subject *s, const char *name)
{
    return s->fd >= 0 ? host_fremovexattr(s->fd, name) : host_removexattr_at(s->p, name);
}

long subject_stat(struct task *t, const struct subject *s, struct statx *st)
{
    long r = s->fd >= 0 ? meta_fstat(t, s->fd, STATX_BASIC_STATS, st)
                        : meta_stat(t, s->mount, s->p, STATX_BASIC_STATS, st);
    if (r >= 0 && s->proc)
        procfs_stat(t, s->proc, st);
    return r;
}

int subject_mount(struct task *t, const struct subject *s)
{
    struct loc loc;
    if (s->mount >= 0)
        return s->mount;
    return loc_of_fd(t, s->fd, &loc) >= 0 ? loc.mount : 0;
}

bool subject_in_proc(struct task *t, const struct subject *s)
{
    return s->mount >= 0 && mount_at(t, s->mount)->type == FS_PROC;
}

bool subject_is_nameless(struct task *t, const struct subject *s, const struct statx *st)
{
    return s->fd >= 0 && !carries_attr(st->stx_mode) &&
           (!(st->stx_mode & S_IFMT) || (meta_by_name(st->stx_mode) && fd_is_anonymous(t, s->fd)));
}

long subject_up(struct task *t, const struct subject *s, const char *name)
{
    struct statx st;
    if (!s->loc)
        return 0;
    long r = subject_stat(t, s, &st);
    if (r >= 0 && !carries_attr(st.stx_mode) && str_starts(name, XATTR_USER_PREFIX))
        return -EPERM;
    if (r < 0 || s->p->over != OVER_LOWER)
        return r;
    r = overlay_copy_up(t, s->loc, s->p);
    return r < 0 ? r : -ESTALE;
}

bool subject_special(struct task *t, const struct subject *s, struct special *x)
{
    struct parent self = {.fd = s->fd, .name = ""};
    return special_begin(t, MAX(s->mount, 0), s->fd >= 0 ? &self : s->p, x);
}

long subject_error(struct task *t, const struct subject *s, long r)
{
    struct statx st;
    long found = subject_stat(t, s, &st);
    return found == -ENOENT || found == -ENAMETOOLONG ? found : r;
}
