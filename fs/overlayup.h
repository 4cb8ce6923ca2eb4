// SPDX-License-Identifier: MIT
// Inside of what changes overlays: what fs/overlayup.c and fs/overlaynames.c share. The interface
// is include/overlay.h.
#ifndef LX_FS_OVERLAYUP_H
#define LX_FS_OVERLAYUP_H

#include "host.h"
#include "overlay.h"

// A name in overlay m's directory for work that nobody else uses, also put into `name`.
struct parent overlay_work_name(struct task *t, int m, char name[32]);
// Brings the directory that loc lies in into the upper layer, and pins p there. Where it was found
// there, p is pinned in it, whatever becomes of its name. 0 or -errno.
long overlay_pin_in_upper(struct task *t, struct loc *loc, struct parent *p);
// Is there a whiteout at p now?
bool overlay_white_now(struct task *t, int m, const struct parent *p);
// Makes an empty copy of directory `from`, attributes and all, under a name for work: *ready, whose
// name is in `name`. 0 or -errno, and then it is gone again.
long overlay_copy_dir(struct task *t, int m, const struct parent *from, char name[32],
                      struct parent *ready);

// The host's calls on one name.
static inline long look(const struct parent *p, struct statx *st)
{
    return host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS, st);
}

static inline bool is_dir(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFDIR;
}

static inline long unlink_at(const struct parent *p, int flags)
{
    return HOST3(__NR_unlinkat, p->fd, p->name, flags);
}

static inline long rename_to(const struct parent *a, const struct parent *b, u32 flags)
{
    return HOST5(__NR_renameat2, a->fd, a->name, b->fd, b->name, flags);
}

#endif
