// SPDX-License-Identifier: MIT
// Overlay mounts (docs/files.md, "Overlay mounts"). A place in one is found in a layer, and from
// there on it is a name in a directory of the host as any other: loc->base is the root of that
// layer. What changes something first brings it into the upper layer.
#ifndef LX_OVERLAY_H
#define LX_OVERLAY_H

#include "mounting.h"

// struct loc and struct parent: where the name was found.
enum {
    OVER_NOT,    // in no overlay
    OVER_UPPER,  // in the upper layer
    OVER_LOWER,  // in another one
    OVER_ABSENT, // in none: base is where its directory was found
    OVER_WHITE,  // the upper layer says by a whiteout that it is not there
};

// Attribute of what was copied up: the inode number that it had before, which it goes on showing.
#define OVERLAY_INO "user.lxrun.ino"

static inline bool is_overlay(struct task *t, int m)
{
    return m >= 0 && mount_at(t, m)->type == FS_OVERLAY;
}

// ---- Looking (fs/overlay.c) ----

// Finds loc->rel in the layers of loc->mount: base and over. 0 for a name that is not there in a
// directory that is.
long overlay_place(struct task *t, struct loc *loc);
// What is said of a name that is not there: none can be that is longer than NAME_MAX.
static inline long overlay_absent(const struct loc *loc)
{
    const char *slash = strrchr(loc->rel, '/');
    return strlen(slash ? slash + 1 : loc->rel) > 255 ? -ENAMETOOLONG : -ENOENT;
}
// Is loc->rel a directory, reached through no link?
bool overlay_is_dir(struct task *t, struct loc *loc);
// Does a layer below the upper one show rel, or would, if it were not above?
bool overlay_below(struct task *t, int m, const char *rel);
// The layers that a directory is made of, from the top. Their number.
int overlay_parts(struct task *t, int m, const char *rel, s32 out[MOUNTS_MAX]);
// Is the directory that loc_of_fd() has found in loc the upper layer's alone, with all in it?
bool overlay_is_own(struct task *t, const struct loc *loc);
// The links of a directory at loc, into *st, which has the host's: of what several layers have no
// one tells how many directories are in it (Linux: fs/overlayfs/inode.c, ovl_getattr()).
void overlay_links(struct task *t, const struct loc *loc, struct statx *st);
// Is name in directory `fd` a whiteout? *st: the host's view.
bool overlay_is_white(struct task *t, int m, int fd, const char *name, const struct statx *st);
// Looks at that name (statx(2), not followed); *white: is it one?
long overlay_look(struct task *t, int m, int fd, const char *name, struct statx *st, bool *white);
// Does the directory show no names?
bool overlay_is_empty(struct task *t, int m, const char *rel);
// Name of the attribute `what` of the overlay's own.
const char *overlay_xattr(struct task *t, int m, const char *what, char out[64]);
// Is it an attribute of the overlay's own, which the guest does not see?
bool overlay_hides(struct task *t, int m, const char *guest_name);
// Device and inode number as the overlay shows them, into *st, which is the host's.
void overlay_numbers(struct task *t, int m, const struct parent *p, struct statx *st);
// Writes into `copy` what number it has from `from`, whose host's view is *st.
long overlay_remember(struct task *t, int m, const struct parent *from, const struct statx *st,
                      const struct parent *copy);
// Is it a copy of `of`, or that itself?
bool overlay_is_copy(struct task *t, int m, const struct parent *copy, const struct parent *of);

// ---- Copying up (fs/overlayup.c) ----

// Brings what loc leads to into the upper layer, and pins p anew.
long overlay_copy_up(struct task *t, struct loc *loc, struct parent *p);
static inline long overlay_up(struct task *t, struct loc *loc, struct parent *p)
{
    return p->over == OVER_LOWER ? overlay_copy_up(t, loc, p) : 0;
}
// A descriptor of overlay m's directory for work, which stays lxcore's.
int overlay_work(struct task *t, int m);
// Brings directory rel, and those that it lies in, into the upper layer.
long overlay_up_dir(struct task *t, int m, const char *rel);
// A descriptor of a lower layer's file is to be changed: 1, and p is the file in the upper layer,
// until parent_done(); 0: the descriptor itself serves.
long overlay_fd_up(struct task *t, int fd, struct loc *loc, struct parent *p);

// The file (or other, but no directory) of overlay m that fd is open on is itself meant: base and
// over of loc are of that, or of the copy that was made of it, which is pinned then.
long overlay_hold(struct task *t, int fd, int m, struct loc *loc);

// ---- Names made, removed and moved (fs/overlaynames.c) ----

// A name is to be made at p: brings its directory up. Over a whiteout it is made elsewhere: p leads
// there until the end, which moves it. r: what came of the making.
struct overlay_make {
    u32 white;
    struct parent final;
    char name[32];
};
long overlay_make_begin(struct task *t, struct loc *loc, struct parent *p, struct overlay_make *mk);
long overlay_make_end(struct task *t, struct loc *loc, struct parent *p, struct overlay_make *mk,
                      bool dir, long r);
// Removes the name. *st: the host's view.
long overlay_remove(struct task *t, struct loc *loc, struct parent *p, const struct statx *st,
                    bool rmdir);
long overlay_rename(struct task *t, struct loc *a, struct parent *pa, const struct statx *src,
                    struct loc *b, struct parent *pb, const struct statx *dst, u32 flags);

// ---- Mounting (fs/overlaymount.c), listing (fs/overlaydir.c) ----

// Makes *e, an entry that nobody sees yet, an overlay, with entries for its layers. options: as
// mount(2) has them. 0, or -errno, and there is nothing of it.
long overlay_make(struct task *t, struct mount_entry *e, const char *options);
// A view of directory rel of overlay m in *e, which has the layers of its own.
long overlay_view(struct task *t, struct mount_entry *e, int m, const char *rel);
// Removes the layers of an overlay that is gone, or was not attached.
void overlay_discard(struct task *t, const struct mount_entry *e);

// A part of the listing of directory fd, as getdents64(2).
long overlay_getdents(struct task *t, int fd, char *out, size_t size);

#endif
