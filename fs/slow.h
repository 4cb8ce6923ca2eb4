// SPDX-License-Identifier: MIT
// Inside of the slow walk: what fs/walk.c and fs/walkup.c share. The interface is include/walk.h.
#ifndef LX_FS_SLOW_H
#define LX_FS_SLOW_H

#include "fs.h"

// A walk under way. loc is the place that it has reached.
struct walk {
    struct task *t;
    s32 root_mount; // struct fsctx, as they were at the beginning
    const char *root;
    struct loc *loc;
    int flags;
    int links;      // followed so far
    bool anchored;  // rel begins at loc->base, which is no mount's root
    bool text;      // the rest is left to whoever uses loc (WALK_TEXT)
    bool placed;    // in an overlay: loc has the layer of the place reached
    s32 dir;        // the directory that the component to be looked at lies in, open; -1: is not
    s32 start_base; // where a walk with limits began: the anchor, or (mount, rel)
    s32 start_mount;
    const char *start_rel; // NULL: the anchor
    const char *todo;      // what is left of the path, after a link was put in
    char *link;            // where the next link is read to: one of room, todo may be the other
    char *mapped;          // todo, once it was too long for these
    bool descriptor;       // the link just looked at is a descriptor's
    bool object;           // such a one was followed: its text ends with so many bytes behind it
    size_t behind_object;  // (loc->object)
    char room[2][LX_PATH_MAX];
};

// The anchor is given up for a place that has a name.
static inline void walk_leave_anchor(struct walk *w)
{
    loc_done(w->t, w->loc);
    w->anchored = false;
}

// From a place to the directory that its name lies in.
static inline void walk_step_back(struct loc *loc)
{
    char *slash = strrchr(loc->rel, '/');
    *(slash ? slash : loc->rel) = 0;
}

// The first component of path, its length; *next: what follows it.
static inline size_t walk_component(const char *path, const char **next)
{
    size_t n = 0;
    while (path[n] && path[n] != '/')
        n++;
    for (*next = path + n; **next == '/';)
        ++*next;
    return n;
}

// "..": to the directory above, over mount points, not above the root. With limits of openat2 the
// start is where it ends: an error for BENEATH, the root for IN_ROOT. 0 or -errno.
long walk_step_up(struct walk *w);

#endif
