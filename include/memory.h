// SPDX-License-Identifier: MIT
// The address space without lxcore's range [LX_BASE, LX_END): to the guest it looks like memory
// that is not mapped and cannot be (task/memory.c).
#ifndef LX_MEMORY_H
#define LX_MEMORY_H

#include <stdbool.h>

#include "types.h"

// Does [addr, addr + len) reach into lxcore's range? An empty range counts as its first byte. One
// that wraps around does not: the kernel refuses it.
bool memory_hits_lxcore(uptr addr, size_t len);
// Where a mapping that the kernel would put into a hole of lxcore's range goes instead: an address
// where len bytes are mapped without access. 0: nowhere.
uptr memory_place_below(size_t len);
// mmap(2) for a guest's mapping.
long memory_map(uptr addr, size_t len, int prot, int flags, int fd, long offset);

#endif
