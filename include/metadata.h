// SPDX-License-Identifier: MIT
// What an inode is to the guest: owner, mode, type and device number, which the host keeps in
// extended attributes (docs/files.md, "Owner, mode and type"). What the files behind this share:
// meta.h. What returns long returns 0 or more, or -errno.
#ifndef LX_METADATA_H
#define LX_METADATA_H

#include <linux/stat.h>

#include "instance.h"
#include "task.h"
#include "types.h"

struct parent; // a name in a pinned directory (fs.h)

// ---- Reading (fs/meta.c) and changing (fs/change.c) ----

static inline u64 device_of(const struct statx *st)
{
    return (u64)st->stx_dev_major << 32 | st->stx_dev_minor;
}
static inline bool is_same_inode(const struct statx *a, const struct statx *b)
{
    return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor;
}

// What the guest sees of an inode, by name and by descriptor: statx(2) of mask, with owner, mode,
// type and device number of the guest.
// META_NO_LINK in the mask: what the host has as a symlink is -ELOOP, and not looked at.
#define META_NO_LINK STATX__RESERVED
// Device and number are the host's, also in an overlay, which shows others.
#define META_HOSTS_NUMBERS 0x40000000
long meta_stat(struct task *t, int mount, const struct parent *p, u32 mask, struct statx *st);
long meta_fstat(struct task *t, int fd, u32 mask, struct statx *st);
// Owner, mode and inode of the directory that p lies in.
long meta_stat_dir(struct task *t, int mount, const struct parent *p, struct statx *st);
// More of it, in a field of struct statx that no kernel fills yet: ACL_HOLDS, and what the access
// ACL then permits the task, for may_access(): bit n for all of MAY_* in n; CAPS_HOLD: the file has
// capabilities; MORE_ATTRS: of what cannot carry attributes itself, its record has some
// (fs/sidexattr.c); MORE_IMMUTABLE: nobody may write to it (S_IMMUTABLE); MORE_ALLOWED: else the
// task may do anything with it, whatever its mode says.
#define META_MORE(st) ((st)->__spare3[ARRAY_LEN((st)->__spare3) - 1])
#define ACL_HOLDS 0x100u
#define CAPS_HOLD 0x200u
#define MORE_ATTRS 0x400u
#define MORE_IMMUTABLE 0x800u
#define MORE_ALLOWED 0x1000u
// Changes owner or mode: what says which of uid, gid, mode (12 bits) are meant, and whether there
// is an access ACL, or are capabilities, from now on.
enum {
    META_UID = 1,
    META_GID = 2,
    META_MODE = 4,
    META_ACL = 8,
    META_NO_ACL = 16,
    META_CAPS = 32,
    META_NO_CAPS = 64,
};
struct meta_change {
    u32 what;
    u32 uid, gid, mode;
};
// In steps: look, let the caller judge the guest's view, set, done. Between look and done nobody
// else changes the inode.
struct meta_view {
    struct statx host, guest;
    bool has_attr;
    bool has_acl; // as in struct attr (attr.h)
    bool witnessed, has_caps;
    bool had_caps; // which a write has taken, or has_caps
    bool has_names;
    u32 names_uid, names_gid;
    u32 *lock;
    bool watched; // name_watch() before the first look
    struct name_watch name;
};
long meta_look(struct task *t, int mount, const struct parent *p, struct meta_view *v);
// META_ANOTHER: p's name may have come to mean another inode since, and nothing was changed. So it
// is from the moment on that somebody was killed who changed a name of that hash. Who looks again
// does so by a descriptor (meta_hold()), of which it is never said.
#define META_ANOTHER 3
long meta_set(struct task *t, int mount, const struct parent *p, const struct meta_view *v,
              const struct meta_change *c);
void meta_done(struct task *t, struct meta_view *v);
// *held: what p's name leads to by now, until temp_close(held->fd).
long meta_hold(struct task *t, const struct parent *p, struct parent *held);
// All of these steps.
long meta_change(struct task *t, int mount, const struct parent *p, const struct meta_change *c);
long meta_fchange(struct task *t, int fd, const struct meta_change *c);
// Host mode to create with (mode with its type bits): always leaves the host user able to read and
// write.
u32 meta_host_mode(u32 guest_mode);
// A task that must not keep set-id bits is about to be able to write to p: a write will clear them.
long meta_witness(struct task *t, int mount, const struct parent *p, const struct statx *st);

// ---- New inodes (fs/newinode.c) ----

// What a new inode is to be.
struct acl_new;
struct meta_new {
    u32 mode, uid, gid;
    const struct acl_new *acl; // xattr.h; NULL: none
};
// The mode asked for, of what is no directory, less a set-gid bit that the creator may not give
// away; the umask or a default ACL comes after that (Linux: fs/inode.c, mode_strip_sgid()).
u32 meta_new_mode(const struct task *t, const struct statx *dir, u32 mode);
// A new inode's owner: the creator, with the directory's group when it is set-gid. n->mode gains
// S_ISGID for directories then.
void meta_new_owner(struct task *t, const struct statx *dir, struct meta_new *n);
// Host mode to create a file or directory with that meta_created() or meta_created_fd() will
// complete.
u32 meta_create_mode(struct task *t, int mount, const struct meta_new *n);
// Around the making of a directory or node by name: nobody takes it for one whose maker is dead.
// NULL: there is nothing to wait for.
u32 *meta_make_begin(struct task *t, int mount, const struct parent *p, const struct meta_new *n);
void meta_make_end(u32 *lock);
// Writes the attributes of a just created inode where host owner and mode do not tell it all.
long meta_created(struct task *t, int mount, const struct parent *p, const struct meta_new *n);
long meta_created_fd(struct task *t, int mount, int fd, const struct meta_new *n);
// Does an inode that the host shows so seem to wait for its attribute?
bool is_marked_new(const struct statx *st);
// Is the inode at p one whose maker was killed before it was finished? Then it does not count, and
// is removed.
bool meta_bury(struct task *t, int mount, const struct parent *p);
// Of one that meta_bury() left: returns when its maker has finished it, or has not for seconds.
void meta_wait_made(struct task *t, int mount, const struct parent *p);

// ---- Locks (fs/change.c) ----

// Those of inodes come before those of names; of two of a kind, in the order of their index.

// Nobody else changes the inode until reserved_release() of the result. NULL: held already by this
// thread, or for very long by another.
u32 *meta_lock_inode(struct task *t, const struct statx *st);
// Is it another thread's?
bool meta_is_locked(struct task *t, const struct statx *st);
unsigned meta_lock_index(const struct statx *st);
// The same of the name p, whatever it is: nobody makes, removes or changes one that has its owner
// by this name, but who removes what he has not looked at (meta_name_unseen()).
u32 *meta_lock_name(struct task *t, const struct parent *p);
unsigned meta_name_index(const struct parent *p);
// The same as reserved_release(), for who has changed the inode: who waited looks at it again.
void meta_unlock_inode(struct task *t, const struct statx *st, u32 *lock);
// How many changes of attributes the instance has made of this inode, and of some others.
u32 meta_change_count(struct task *t, const struct statx *st);

// ---- Owners by name (fs/side.c, fs/siderename.c, fs/sidelink.c) ----

// Symlinks (device nodes among them), FIFOs and sockets have their owner and mode by name
// (fs/side.c): who moves a name takes it along. host_mode: as the host sees the inode.
bool meta_by_name(u32 host_mode);
struct meta_named {
    struct statx host, guest; // of the first the owner mapped; `owner`: as the host has it
    u32 owner;
    // Its attributes where MORE_ATTRS says so; NULL: they are with the inode's record, to be read
    // by t in that mount.
    const char *more;
    struct task *t;
    int mount;
};
void meta_name_read(struct task *t, int mount, const struct parent *p, const struct statx *host,
                    struct meta_named *m);
// The inode at `at` is about to get the name `to`, or just got it.
long meta_name_write(struct task *t, int mount, const struct meta_named *m, const struct parent *at,
                     const struct parent *to);
// The same where another such inode, now, still has that name, and may go on having it.
long meta_name_both(struct task *t, int mount, const struct meta_named *now,
                    const struct meta_named *next, const struct parent *at,
                    const struct parent *to);
// Renames by move(), where one of the inodes at the two names is such a one.
struct meta_renaming {
    const struct parent *from, *to;
    const struct statx *src, *dst; // as the host sees them; dst NULL: there is none
    bool exchange;
    bool keeps_name; // move() makes another entry at `from`, whose record is not to be dropped
};
// RENAME_ANOTHER: one of the names is not any more what src and dst say, and nothing was done.
#define RENAME_ANOTHER 1
long meta_rename(struct task *t, int mount, const struct meta_renaming *r,
                 long (*move)(struct task *t, void *arg), void *arg);
// Such an inode is about to be made at p, with a symlink's target; what the host said of that goes
// to the end. -EEXIST: the name is taken.
struct meta_naming {
    bool mode_later; // the caller's: the host's mode is not right from the beginning
    u32 *lock;       // of the name
    bool kept, recorded, needed;
};
long meta_naming_begin(struct task *t, int mount, const struct parent *p, const struct meta_new *n,
                       const char *target, struct meta_naming *naming);
long meta_naming_end(struct task *t, const struct parent *p, struct meta_naming *naming,
                     long result);
// p is no name of such an inode any more.
void meta_name_drop(const struct parent *p);
// Behind the removal of name p, or its replacement, by one who was sure that it was none, or had no
// record. changes: what records_changes() was before he looked.
void meta_name_unseen(struct task *t, const struct parent *p, u32 changes);
// Is it sure enough that no entry of the directory that p lies in has a record, so that none need
// be dropped? If not, one may stay that belongs to no entry.
bool meta_names_none(struct task *t, const struct parent *p);
// What the process knows of that (fs/files.c). changes: what records_changes() was before the
// directory was asked.
enum records { RECORDS_UNKNOWN, RECORDS_SOME, RECORDS_NONE };
enum records records_known(struct task *t, const struct parent *p);
void records_note(struct task *t, const struct parent *p, u32 changes, enum records r);
static inline u32 records_changes(const struct task *t)
{
    return __atomic_load_n(&t->instance->record_changes, __ATOMIC_ACQUIRE);
}
// May there be records of a mount by inode (fs/sidelink.c)? Then nothing can be told by
// directories.
bool side_links_used(struct task *t, int mount);
// Around the removal of name p, or its replacement by a rename, where the host showed *was. Nobody
// else changes, links or removes such an inode in between: or of two who remove the last two names
// none would be the last. Where there may be records by inode, the name is what `was` says then.
struct link_going {
    u32 *lock, *name_lock;
    const struct parent *p;
    struct statx was;
    bool last, announced; // by name_change_begin()
};
void side_link_going(struct task *t, int mount, const struct parent *p, const struct statx *was,
                     struct link_going *g);
void side_link_gone(struct task *t, int mount, struct link_going *g, bool gone);

// ---- The host's calls on attributes (fs/hostat.c) ----

// Extended attribute calls at (parent, name) not following it; text of system calls' man pages.
long host_getxattr_at(const struct parent *p, const char *name, void *value, size_t size);
long host_setxattr_at(const struct parent *p, const char *name, const void *value, size_t size,
                      int flags);
// Which of newcalls.h the host lacks, by which these go. The same for all of an instance.
extern u32 host_lacks;
// As fchmodat2(2) not following it: -EOPNOTSUPP for a symlink. A descriptor of the guest's:
// fchmod(2).
long host_chmod_at(const struct parent *p, u32 mode);

// ---- Device nodes (fs/device.c) ----

// A symlink that cannot resolve stands for one.
long meta_mknod(struct task *t, const struct parent *p, u32 mode, u32 uid, u32 gid, u64 rdev);
// The same with what a default ACL gives it.
long meta_mknod_acl(struct task *t, int mount, const struct parent *p, const struct meta_new *n,
                    u64 rdev);
// Is the symlink at p such a node?
bool meta_device(const struct parent *p, u32 *type, u32 *major, u32 *minor);
// Does the open directory hold device nodes?
bool device_marked(int dir);
// Host path of the character device that a guest may open by number, or NULL.
const char *device_host_path(u32 major, u32 minor);

#endif
