// SPDX-License-Identifier: MIT
// The file of known attributes (fs/attrcache.c), which outlives instances.
#ifndef LX_CLI_ATTRS_H
#define LX_CLI_ATTRS_H

#include "launch.h"

// Opens it beside the cache of rewritten code, where that can be had.
void attrs_prepare(struct launch *l);
// On the file system of directory dir (O_PATH will do), has an inode that was looked at another
// ctime after each change of its attributes? False also when that cannot be tried.
bool attrs_ctime_is_fine(int dir);
// Is what fd is open on (O_PATH will do) in a file system of one of these n types (linux/magic.h)?
bool fs_is_one_of(int fd, const u32 *types, size_t n);

#endif
