// SPDX-License-Identifier: MIT
// Changing the mount table (fs/mounting.c, fs/tmpfs.c) and who uses a mount (fs/mountuse.c): what
// is below mount(2) and its like.
#ifndef LX_MOUNTING_H
#define LX_MOUNTING_H

#include <linux/mount.h>

#include "fs.h"

// Of mount(2), kept in mount_entry.flags. How times of access are written is the host's matter;
// what was asked for is shown: relatime, where it is neither of the others.
#define MOUNT_ATIME (MS_NOATIME | MS_NODIRATIME | MS_STRICTATIME)
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MOUNT_ATIME)
// MS_RDONLY holds where either does: the file system, for all who show it, or this mount. (The rest
// of the word: MOUNT_EXPIRING; fs/acl.c, fs/sidelink.c.)
#define MOUNT_FS_RDONLY 0x02000000u
#define MOUNT_OWN_RDONLY 0x00800000u
#define MOUNT_KEPT (MOUNT_FLAGS | MOUNT_FS_RDONLY | MOUNT_OWN_RDONLY)
#define MOUNT_EXPIRING 0x80000000u // marked by umount2(MNT_EXPIRE)

// What a path of mount(2) leads to, looked at component by component.
struct place {
    struct loc loc; // from the root of its mount
    struct statx st;
    bool is_mount;          // the root of its mount
    char path[LX_PATH_MAX]; // from the instance's root
};
long place_find(struct task *t, const char *path, int walk, struct place *at);
static inline bool place_is_mount(const struct place *at)
{
    return at->is_mount;
}
static inline bool place_is_dir(const struct place *at)
{
    return (at->st.stx_mode & S_IFMT) == S_IFDIR;
}

// Makes what lies at `from` visible at `to`; rec: with the mounts below it.
long mount_bind(struct task *t, const struct place *from, const struct place *to, bool rec);
// What pivot_root(2) does with the old root: as mount_bind(), without mount `but` and those in it.
long mount_pivot(struct task *t, const struct place *from, const struct place *to, int but);
// Where pivot_root has moved mount m to; m: nowhere.
int mount_pivoted(struct task *t, int m);
// Takes the mount at `from` and those below it to `to`.
long mount_move(struct task *t, const struct place *from, const struct place *to);
// Adds e at `to`; point and parent are filled in here.
long mount_attach(struct task *t, struct mount_entry *e, const struct place *to);
// Makes e another view of `rel` in mount m.
long mount_view(struct task *t, struct mount_entry *e, int m, const char *rel);
// Adds a mount to the caller's namespace: its index (state and id of *e are ignored), or -ENOSPC.
long mount_add(struct task *t, const struct mount_entry *e);
// Takes mount m out of it. True: it is in no other, and its entry is free.
bool mount_remove(struct task *t, int m);
// Frees the entry of a mount that is in no namespace any more; false: it is in one.
bool mount_remove_left(struct task *t, int m);
// A bit of each entry that may be live in namespace ns: where they are, and they.
u64 *mounts_word(struct task *t, u32 ns);
static inline u64 mounts_of(struct task *t, u32 ns)
{
    return __atomic_load_n(mounts_word(t, ns), __ATOMIC_ACQUIRE);
}
// One at a time may change the table.
void mount_writer_begin(struct task *t);
void mount_writer_end(struct task *t);
// Removes mount m, of which nothing is used, from the caller's namespace, or from the table when it
// is in no other (true).
bool mount_end(struct task *t, int m);
// Ends what is behind a mount that was removed: e, which was its entry.
void mount_end_entry(struct task *t, const struct mount_entry *e);
// Removes mount m and all that are mounted in it.
void mount_detach(struct task *t, int m);
bool place_is_below(const struct place *at, const struct place *top);
bool mount_has_child(struct task *t, int m);
void mount_set_flags(struct task *t, int m, u32 flags);
// Of a mount's flags MOUNT_FS_RDONLY and MOUNT_OWN_RDONLY, as they are.
u32 mount_rdonly(u32 flags);
// The same of its file system, for all mounts that show it: is it read-only?
void mount_set_fs_rdonly(struct task *t, int m, bool rdonly);
// The mount that lxrun made of this type, to be shown elsewhere too; -1: none.
int mount_of_type(struct task *t, u32 type);

// May any file system have this option, of n bytes?
bool mount_option_is_common(const char *option, size_t n);

// A host directory as a drive (drive.h) in e, not yet attached. -ENOENT for a source that lxrun was
// not told to show.
long drvfs_make(struct task *t, struct mount_entry *e, const char *source, const char *options);
// Reads the options of a drive; -EINVAL for others.
long drvfs_parse(const char *text, struct drive *d);
// The same, into *e; root: its root directory.
long drvfs_set_options(struct task *t, struct mount_entry *e, int root, const char *options);

// A new tmpfs with its mount options (tmpfs(5)) in e, not yet attached.
long tmpfs_make(struct task *t, struct mount_entry *e, const char *options);
// A tmpfs that keeps to size=, nr_blocks= and nr_inodes= (fs/limited.c), where the host can. The
// first opens its root as a temporary, and says in *e what limited_open() needs.
long limited_make(struct task *t, struct mount_entry *e, const char *options);
long limited_change(struct task *t, const struct mount_entry *e, const char *options);
void limited_discard(struct task *t, const struct mount_entry *e);
// -EINVAL for options that a file system of this type does not know.
long mount_check_options(u32 type, const char *options);
// Its options after a remount.
long tmpfs_change(struct task *t, struct mount_entry *e, const char *options);
// Removes the files of a tmpfs that is gone.
void tmpfs_discard(struct task *t, const struct mount_entry *e);

// Is a working directory or an open file of the instance in mount m, as far as can be told?
bool mount_in_use(struct task *t, int m);
// Is m a tmpfs whose files are in no other mount?
bool mount_is_alone(struct task *t, int m);

#endif
