// SPDX-License-Identifier: MIT
// Holding what a guest path leads to, for host calls that take a path of their own (fs/pin.c).
#ifndef LX_PIN_H
#define LX_PIN_H

#include "fs.h"

// Opens the object itself as an O_PATH descriptor, for the caller to temp_close(); walk:
// WALK_FOLLOW or 0. *st gets its guest attributes. A host path for it is FD_PATH, which leads to
// the object and no further, also when it is a symlink.
long path_pin(struct task *t, const char *path, int walk, struct statx *st);

#endif
