// SPDX-License-Identifier: MIT
// Inside of lxrun --check: what cli/check.c and cli/checkrecords.c share.
#ifndef LX_CLI_CHECKING_H
#define LX_CLI_CHECKING_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "attr.h"

#define OWN "user.lxrun."
#define ESCAPED OWN "x."
#define ACL_DEFAULT ESCAPED "system.posix_acl_default"

struct check {
    bool repair, wrong;
    bool marked; // an attribute counts only with S_ISVTX (cli/mark.c)
    int root;
    unsigned dev_major, dev_minor;
    // Records by inode that there would be, of the inodes that could have one (fs/sidelink.c).
    char (*inode)[SIDE_LINK_SIZE];
    size_t inodes, room;
};

// A directory on the way down, and one of its entries.
struct dir {
    struct dir *up;
    const char *name; // in up
    int fd;
    char *list; // names of its attributes
    ssize_t list_size;
    bool has_node; // an entry is a device node
};
struct entry {
    struct dir *dir;
    const char *name; // "." for the root
    struct statx st;
    char by_fd[64 + NAME_MAX]; // a path to it for calls that know no dirfd
    char record[SIDE_NAME_SIZE];
    u32 check;
};

enum kind { WRONG, LEFT_OVER };

// Prints what is found: e's path, which kind, and the text. True: it is to be repaired, and
// repaired() follows, which says whether it was (else errno says why).
bool found(struct check *c, const struct entry *e, enum kind kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void repaired(struct check *c, enum kind kind, bool done);
// The same, WRONG, for what only a human can decide.
void found_only(struct check *c, const struct entry *e, const char *text);
// Has the directory an attribute of that name?
bool listed(const struct dir *d, const char *name);

// ---- Records (cli/checkrecords.c) ----

// Notes what a record of e's inode would be called, for check_inodes().
void check_note_inode(struct check *c, const struct entry *e);
// The attributes of directory d, which is `self` in the one above, that are about its n entries e.
void check_names(struct check *c, const struct dir *d, const struct entry *self,
                 const struct entry *e, size_t n);
// The root's records by inode, when all of the tree has been seen.
void check_inodes(struct check *c, const struct entry *root, const struct dir *d);

#endif
