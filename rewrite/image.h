// SPDX-License-Identifier: MIT
// An ELF file as the rewriter sees it: where its code lies, and which addresses are known to begin
// an instruction. Nothing in the file is trusted: every offset is checked before it is used.
#ifndef LX_REWRITE_IMAGE_H
#define LX_REWRITE_IMAGE_H

#include <stdbool.h>

#include "rewrite.h"
#include "types.h"

#define IMAGE_LOADS 32

// What is known about a byte of code.
enum {
    MARK_START = 1,    // an instruction begins here that control flow reaches
    MARK_COVERED = 2,  // belongs to such an instruction
    MARK_FUNCTION = 4, // a function begins here
    MARK_BRANCH = 8,   // a decoded instruction jumps here
    MARK_TARGET = 16,  // something may jump here: more than really does (targets.c)
    MARK_POINTER = 32, // a word of data has this value: mostly chance
    MARK_PAD = 64,     // filler that was taken for a jump to a slot (pads.c)
};

// The bytes of a PT_LOAD that come from the file.
struct load {
    u64 vaddr, offset, size;
    u64 end; // of the pages it takes in memory
    bool executable, writable;
    u8 *marks; // one for each byte; only of code that may be rewritten, else NULL
};

// Where a function begins. Sorted by address; no two are the same.
struct function {
    u64 start;
    u64 end;       // 0: not known
    bool lsda;     // has landing pads, where the unwinder goes
    bool trap;     // a signal's return (augmentation 'S')
    bool part;     // not a start: a jump from elsewhere goes here
    bool decoded;  // (flow.c)
    bool indirect; // has a jump through a register
    bool table;    // and refers to a jump table
};

struct image {
    const u8 *file;
    u64 size;
    bool fixed; // ET_EXEC
    u64 entry;
    u64 lo;            // address of the lowest page
    u64 unwind_header; // address of .eh_frame_hdr; 0: there is none
    struct load load[IMAGE_LOADS];
    unsigned loads;
    struct function *function;
    size_t functions, room;
    u64 decodes; // instructions decoded (flow.c)
};

// Reads the headers. Returns NULL, or why the file is not one to rewrite.
const char *image_open(struct image *m, const u8 *file, u64 size);
// Finds the functions by entry point, symbols and unwind tables, and makes the marks. False:
// no memory.
bool image_find_functions(struct image *m);
void image_close(struct image *m);

// The code that may be rewritten at addr, with n bytes from there on; NULL: none is there.
struct load *image_code(struct image *m, u64 addr, u64 n);
// Bytes of the file at an address, n of them; NULL: not in the file.
const u8 *image_bytes(const struct image *m, u64 addr, u64 n);
// Any mark of `which` at an address in (from, to)?
bool image_marked(struct image *m, u64 from, u64 to, u8 which);
// Adds a function; the order is put right by image_sort.
void image_add(struct image *m, struct function f);
void image_sort(struct image *m);
// Index of the last function that begins at or before addr; -1: none.
long image_function(const struct image *m, u64 addr);

// Adds the functions that .eh_frame tells of: n bytes of it at addr (unwind.c).
void unwind_read(struct image *m, const u8 *table, u64 n, u64 addr);
// The same by .eh_frame_hdr, which program headers tell of: for files without section headers.
void unwind_read_by_header(struct image *m);

static inline const u8 *load_bytes(const struct image *m, const struct load *l)
{
    return m->file + l->offset;
}

#endif
