// SPDX-License-Identifier: MIT
// Keeps the cache directory below its size.
#ifndef LX_REWRITE_CACHETRIM_H
#define LX_REWRITE_CACHETRIM_H

#include <stdbool.h>

#include "types.h"

#define CACHE_TEMPORARY "t-" // how the names of unfinished files begin
// The entry that all files with nothing to rewrite share.
#define CACHE_NOTHING "c-nothing"

// Bytes that the cache may take; $LXRUN_CACHE_MIB can say another number.
u64 cache_limit(void);
// Says that n bytes were added. Now and then, that makes it look for what to remove.
void cache_grown(int cache, u64 n);

#endif
