// SPDX-License-Identifier: MIT
// The slow walk (fs/walk.c), which only path_walk() begins. It leaves in loc where the path leads.
#ifndef LX_WALK_H
#define LX_WALK_H

#include "fs.h"

// From (mount, rel) in loc; the root for an absolute path.
long walk_slow(struct task *t, const char *path, int flags, struct loc *loc);
// From a directory of the guest's, in mount loc->mount.
long walk_from(struct task *t, int dirfd, const char *path, int flags, struct loc *loc);
// Mount that a directory of the guest's lies in.
long walk_mount_of(struct task *t, int dirfd);

// Collapses slashes and "." of a path into out, without a leading slash. Tells whether the path
// must be a directory by its end, and whether it has a "..". Its length, or -ENAMETOOLONG.
long path_normalise(const char *in, char *out, size_t size, bool *dir, bool *dots, bool *dotdot);
// May the way rel inside mount m be left to the host? Not in /proc, where names are the instance's,
// and not where it could cross into another mount.
bool path_text_serves(struct task *t, int m, const char *rel);

#endif
