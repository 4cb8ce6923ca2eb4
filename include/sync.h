// SPDX-License-Identifier: MIT
// What fsync(2) has to do beside the host's own call (fs/sync.c).
#ifndef LX_SYNC_H
#define LX_SYNC_H

#include "fs.h"

// After the host's fsync of a guest's descriptor: brings to the disk what belongs to its file and
// lies elsewhere. 0 or -errno.
long sync_beside(struct task *t, int fd);
// fsync(2) or syncfs(2), as call says, of a directory. 0 or -errno.
long sync_directory(struct task *t, int at, const char *name, int call);

#endif
