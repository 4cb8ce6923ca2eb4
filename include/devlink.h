// SPDX-License-Identifier: MIT
// Device nodes in a volfs, which an unprivileged host user cannot create: a symlink whose target
// cannot resolve (one component of over 255 bytes) and says everything: type, numbers, owner, mode.
// Atomic to make, survives cp, rsync and tar, and only symlinks need a look. Used by both programs.
//
// A guest that is lxrun itself makes such symlinks, too, and to it they are no nodes: each is kept
// with one '+' more behind the first word, and shown with one less.
#ifndef LX_DEVLINK_H
#define LX_DEVLINK_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define DEVLINK_SIZE 300 // length of every such target
#define DEVLINK_WORD "lxrun-node"
#define DEVLINK_PREFIX DEVLINK_WORD ":"
#define DEVLINK_NESTED 8 // '+' at most

struct devlink {
    char type; // 'c', 'b', 'p' or 's'
    u32 major, minor;
    u32 uid, gid;
    u32 mode; // 12 bits
};

static inline char *devlink_put(char *p, unsigned long v, unsigned base)
{
    char tmp[24], *q = tmp + sizeof tmp;
    do
        *--q = (char)('0' + v % base);
    while (v /= base);
    while (q < tmp + sizeof tmp)
        *p++ = *q++;
    *p++ = ':';
    return p;
}

// Writes the target into out[DEVLINK_SIZE + 1].
static inline void devlink_format(char *out, const struct devlink *d)
{
    const char *prefix = DEVLINK_PREFIX;
    char *p = out;
    while (*prefix)
        *p++ = *prefix++;
    *p++ = d->type;
    *p++ = ':';
    p = devlink_put(p, d->major, 10);
    p = devlink_put(p, d->minor, 10);
    p = devlink_put(p, d->uid, 10);
    p = devlink_put(p, d->gid, 10);
    p = devlink_put(p, d->mode, 8);
    while (p < out + DEVLINK_SIZE)
        *p++ = '.';
    *p = 0;
}

// How deep in guests of guests is a target of n bytes a node? 0: here; -1: nowhere.
static inline int devlink_depth(const char *s, size_t n)
{
    const char *word = DEVLINK_WORD;
    if (n < DEVLINK_SIZE || n > DEVLINK_SIZE + DEVLINK_NESTED)
        return -1;
    while (*word)
        if (*s++ != *word++)
            return -1;
    for (size_t i = 0; i < n - DEVLINK_SIZE; i++)
        if (*s++ != '+')
            return -1;
    return *s == ':' ? (int)(n - DEVLINK_SIZE) : -1;
}

static inline bool devlink_number(const char **p, unsigned base, u32 *v)
{
    const char *start = *p;
    for (*v = 0; **p >= '0' && **p < (char)('0' + base); ++*p)
        *v = *v * base + (u32)(**p - '0');
    return *p > start && *(*p)++ == ':';
}

// Parses a target of n bytes (need not be ended). False: an ordinary symlink.
static inline bool devlink_parse(const char *s, size_t n, struct devlink *d)
{
    const char *prefix = DEVLINK_PREFIX;
    if (n != DEVLINK_SIZE)
        return false;
    while (*prefix)
        if (*s++ != *prefix++)
            return false;
    d->type = *s++;
    if (*s++ != ':')
        return false;
    return devlink_number(&s, 10, &d->major) && devlink_number(&s, 10, &d->minor) &&
           devlink_number(&s, 10, &d->uid) && devlink_number(&s, 10, &d->gid) &&
           devlink_number(&s, 8, &d->mode);
}

#endif
