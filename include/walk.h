// SPDX-License-Identifier: MIT
// The slow walk (fs/walk.c, fs/walkup.c), which only path_walk() begins. It leaves in loc where the
// path leads; each returns 0 or -errno.
#ifndef LX_WALK_H
#define LX_WALK_H

#include "fs.h"

// Where a directory was, on the way that has been walked, a link has come: the walk is to begin
// anew.
#define WALK_ANEW (-0x10000)

// From (mount, rel) in loc; the root for an absolute path.
long walk_slow(struct task *t, const char *path, int flags, struct loc *loc);
// From a directory of the guest's, in mount loc->mount.
long walk_from(struct task *t, int dirfd, const char *path, int flags, struct loc *loc);
// Mount that a directory of the guest's lies in, or -errno.
long walk_mount_of(struct task *t, int dirfd);
// Does it lie in an overlay's upper layer, in a part that is that layer's alone?
bool walk_in_upper(struct task *t, int dirfd);

// ---- What the text of a path says of it (fs/path.c) ----

struct path_end {
    bool dir;    // it must be a directory, by its end
    bool dots;   // that is "." or ".."
    bool dotdot; // there is a ".." in it
    bool point;  // a component may have the name of a mount point
    u16 name;    // where in the result the last one begins,
    u32 hash;    // and its name_hash()
};
// Collapses slashes and "." of a path into out, without a leading slash. Its length, or
// -ENAMETOOLONG.
long path_normalise(struct task *t, const char *in, char *out, size_t size, struct path_end *end);
// Is a component of rel the name of a mount point? Where `point` says that one may be.
bool path_text_enters(struct task *t, const char *rel);
// May the way rel inside mount m be left to the host? Not in /proc, where names are the instance's,
// and not where it could cross into another mount. point: as above.
static inline bool path_text_serves(struct task *t, int m, bool point, const char *rel)
{
    return mount_is_plain(t, m) && !(point && path_text_enters(t, rel));
}

#endif
