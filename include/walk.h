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

#endif
