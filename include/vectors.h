// SPDX-License-Identifier: MIT
// The vector and x87 state in a guest's signal frame (trap/vectors.c).
#ifndef LX_VECTORS_H
#define LX_VECTORS_H

#include "task.h"

// The size of the vector area of a frame: that of the host's frame at `host`, or of one of the live
// registers (host == 0).
size_t vectors_size(const struct task *t, uptr host);
// Writes the area to guest memory: a copy of the host frame's, or of the live registers. 0 or
// -EFAULT.
long vectors_save(struct task *t, uptr to, uptr host, size_t size);
// Loads the registers from a frame of the guest's, with the checks of the kernel; 0: a frame
// without an area. -EFAULT: it is bad, and the registers are as after vectors_clear().
long vectors_load(struct task *t, uptr from);
// The same from the host's frame. False: it has no whole state.
bool vectors_load_host(uptr host);
// The state that a handler begins with.
void vectors_clear(const struct task *t);

#endif
