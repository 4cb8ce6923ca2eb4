// SPDX-License-Identifier: MIT
// Private directories of an instance: its /dev, its /dev/shm and other tmpfs mounts. They live as
// long as its supervisor, told by a lock on a file inside; what dead ones left is removed by the
// next start, an earlier boot's too where no other kernel can have the files.
#ifndef LX_CLI_STORE_H
#define LX_CLI_STORE_H

#include <stdbool.h>

struct store {
    char *path; // NULL: none
    int fd;     // the directory
    int lock;   // holds the lock
};

// A fresh store in the directory `where`; false where that cannot be. With need_xattr it must take
// user.* attributes.
bool store_create(struct store *s, const char *where, bool need_xattr);
void store_remove(struct store *s);
// Makes the directory `name` in the store and fills it with the guest's /dev.
void store_make_dev(const struct store *s, const char *name);

#endif
