// SPDX-License-Identifier: MIT
// Names that Windows' file systems (FAT, exFAT, NTFS) refuse, as WSL's DrvFs keeps them there: the
// bytes 1 to 31 and `" * : < > ? \ |`, and a dot or space at the end, are the characters U+F000 +
// byte on the host. Such a character in a name on the host is shown as that byte, whoever made it.
// Used by both programs.
#ifndef LX_DRIVENAME_H
#define LX_DRIVENAME_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define DRIVENAME_BASE 0xf000u

// last: is it the last byte of its name? Those are cut off there.
static inline bool drivename_refused(u32 c, bool last)
{
    if (c == '.' || c == ' ')
        return last;
    if (c && c < ' ')
        return true;
    for (const char *p = "\"*:<>?\\|"; *p; p++)
        if (c == (u8)*p)
            return true;
    return false;
}

// The host's name for the guest's, of n bytes, which is neither "." nor "..": into out, ended by 0.
// Its length, or `size` where it does not fit.
static inline size_t drivename_to_host(const char *name, size_t n, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        u32 c = (u8)name[i];
        bool mapped = drivename_refused(c, i + 1 == n);
        if (at + (mapped ? 3 : 1) >= size)
            return size;
        if (mapped) {
            c += DRIVENAME_BASE;
            out[at++] = (char)(0xe0 | c >> 12);
            out[at++] = (char)(0x80 | (c >> 6 & 0x3f));
            c = 0x80 | (c & 0x3f);
        }
        out[at++] = (char)c;
    }
    out[at] = 0;
    return at;
}

// The byte that the character at s stands for, in a name that ends at `end`; 0: it is itself.
static inline char drivename_byte(const char *s, const char *end)
{
    const u8 *p = (const u8 *)s;
    if (end - s < 3 || p[0] != (0xe0 | DRIVENAME_BASE >> 12) || (p[1] & 0xfe) != 0x80 ||
        (p[2] & 0xc0) != 0x80)
        return 0;
    u32 c = (p[1] & 1u) << 6 | (p[2] & 0x3f);
    return drivename_refused(c, s + 3 == end) ? (char)c : 0;
}

// What the guest sees of the names of a way, or of one name: in place, for it gets no longer.
// Returns the length. No name becomes "." or "..".
static inline size_t drivename_to_guest(char *way)
{
    char *out = way;
    for (char *s = way; *s;) {
        char *end = s, *start = out;
        while (*end && *end != '/')
            end++;
        while (s < end) {
            char c = drivename_byte(s, end);
            bool dots = c == '.' && (out == start || (out == start + 1 && *start == '.'));
            size_t n = c && !dots ? 3 : 1;
            *out++ = n == 3 ? c : *s;
            s += n;
        }
        if (*s)
            *out++ = *s++;
    }
    *out = 0;
    return (size_t)(out - way);
}

#endif
