// SPDX-License-Identifier: MIT
// Attributes beside the files of a tree whose file system has none of users (fs/attrstore.c).
#ifndef LX_ATTRSTORE_H
#define LX_ATTRSTORE_H

#include "attr.h"
#include "fs.h"
#include "host.h"

// Has any mount such a store?
bool attrstore_is_used(void);
bool attrstore_is_of(struct task *t, int mount);
// Did the host's call on an attribute fail because its file system has none?
static inline bool attrstore_stands_in(long r)
{
    return r == -EOPNOTSUPP && attrstore_is_used();
}

// As the calls on attributes (getxattr(2)...) at (parent, name), not following it. -EOPNOTSUPP:
// the inode's mount has no store; -ENOSPC: the value is too long for one. A value's memory may be
// the guest's: -EFAULT. A list's is lxcore's.
long attrstore_get(const struct parent *p, const char *name, void *value, size_t size);
long attrstore_set(const struct parent *p, const char *name, const void *value, size_t size,
                   int flags);
// host: what the host's call said, whose names, if any, come first.
long attrstore_list(const struct parent *p, char *list, size_t size, long host);
long attrstore_remove(const struct parent *p, const char *name);

// Brings those of the file to the disk, as fsync(2). 0 or -errno.
long attrstore_sync(struct task *t, int fd);

// The last name of an inode goes: look before, and, when it is gone, let its attributes go.
struct attrstore_going {
    struct statx st;
    bool last;
};
void attrstore_go(struct task *t, int mount, const struct parent *p, struct attrstore_going *g);
void attrstore_gone(struct task *t, int mount, const struct attrstore_going *g);
// The inode has just been made: it has none of an earlier one's.
void attrstore_new(const struct parent *p);

#endif
