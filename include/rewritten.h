// SPDX-License-Identifier: MIT
// Text from the cache in place of a file's own (loader/rewritten.c; the format: include/rewrite.h).
#ifndef LX_REWRITTEN_H
#define LX_REWRITTEN_H

#include "task.h"

// The bytes of file fd from offset on were mapped privately at [addr, addr + len) with prot. Puts
// the rewritten pages over what the cache has of them; asks for the file where it has none. Without
// a cache, or when anything does not fit, the file's own text stays. Is what lies there now clean
// (include/rewrite.h), or not executable at all? Later: the caller makes it executable then.
bool rewritten_overlay(struct task *t, int fd, uptr addr, size_t len, int prot, bool later,
                       u64 offset);

// The guest is about to change what is mapped in [addr, addr + len): rewritten text there becomes
// the file's own again. 0, or -ENOMEM: it could not be done, and the guest's call must not be made.
enum rewritten_change {
    CHANGE_UNMAP,   // nobody runs what lies there any more
    CHANGE_REPLACE, // the same, but only if the call succeeds
    CHANGE_WRITE,   // it is to be writable
};
long rewritten_change(struct task *t, uptr addr, size_t len, enum rewritten_change what);

// The same of all text, and of what is mapped from now on; arms the engine. For a guest that cannot
// run rewritten text.
long rewritten_take_back(struct task *t);

#endif
