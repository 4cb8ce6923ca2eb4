// SPDX-License-Identifier: MIT
// What the parts of an open share: fs/open.c, fs/openhost.c, fs/openmay.c, fs/create.c,
// fs/openexec.c. Others call fs_open() and fs_open_exec() (fs.h). Each returns -errno for an error.
#ifndef LX_OPEN_H
#define LX_OPEN_H

#include <linux/mount.h>

#include "fs.h"

// ---- The host call (fs/openhost.c) ----

// Opens what loc says by openat2(2) with these flags, mode and what is more to be said about the
// walk. Returns the guest's descriptor.
long host_open_loc(struct task *t, struct loc *loc, u64 flags, u64 mode, u64 resolve);
// Opening what loc.base itself is (".", a bound file, a descriptor's own path in /proc). dir: only
// a directory, as a slash at the end says it, which follows whatever the flags are. The flags are
// the guest's own: F_GETFL shows O_DIRECTORY and O_NOFOLLOW.
long host_reopen(int base, u64 flags, u64 mode, bool dir);

// ---- What is permitted (fs/openmay.c) ----

// Which inode was asked for; nothing where none was.
struct open_checked {
    struct statx st; // ino 0: none
    bool watched;    // its name, in a directory that is held
    struct name_watch name;
};

// What flags ask for: MAY_READ, MAY_WRITE.
int open_wants(u64 flags);
// Permission of an existing file, for those that have no capability to pass every check; *c: which
// file that was said of. 0 also where there is a link that is to be followed.
long open_check(struct task *t, struct loc *loc, u64 flags, struct open_checked *c);
// Is fd open on that file? By now its name can be another's.
bool open_is_checked(struct task *t, int fd, const struct open_checked *c);
bool open_is_same(int fd, const struct statx *as);
// Are inodes shown with other numbers than the host's, whatever is asked for?
bool mount_has_own_numbers(struct task *t, int mount);
// O_CREAT of what is there already, by another than its owner, in a directory where anybody can put
// something. 0 or -EACCES. wait: the same before an open that would wait for the other end of a
// FIFO.
long may_create_in_sticky(struct task *t, struct loc *loc);
long may_wait_in_sticky(struct task *t, struct loc *loc);

static inline bool loc_is_read_only(struct task *t, const struct loc *loc)
{
    return mount_flags(t, MAX(loc->mount, 0)) & MS_RDONLY;
}

// ---- What O_CREAT makes (fs/create.c) ----

// Creates the file at loc, which must not be there yet, with what the umask leaves of mode. Returns
// the guest's descriptor. -EEXIST: it is.
long open_create(struct task *t, struct loc *loc, u64 flags, u32 mode);
// A tmpfile lies in directory loc; its attribute goes on at once, it has no name yet.
long open_tmpfile(struct task *t, struct loc *loc, u64 flags, u32 mode);

#endif
