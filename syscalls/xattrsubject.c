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

static long set(const struct subject *s, const char *name, uptr value, size_t size, int flags)
{
    return s->fd >= 0 ? host_fsetxattr(s->fd, name, (const void *)value, size, flags)
                      : host_setxattr_at(s->p, name, (const void *)value, size, flags);
}

// Records of its entries may fill a directory, which to the guest is nearly empty.
static __attribute__((noinline)) long set_in_full(struct task *t, const struct subject *s,
                                                  const char *name, uptr value, size_t size,
                                                  int flags)
{
    const char *path = s->fd >= 0 || !*s->p->name ? "." : s->p->name;
    int mount = subject_mount(t, s);
    long r = -ENOSPC;
    if (!meta_is_kept(t, mount))
        return r;
    long fd = temp_open(t, s->fd >= 0 ? s->fd : s->p->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW,
                        WALK_RESOLVE);
    struct parent dir = {.fd = (s32)fd, .name = "."};
    for (int step = 0; fd >= 0 && side_is_full(r) && step < SIDE_ROOM_STEPS; step++)
        if (side_make_room(t, mount, &dir, step))
            r = set(s, name, value, size, flags);
    if (fd >= 0)
        temp_close(t, (int)fd);
    return r;
}

long subject_set(struct task *t, const struct subject *s, const char *name, uptr value, size_t size,
                 int flags)
{
    long r = set(s, name, value, size, flags);
    return side_is_full(r) ? set_in_full(t, s, name, value, size, flags) : r;
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
