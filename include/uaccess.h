// SPDX-License-Identifier: MIT
// Guest memory: the only functions that turn a guest address into memory. A fault inside them is
// mended by the signal handler and comes back as -EFAULT, never as a crash.
#ifndef LX_UACCESS_H
#define LX_UACCESS_H

#include <linux/errno.h>

#include "layout.h"
#include "types.h"

// The end of the guest's addresses (asm/page_64.h, with four levels of page tables).
#define TASK_SIZE_MAX 0x7ffffffff000UL

// The kernel's own: for the host EFAULT, whatever other threads map meanwhile.
#define BAD_ADDRESS 0xfffffffffffff000

// In assembly, for the functions below; src or dst is guest memory. How many of n bytes were not
// copied; the length of a string, n where no end came, or -EFAULT (trap/door.S).
long uaccess_copy(void *dst, const void *src, size_t n);
long uaccess_str(char *dst, const char *src, size_t n);
// The processor's instructions of these names on guest memory, of the components in mask: 0 or
// -EFAULT (trap/vectors.S).
long uaccess_xsave(void *area, u64 mask);
long uaccess_xrstor(const void *area, u64 mask);
long uaccess_fxrstor(const void *area);

// Is [p, p + n) no part of lxcore? (The kernel part of the address space faults by itself.)
static inline int guest_range_ok(uptr p, size_t n)
{
    return p + n >= p && (p + n <= LX_BASE || p >= LX_END);
}

// What guest memory's instructions do about a fault (include/fixup.inc, trap/signal.c: fix_up): one
// between `from` and `to` goes on at `at`. Distances from the fields themselves.
struct fixup {
    int from, to, at;
};

// One word of guest memory at `p`, of a range that is no part of lxcore, in line: where a
// function's way there and back would count. A fault makes *r -EFAULT, which nothing else touches.
static inline u64 word_from_guest(const u64 *p, long *r)
{
    u64 word;
    asm volatile("1: mov %[p], %[word]\n"
                 "2:\n"
                 ".pushsection .text.fixup, \"ax\"\n"
                 "3: mov %[bad], %[r]\n"
                 "jmp 2b\n"
                 ".popsection\n"
                 ".pushsection .fixups, \"a\"\n"
                 ".long 1b - ., 2b - ., 3b - .\n"
                 ".popsection"
                 : [word] "=r"(word), [r] "+r"(*r)
                 : [p] "m"(*p), [bad] "i"(-EFAULT));
    return word;
}

static inline long copy_from_guest(void *dst, uptr src, size_t n)
{
    return guest_range_ok(src, n) && !uaccess_copy(dst, (const void *)src, n) ? 0 : -EFAULT;
}

static inline long copy_to_guest(uptr dst, const void *src, size_t n)
{
    return guest_range_ok(dst, n) && !uaccess_copy((void *)dst, src, n) ? 0 : -EFAULT;
}

// A guest string with its end into dst[n]; returns its length, -EFAULT, or -ENAMETOOLONG.
static inline long copy_str_from_guest(char *dst, uptr src, size_t n)
{
    long len = guest_range_ok(src, 0) ? uaccess_str(dst, (const char *)src, n) : -EFAULT;
    return len == (long)n ? -ENAMETOOLONG : len;
}

#endif
