// SPDX-License-Identifier: MIT
// Rewritten code in the cache: made by the hosted rewriter (rewrite/), mapped by lxcore over a
// file's own text (loader/rewritten.c). Both programs include this file.
//
// A site is a `syscall` (0f 05) of an executable segment. The instructions right before it, its
// window, are moved to a slot, and a jump to the slot takes their place. The `syscall` itself
// becomes `hlt` (f4 05): whatever else comes there gets SIGSEGV from the processor, which the
// handler takes for what it is. A `cpuid` (0f a2) is a site like a system call, where the processor
// is one on which that is quicker (rewrite/cpuid.c). So no dispatch by the kernel is needed for
// text that is clean: in which every byte pair that could be a system call is either one of these,
// or known to lie inside another instruction, or in a guard: pages with what was not decoded,
// tables most likely, which are mapped without PROT_EXEC until somebody runs them. A slot is
// REWRITE_SLOT bytes:
//
//     the window's instructions, L bytes     they touch memory only by plain loads and stores
//     48 8d 0d rel32     lea back(%rip),%rcx   back: the address behind the site
//     ff 25 rel32        jmp *gate(%rip)       (of a cpuid: 48 8d 15, %rdx, and the second gate)
//     ...                cc
//     last but one       where in the window a lea's displacement is, which has been changed for
//                        the slot's place; 0xcc: nowhere
//     last byte          L
//
// A window of 5 bytes or more begins with `jmp slot` (e9 rel32). A shorter one, of 2 to 4 bytes,
// begins with `jmp pad` (eb rel8), a pad being 5 bytes of filler between functions that hold the
// `jmp slot`; a thread that stands there has executed nothing of the window yet. The rest of the
// window is cc. Of memory, a shorter one may only load from the stack. A site without a window
// (L = 0) has a slot too, which nothing jumps to: it says where the site is.
//
// Slots lie below the image, in [image_lo - slots_size, image_lo). Slot 0 is none: it
// begins with the two words that slots jump through, LX_GATE and LX_GATE_CPUID. Behind the last one
// is zero.
//
// The cache is a directory. An entry is the file "c-HASH", HASH being the SHA-256 of the original's
// bytes in hexadecimal; a file's identity (REWRITE_INDEX) is the name of a symlink to the entry, so
// that copies of a library share one. Both appear by rename, whole.
#ifndef LX_REWRITE_H
#define LX_REWRITE_H

#include "types.h"

#define REWRITE_MAGIC 0x39307772786cUL // the format's number is part of it
#define REWRITE_SLOT 32
#define REWRITE_SEGMENTS 4
#define REWRITE_GUARDS 4
#define REWRITE_TRAP 0xf4 // in place of the 0f of a site's 0f 05 or 0f a2
#define REWRITE_LEA 7     // bytes of each of the slot's own instructions
#define REWRITE_JMP 6
#define REWRITE_WINDOW_MAX (REWRITE_SLOT - REWRITE_LEA - REWRITE_JMP - 2)

// Name of a file in the index: device (major << 32 | minor), inode, size, mtime (s, ns), ctime
// (s, ns), all unsigned long.
#define REWRITE_INDEX "%lx.%lx.%lx.%lx.%lx.%lx.%lx"
#define REWRITE_INDEX_SIZE 128

// Whole pages of an executable segment. What lies behind the segment's end in its last page is the
// file's, as the kernel maps it.
struct rewrite_segment {
    u64 vaddr;       // of its first page, as the program header says
    u64 file_offset; // of that page in the file
    u64 size;        // in bytes, whole pages
    u64 text_at;     // where the entry has the rewritten pages
    u64 original_at; // and the same pages as they were
};

// The first page of an entry. The slots come next; the rewritten pages do not lie right behind
// them, so that the kernel does not make one mapping of both.
#define REWRITE_SLOTS_AT 4096UL
#define REWRITE_START 1024 // bytes: an ELF file's headers, and mostly its build id
struct rewrite_entry {
    u64 magic;
    u64 size;       // of the entry file
    u64 checksum;   // rewrite_sum()
    u64 image_lo;   // address of the image's lowest page, as the program headers say
    u64 slots_size; // whole pages; 0: nothing was rewritten
    u32 sites;      // all that were found
    u32 moved;      // those that have a slot
    u32 segments;
    u32 cleans;
    // The original, unless there are no segments: its size, and rewrite_checksum() of its first
    // REWRITE_START bytes.
    u64 original_size, original_start;
    struct rewrite_segment segment[REWRITE_SEGMENTS];
    // Pages of the file that are clean, where the segments are over them.
    struct {
        u64 file_offset, size;
    } clean[REWRITE_SEGMENTS];
    // Guards, whole pages of segments behind their first one.
    u64 guards;
    struct {
        u64 vaddr, size;
    } guard[REWRITE_GUARDS];
    u64 reserved[2];
};
_Static_assert(sizeof(struct rewrite_entry) == 384, "whole lanes for the checksum");

// Is the head of an entry one that can be used?
static inline bool rewrite_fits(const struct rewrite_entry *e)
{
    u64 size = e->size;
    if (e->magic != REWRITE_MAGIC || e->segments > REWRITE_SEGMENTS ||
        e->cleans > REWRITE_SEGMENTS || e->guards > REWRITE_GUARDS || size % 4096 ||
        size < REWRITE_SLOTS_AT || e->slots_size > size - REWRITE_SLOTS_AT ||
        (e->slots_size | e->image_lo) % 4096)
        return false;
    for (u32 i = 0; i < e->segments; i++) {
        const struct rewrite_segment *s = &e->segment[i];
        if (!s->size || s->size > size || s->text_at > size - s->size ||
            s->original_at > size - s->size ||
            (s->size | s->text_at | s->original_at | s->vaddr | s->file_offset) % 4096)
            return false;
    }
    for (u32 i = 0; i < e->guards; i++)
        if ((e->guard[i].vaddr | e->guard[i].size) % 4096)
            return false;
    return true;
}

// n: a multiple of 32.
static inline u64 rewrite_checksum(const void *data, u64 n)
{
    const u64 *w = data;
    u64 lane[4] = {1, 2, 3, 4};
    for (u64 i = 0; i < n / 8; i += 4)
        for (int k = 0; k < 4; k++) {
            lane[k] = (lane[k] ^ w[i + k]) * 0x9e3779b97f4a7c15UL;
            lane[k] ^= lane[k] >> 29;
        }
    return ((lane[0] * 31 + lane[1]) * 31 + lane[2]) * 31 + lane[3];
}

// Of an entry that fits, with `rest` behind its first page.
static inline u64 rewrite_sum(const struct rewrite_entry *e, const void *rest)
{
    struct rewrite_entry head = *e;
    head.checksum = 0;
    return rewrite_checksum(&head, sizeof head) * 31 +
           rewrite_checksum(rest, e->size - REWRITE_SLOTS_AT);
}

// Was the entry made from a file of that size and start? Names may lead to another's.
static inline bool rewrite_is_of(const struct rewrite_entry *e, u64 size,
                                 const u8 start[REWRITE_START])
{
    return !(e->segments || e->cleans) ||
           (e->original_size == size &&
            e->original_start == rewrite_checksum(start, REWRITE_START));
}

// What lxcore sends over the reserved socket RESERVED_REWRITE for a file that the index does not
// have, or has a bad entry for: one byte, REWRITE_WANTED, with the file's descriptor (SCM_RIGHTS).
#define REWRITE_WANTED 'w'

#endif
