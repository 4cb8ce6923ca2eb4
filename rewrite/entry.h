// SPDX-License-Identifier: MIT
// From a file's bytes to an entry of the cache.
#ifndef LX_REWRITE_ENTRY_H
#define LX_REWRITE_ENTRY_H

#include "sites.h"

#define FILE_MAX (512UL << 20) // larger files are not rewritten
// The page cache holds what is written at once in one folio, if its place is a multiple of its
// size, and at a page fault the kernel maps all of the folio that lies there (Linux 6.18). So the
// rewritten text begins at a folio and is written by folios: larger ones cost a new process more to
// map and unmap than further faults.
#define ENTRY_FOLIO (256UL << 10)

// A file that was looked at. The bytes must stay as long as it is used.
struct rewriting {
    struct image image;
    struct sites sites;
    struct decoder *decoder;
    u64 slots; // address of slot 0
    u64 slots_size;
    bool clean;      // all its code is, once it is rewritten (rewrite.h)
    const char *why; // nothing is rewritten, for this reason; NULL: there are slots
};

void rewriting_make(struct rewriting *r, const u8 *file, u64 size);
// Forgets what was found, for the entry that all files with nothing to rewrite share.
void rewriting_nothing(struct rewriting *r);
void rewriting_free(struct rewriting *r);

// What the code that stands in the file becomes, by site.
void site_slot(const struct rewriting *r, const struct site *s, u8 slot[REWRITE_SLOT]);
void site_jump(const struct site *s, u8 *window);
void site_jump_far(const struct site *s, u64 at, u8 *to); // jmp rel32, 5 bytes, at the pad

// The entry (rewrite.h), to be freed; NULL: no memory. A file with nothing to rewrite has one too.
u8 *entry_make(const struct rewriting *r, u64 *size);

// Reads a file whole. Returns NULL and errno.
u8 *file_read(int fd, u64 size);

#endif
