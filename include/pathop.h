// SPDX-License-Identifier: MIT
// What the path calls of syscalls/ have in common: copy the path in, find the parent directory, do
// one host call there, let go.
#ifndef LX_PATHOP_H
#define LX_PATHOP_H

#include "fs.h"
#include "host.h"
#include "overlay.h"
#include "uaccess.h"

struct pathop {
    struct loc loc;
    struct parent p;
    struct overlay_make over; // of pathop_make_begin()
    int walk;                 // flags it began with
    char path[LX_PATH_MAX];
};

// Begins at the guest string `path`. On success pathop_end() must follow; on error nothing is held.
long pathop_begin(struct task *t, struct pathop *op, int dirfd, uptr path, int walk_flags);
// The same with WALK_NAME for the second path of a call that has begun with `first`.
long pathop_begin_second(struct task *t, struct pathop *op, const struct pathop *first, int dirfd,
                         uptr path);
void pathop_end(struct task *t, struct pathop *op);
// How often a call begins again that found another inode under a name than it had seen there: each
// time somebody else was faster.
#define SWAPS 1000
// For WALK_LATE: *st is what was found. Is it a link that should have been followed? Then the call
// goes no further, with ELOOP, and pathop_again() says, after the end, that it is to begin again
// with the flags that *walk has then.
bool pathop_missed_link(const struct pathop *op, const struct statx *st);
bool pathop_again(long result, int *walk);
// For WALK_NAME: may the name be made? -EROFS, -EACCES, -ENOENT (for a slash behind what is no
// directory), but -EEXIST before all of them. *dir: attributes of the parent directory.
long pathop_may_make(struct task *t, struct pathop *op, bool directory, struct statx *dir);
// The same for a name that is there, or replaced: without a word about the name itself.
long pathop_may_change(struct task *t, struct pathop *op, struct statx *dir);
// For WALK_NAME: the mount that the name lies in. loc is of what the name leads to, which may be
// the root of another.
int pathop_name_mount(struct task *t, const struct pathop *op);
// Around the making of the name; r: what came of it. They do something in an overlay only.
static inline long pathop_make_begin(struct task *t, struct pathop *op)
{
    return op->p.over ? overlay_make_begin(t, &op->loc, &op->p, &op->over) : 0;
}
static inline long pathop_make_end(struct task *t, struct pathop *op, bool dir, long r)
{
    return op->loc.over ? overlay_make_end(t, &op->loc, &op->p, &op->over, dir, r) : r;
}
// Where the name is to be in the end.
static inline const struct parent *pathop_place(const struct pathop *op)
{
    return op->p.over == OVER_NOT && op->loc.over && op->over.white ? &op->over.final : &op->p;
}
// In an overlay: what is about to be changed is brought to where it can be, and held there
// (pathop_hold()). 1: it was not there yet, so whose it is is to be asked for again: others may
// have put another into its place there.
long pathop_up(struct task *t, struct pathop *op);
// Is the directory of the name a removed one?
bool pathop_is_gone(const struct pathop *op);
// Is the name a mount point; below: or is one below it?
bool pathop_is_mount_point(struct task *t, struct pathop *op, bool below);
// For a call that asks whose file it is, and then changes what has its name: another process of the
// user may put a file there in between that is not his. From here on *op is the file or directory
// itself, by a descriptor. Not so where the caller may change all, and for what has its owner
// by its name (a symlink, FIFO, socket or node). Costs three host calls. always: the caller has met
// others who change the name (META_ANOTHER), or is about to change more than once. In an overlay it
// is always so, but of what a lower layer has: that is the same file until pathop_up().
long pathop_hold(struct task *t, struct pathop *op, bool always);
// An O_PATH descriptor of what the path leads to, for the caller to temp_close().
long pathop_pin(struct task *t, struct pathop *op);
static inline struct mount_entry *pathop_mount(struct task *t, const struct pathop *op)
{
    return mount_at(t, op->loc.mount < 0 ? 0 : op->loc.mount);
}
// Is it the root of a mount (or nothing but a descriptor), which has no name there?
static inline bool pathop_is_root(struct task *t, const struct pathop *op)
{
    const char *node = pathop_mount(t, op)->node;
    return !*op->p.name || (*node && !strcmp(op->loc.rel, node));
}
static inline u32 pathop_mount_flags(struct task *t, const struct pathop *op)
{
    return mount_flags(t, op->loc.mount < 0 ? 0 : op->loc.mount);
}
// Is fd an O_PATH descriptor, or none at all?
bool fd_is_path(struct task *t, int fd);
// Is the mount that it was opened in read-only?
bool fd_is_read_only(struct task *t, int fd);
// May anything be changed of an inode without a type: of an eventfd, epoll, timerfd..., which all
// such descriptors of the host share? The kernel says what; it changes nothing here. *st: what the
// host shows. 0 or -errno.
long fd_may_change_untyped(int fd, const struct statx *st);
// The name that the guest has for the host's device that fd is open on. Temporaries are counted
// already; parent_done() follows. -errno: it has none.
long fd_device_name(struct task *t, int fd, struct loc *loc, struct parent *p);

// WALK_* for the flags of an *at() call.
static inline int pathop_walk_of(int at_flags)
{
    return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW | WALK_OBJECT) |
           (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

#endif
