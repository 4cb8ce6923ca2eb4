// SPDX-License-Identifier: MIT
// What a VolFs keeps in extended attributes, as text (docs/files.md): owner and mode of a file or
// directory in its own, those of links, FIFOs and sockets in records of their directory. Used by
// both programs.
#ifndef LX_ATTR_H
#define LX_ATTR_H

#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define ATTRSTORE_GONE "gone" // in a store of attributes: of what has no name (fs/attrstore.c)
#define META_XATTR "user.containers.override_stat"
#define MODE_BITS 07777u
#define UNFINISHED_DIR 01700u // host mode of a directory that is being made

// The value of META_XATTR.
struct attr {
    u32 uid, gid, mode;
    u32 type;       // S_IFREG or S_IFDIR; 0: it does not say
    bool witnessed; // set-id bits hold only while the host's S_ISUID stands (fs/change.c)
    bool has_acl;   // its access ACL (fs/acl.c) holds; without this there is none
    bool has_caps;  // capabilities, which hold as the set-id bits do
    bool has_names; // a directory: owner of entries without a record (fs/sidedir.c)
    u32 names_uid, names_gid;
};
#define ATTR_SIZE 96

// Linux gives regular files no file type in these bits of the attribute; other readers of the
// encoding take S_IFREG for what it says.
#define ATTR_WITNESSED S_IFREG

// Reads a number that ends in `end` or, for end 0, at the end of the text. Moves *s behind it.
static inline bool attr_number(const char **s, u32 base, char end, u32 *v)
{
    const char *start = *s;
    u64 n = 0;
    for (; **s >= '0' && **s < (char)('0' + base) && n <= 0xffffffffu; ++*s)
        n = n * base + (u32)(**s - '0');
    *v = (u32)n;
    if (*s == start || n > 0xffffffffu || **s != end)
        return false;
    *s += end != 0;
    return true;
}

// Writes a number and what stands behind it; returns the end. A base that the compiler knows saves
// the divisions, and changes of owner and mode write three of these.
static inline char *attr_put(char *out, u32 n, u32 base, char end)
{
    char digits[11]; // of 2^32 - 1, in octal
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % base);
    while (n /= base);
    while (at < sizeof digits)
        *out++ = digits[at++];
    *out++ = end;
    return out;
}

// Takes a word and the colon behind it, if one is there.
static inline bool attr_word(const char **s, const char *word)
{
    size_t n = __builtin_strlen(word);
    if (__builtin_strncmp(*s, word, n) != 0 || ((*s)[n] && (*s)[n] != ':'))
        return false;
    *s += n + ((*s)[n] == ':');
    return true;
}

// "file" or "dir" behind the mode, then "acl", "cap", "uid:gid"; any other word says nothing of
// files and directories.
static inline void attr_parse_type(const char *s, struct attr *a)
{
    a->type = attr_word(&s, "file") ? S_IFREG : attr_word(&s, "dir") ? S_IFDIR : 0;
    if (!a->type)
        return;
    a->has_acl = attr_word(&s, "acl");
    a->has_caps = attr_word(&s, "cap");
    a->has_names = a->type == S_IFDIR && *s && attr_number(&s, 10, ':', &a->names_uid) &&
                   attr_number(&s, 10, 0, &a->names_gid);
}

// Reads "uid:gid:mode[:type[:...]]" of n bytes; false: somebody else's text.
static inline bool attr_parse(const char *value, long n, struct attr *a)
{
    char text[ATTR_SIZE];
    const char *s = text;
    u32 mode;
    if (n <= 0 || n >= (long)sizeof text)
        return false;
    __builtin_memcpy(text, value, (size_t)n);
    text[n] = 0;
    if (!attr_number(&s, 10, ':', &a->uid) || !attr_number(&s, 10, ':', &a->gid))
        return false;
    const char *start = s;
    a->has_names = a->has_acl = a->has_caps = false;
    a->type = 0;
    if (!attr_number(&s, 8, 0, &mode)) {
        s = start;
        if (!attr_number(&s, 8, ':', &mode))
            return false;
        attr_parse_type(s, a);
    }
    a->mode = mode & MODE_BITS;
    a->witnessed = (mode & S_IFMT) == ATTR_WITNESSED;
    return true;
}

// ---- Records (fs/side.c) ----

#define SIDE_PREFIX "user.lxrun.o."
#define SIDE_NAME_SIZE (sizeof SIDE_PREFIX + 16)

// Owners of many entries (fs/sidedir.c): for each so many digits of this base.
#define SIDE_SETS SIDE_PREFIX "sets"
#define SIDE_SETS_DIGITS 4
#define SIDE_SETS_BASE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define FNV_START 0xcbf29ce484222325UL
#define FNV_CHECK 0x84222325cbf29ce4UL // another start: the check does not repeat the name's hash

static inline u64 side_fnv(const char *s, size_t n, u64 h)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (u8)s[i]) * 0x100000001b3UL;
    return h;
}

static inline void side_hex(char *out, const char *prefix, size_t size, u64 h)
{
    __builtin_memcpy(out, prefix, size);
    out += size - 1;
    for (int i = 0; i < 16; i++)
        out[i] = "0123456789abcdef"[h >> (60 - 4 * i) & 15];
    out[16] = 0;
}

// Name of the record of an entry, into out[SIDE_NAME_SIZE].
static inline void side_name(const char *entry, char *out)
{
    u64 h = side_fnv(entry, __builtin_strlen(entry), FNV_START);
    side_hex(out, SIDE_PREFIX, sizeof SIDE_PREFIX, h);
}

// What is kept of an inode with several names, by number and birth (fs/sidelink.c).
#define SIDE_LINK_PREFIX "user.lxrun.i."
#define SIDE_LINK_SIZE (sizeof SIDE_LINK_PREFIX + 16)

static inline u64 side_mix(u64 word, u64 h)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15UL;
    return h ^ h >> 32;
}

// Name of that, into out[SIDE_LINK_SIZE]; *st has the time of birth.
static inline void side_link_name(const struct statx *st, char *out)
{
    u64 h = side_mix(st->stx_ino, FNV_START);
    h = side_mix((u64)st->stx_btime.tv_sec, h);
    h = side_mix(st->stx_btime.tv_nsec, h);
    side_hex(out, SIDE_LINK_PREFIX, sizeof SIDE_LINK_PREFIX, h);
}

// Covers name, and target of a symlink (n bytes; 0 for others).
static inline u32 side_check(const char *entry, const char *target, size_t n)
{
    u64 h = side_fnv(entry, __builtin_strlen(entry) + 1, FNV_CHECK);
    h = side_fnv(target, n, h);
    return (u32)(h ^ h >> 32);
}

#endif
