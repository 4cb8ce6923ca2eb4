// SPDX-License-Identifier: MIT
// What stands in for libc inside lxcore: memory, strings, formatting, locks.
#ifndef LX_LIB_H
#define LX_LIB_H

#include <stdarg.h>
#include <stdbool.h>

#include "types.h"

typedef u64 __attribute__((may_alias)) word_in_text;

// As the C library's of these names.
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *sub);

// Strings are read by aligned words, which may have bytes in front of them and behind their ends,
// but lie in no page that the string does not.
#define EACH_BYTE 0x0101010101010101UL
// Which bytes of w are zero: the highest bit of each.
static inline u64 zero_bytes(u64 w)
{
    const u64 high = 0x80 * EACH_BYTE;
    return ~(((w & ~high) + ~high) | w | ~high);
}
// The word that s begins in, and its bits from s on.
static inline const word_in_text *first_word(const char *s, u64 *bits)
{
    *bits = ~0UL << 8 * ((uptr)s & 7);
    return (const word_in_text *)((uptr)s & ~7UL);
}
// The byte of *w that the lowest bit stands for.
static inline const char *byte_in(const word_in_text *w, u64 bits)
{
    return (const char *)w + (unsigned)__builtin_ctzl(bits) / 8;
}

// Copies a string, always ends it; returns the length of src, so >= n means it was cut.
size_t str_copy(char *dst, const char *src, size_t n);
bool str_starts(const char *s, const char *prefix);
// Unsigned decimal: the whole of s[0..n) must be digits. Returns -1 where it is not a number.
long str_number(const char *s, size_t n);
// Text that stands for any bytes: those that are not plain as %XX; plain are the printable ones but
// % / ; = @. To *out, which is moved behind it. False: it does not fit before `end`.
bool str_escape(char **out, const char *end, const void *bytes, size_t n);
// The other way, up to one of the two `ends` or the end of the text; moves *text there, and returns
// the number of bytes. out: NULL, or takes up to `room` of them.
size_t str_unescape(const char **text, const char *ends, char *out, size_t room);

// A small printf: %s %c %d %u %x %o with l and z, field width, 0 and - flags, %%. Returns the
// length it would have had; always ends buf when n > 0.
int fmt(char *buf, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fmt_va(char *buf, size_t n, const char *format, va_list ap);
// One line on stderr, beginning "lxrun: ".
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same, then death with the exit status of lxrun's own errors (125).
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A lock between the threads of one address space. The word is the owner's tid, so that a vfork
// parent can release what a killed child held; bit 31 says that somebody waits.
struct lock {
    u32 word;
};
void lock_take(struct lock *l);
void lock_drop(struct lock *l);
// Releases l if tid held it (a CLONE_VM child that is gone).
void lock_release_dead(struct lock *l, u32 tid);

#endif
