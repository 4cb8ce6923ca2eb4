// SPDX-License-Identifier: MIT
// Guest metadata from the inside: what fs/meta.c (reading), fs/change.c (writing), fs/newinode.c,
// fs/side.c (inodes without attributes) and fs/device.c (device nodes) share. The interface is
// metadata.h.
#ifndef LX_META_H
#define LX_META_H

#include "attr.h"
#include <linux/capability.h>
#include <linux/errno.h>

#include "fs.h"

// Text of a META_XATTR; returns its length.
size_t attr_format(char out[ATTR_SIZE], const struct attr *a);

// Can an inode of this type have attributes of users? Not a symlink, FIFO, socket or device node
// (xattr(7)).
static inline bool carries_attr(u32 mode)
{
    return (mode & S_IFMT) == S_IFREG || (mode & S_IFMT) == S_IFDIR;
}
// Does lxcore keep owners and modes of files in that mount? Not in /proc and /sys, nor in a drive
// without metadata.
bool meta_is_kept(struct task *t, int mount);
// The host's view of what p names.
long meta_host_stat(const struct parent *p, u32 mask, struct statx *st);
// The same of a name that is about to go or to change: what its records are known by is told where
// there may be any (meta_by_name()), and only statx(2) tells it, which costs more.
long meta_host_look(const struct parent *p, struct statx *st);
static inline bool is_pts(const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFCHR && st->stx_rdev_major >= 136 &&
           st->stx_rdev_major < 144;
}
static inline struct pts_owner *pts_owner(struct task *t, const struct statx *st)
{
    return &t->instance->pts[st->stx_rdev_minor % PTS_MAX];
}
// Owner of the host as the guest sees it.
void meta_map_owner(struct task *t, int mount, struct statx *st);
// Of a drive's inode without an attribute (fs/drvfs.c); owner: the host's.
void drive_view(struct task *t, int mount, const struct parent *p, u32 owner, struct statx *st);
// chmod on a drive without attributes: whether the mode lets anybody write is all that counts.
long drive_chmod(const struct parent *p, u32 host_mode, u32 mode);
// Turns the host's view in *st into the guest's. True: an attribute was there, now in *a.
bool meta_apply(struct task *t, int mount, const struct parent *p, struct statx *st,
                struct attr *a);

// ---- The host's mode (fs/change.c is the chapter) ----

static inline bool has_set_id(u32 mode)
{
    return (mode & S_ISUID) || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

// Are set-id bits of such a file to go with the first write of the task?
static inline bool needs_witness(const struct task *t, u32 mode)
{
    return (mode & S_IFMT) == S_IFREG && has_set_id(mode) && !cred_has_cap(&t->cred, CAP_FSETID);
}

// The host's mode of an inode with an attribute.
static inline u32 marked_mode(u32 guest_mode)
{
    return meta_host_mode(guest_mode) | ((guest_mode & S_IFMT) == S_IFREG ? S_ISVTX : 0);
}

// While set-id bits are witnessed.
static inline u32 witness_mode(u32 guest_mode)
{
    return S_ISUID | (marked_mode(guest_mode) & ~0111u);
}

// ---- Attributes that are known already (fs/attrcache.c) ----

// Of an inode that the host shows as *st: true if it is known what its attribute says.
bool attrcache_get(struct task *t, const struct statx *st, bool *has_attr, struct attr *a);
// May an answer that is asked for after this be remembered for that state of the inode? watched: it
// will not be if the name does not stay (fs/names.c).
bool attrcache_may_put(struct task *t, const struct statx *st, bool watched);
void attrcache_put(struct task *t, const struct statx *st, bool has_attr, const struct attr *a);
// Its attribute has been changed.
void attrcache_forget(struct task *t, const struct statx *st);
// Around the write of file p's attribute, after the look that made *v; then whoever asks next, in
// this thread, knows it. *w is the caller's.
void attrown_begin(struct task *t, const struct parent *p, const struct meta_view *v,
                   struct attr_own *w);
void attrown_end(struct task *t, struct attr_own *w, const struct attr *a);
// Is the attribute of the inode in the state *st the one that this thread has just written?
bool attrown_get(struct task *t, const struct statx *st, struct attr *a);
// Was the inode changed in the last ns nanoseconds? True when there is no telling.
bool attr_changed_within(const struct statx *st, u64 ns);

// ---- Symlinks, FIFOs, sockets, device nodes (fs/side.c, fs/device.c) ----

#define UNFINISHED_FOR 3000000000 // ns since its last change that an inode is waited for
// Turns *st, the host's view with its owner mapped (from `owner`), into the guest's. False: its
// record has just been removed, and so has it.
bool side_stat(struct task *t, int mount, const struct parent *p, u32 owner, struct statx *st);
// Changes owner and mode to those of *new. more: its attributes from now on, where MORE_ATTRS says
// that there are any; NULL: as they are.
long side_store(struct task *t, int mount, const struct parent *p, const struct statx *new,
                const char *more);
// The same, and attribute `name` goes.
long side_store_without(struct task *t, int mount, const struct parent *p, const struct statx *new,
                        const char *name);
// Finds the directory entry of an object known by descriptor only; parent_done() follows. -ENOTDIR:
// a pipe or such.
long side_locate(struct task *t, int fd, struct loc *loc, struct parent *p);

// A FIFO that has, or is about to have, a record: it does not count without.
static inline bool side_is_marked(u32 host_mode)
{
    return (host_mode & (S_IFMT | S_ISVTX)) == (S_IFIFO | S_ISVTX);
}
// What is recorded of entry p, *st being of the host; host_mode: as the host sees it. Puts it into
// *st, and the attributes behind it into more[MORE_SIZE], if that is not NULL. False: nothing.
bool side_record(struct task *t, int mount, const struct parent *p, u32 host_mode, struct statx *st,
                 char *more);
// The same of its name alone.
bool side_named(const struct parent *p, u32 host_mode, struct statx *st, char *more);
// Reads one record up to a space or the end, and moves *value behind it. is: what it must say of
// the entry. more: as above.
bool side_read(const char **value, const char *is, u64 ino, struct statx *st, char *more);
// What a record says of the type: l, s or p.
static inline char side_type(u32 host_mode)
{
    u32 type = host_mode & S_IFMT;
    return type == S_IFLNK ? 'l' : type == S_IFSOCK ? 's' : 'p';
}
// Type and check of an entry, as the end of its record says them. at: where the inode is, which
// need not be the entry yet. False: it is no more.
#define SIDE_IDENTITY_SIZE 16
bool side_identity(const char *entry, const struct parent *at, u32 host_mode,
                   char out[SIDE_IDENTITY_SIZE]);
// What the entry is without a record. *st: the host's view, its owner mapped from `owner`.
void side_without_record(struct task *t, int mount, const struct parent *p, u32 owner,
                         struct statx *st);
// Writes it, and nothing else. `at`: where the inode is, if not at `to` yet.
long side_put(const struct parent *to, const struct parent *at, const struct meta_named *m);
// The directory that p lies in, whose attributes its record is among.
static inline struct parent side_directory(const struct parent *p)
{
    return (struct parent){.fd = p->fd, .name = "."};
}
// Has the directory attributes whose names begin so? True also where that cannot be told.
bool side_lists(const struct parent *dir, const char *prefix);
// Is there no room for an attribute?
static inline bool side_is_full(long r)
{
    return r == -ENOSPC || r == -E2BIG || r == -EDQUOT;
}

// Of an inode with several names, whatever its name (fs/sidelink.c): as side_record().
bool side_link_get(struct task *t, int mount, const struct parent *p, u32 host_mode,
                   struct statx *st, char *more);
// Changes it, or makes it so. -EOPNOTSUPP: that cannot be kept here.
// Is it the first time in the instance that a record by inode is about to be written in that mount?
// Then nobody removes a name there any more without having looked.
bool side_links_first(struct task *t, int mount);
long side_link_put(struct task *t, int mount, const struct parent *p, const struct meta_named *m);

// Directory p is about to get another owner: have entries in it none but its own?
bool side_dir_has_names(struct task *t, const struct parent *p);

// Calls fn for each entry of a directory whose owner goes by name, until it says false. host: as
// the host sees it; st: what its record makes of that, where it has one.
// False: not all were seen.
typedef bool side_visitor(void *arg, const struct parent *p, const struct statx *host,
                          const struct statx *st, bool recorded);
bool side_visit(struct task *t, int dirfd, const char *name, side_visitor *fn, void *arg);

// Many owners in one attribute (fs/sidedir.c). Has the directory such?
bool side_set_any(const struct parent *dir);
// Puts the owner that it names for an entry into *st. is: side_identity(). False: none.
bool side_set_get(const struct parent *dir, const char *is, struct statx *st);
// Makes room for records in the directory that p lies in, by putting those there that have only an
// owner. wait: also while another thread is at it. False: nothing was won.
bool side_gather(struct task *t, int mount, const struct parent *p, bool wait);
// For another attribute of the directory p->fd, which is full: removes records of no entry, or
// (step 1) gathers. Was that of any use? (fs/sideroom.c)
#define SIDE_ROOM_STEPS 2
bool side_make_room(struct task *t, int mount, const struct parent *p, int step);
// A record has been written in the directory that p lies in: gathers before that is full.
void side_keep_room(struct task *t, int mount, const struct parent *p);
// The same for attributes of directory p, which was looked at.
bool side_gather_seen(struct task *t, int mount, const struct parent *p, const struct meta_view *v);

// ---- Their attributes: the text behind a record (fs/sidexattr.c) ----

// Of the text: the value of an attribute, its size for size 0. -ENODATA, -ERANGE.
long more_get(const char *more, const char *name, void *value, size_t size);
// Changes more[MORE_SIZE]. value NULL: the attribute goes. -ENOSPC.
long more_set(char *more, const char *name, const void *value, size_t size);

// If the target of a symlink is a device node's, *st becomes the node.
// A target of a guest's symlink, ended, in a buffer of LX_PATH_MAX bytes: how it is kept on the
// host, and back. The new length; -EPERM: it cannot be kept.
long device_link_to_host(char *target, size_t n);
long device_link_to_guest(char *target, size_t n);
bool device_stat(const struct parent *p, struct statx *st);
// The directory that p lies in has a device node from now on.
void device_mark(const struct parent *p);

#endif
