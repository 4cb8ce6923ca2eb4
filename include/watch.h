// SPDX-License-Identifier: MIT
// inotify in drives whose names are mapped (syscalls/watch.c).
#ifndef LX_WATCH_H
#define LX_WATCH_H

#include "types.h"

// read(2) of a descriptor that fd_is_mapped_watch(): the events with their names as the guest has
// them. As read(2), or -LX_ERESTART.
long watch_read(int fd, uptr buf, size_t count);

#endif
