// SPDX-License-Identifier: MIT
// DrvFs: what the options of a host directory in the guest mean, as WSL has them. Used by both
// programs: for -b and /etc/fstab by lxrun, for mount(2) by lxcore.
#ifndef LX_DRIVE_H
#define LX_DRIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

// How files without an attribute are shown: the host user's access, less the masks, the same for
// user, group and others, and one owner for all.
enum { CASE_FORCE, CASE_OFF, CASE_DIR };         // none; all; in directories that say so
enum { NAMES_EXACT, NAMES_WINDOWS, NAMES_AUTO }; // AUTO: WINDOWS where drive_is_windows()
struct drive {
    u32 on;       // 0: the host's owner and mode (a plain -b)
    u32 metadata; // owner and mode can be changed, and are kept in the attribute
    u32 uid, gid;
    u32 umask, fmask, dmask;
    u32 nocase; // CASE_*: which names that differ only in case are one
    u32 names;  // NAMES_*: are they kept as Windows can hold them (drivename.h)?
};

// Does a file system refuse what drivename.h maps? By statfs(2)'s f_type, and the major number of
// its device: what FUSE shows of a block device (ntfs-3g, exfat-fuse) has one, its others have not.
static inline bool drive_is_windows(u64 f_type, u32 dev_major)
{
    return f_type == 0x4d44 || f_type == 0x2011bab0 || f_type == 0x7366746e || // FAT, exFAT, NTFS3
           (f_type == 0x65735546 && dev_major);
}

static inline bool drive_is(const char *option, size_t n, const char *name)
{
    for (; n && *name && *option == *name; n--)
        option++, name++;
    return !n && !*name;
}

static inline bool drive_number(const char *s, size_t n, unsigned base, u32 *v)
{
    u64 sum = 0;
    if (!n)
        return false;
    for (; n && *s >= '0' && *s < (char)('0' + base) && sum <= 0xffffffff; n--)
        sum = sum * base + (u64)(*s++ - '0');
    *v = (u32)sum;
    return !n && sum <= 0xffffffff;
}

enum { DRIVE_OTHER, DRIVE_SET, DRIVE_BAD };
// Reads one option, n bytes. DRIVE_OTHER: none of DrvFs.
static inline int drive_option(struct drive *d, const char *option, size_t n)
{
    const struct {
        const char *name;
        u32 *to;
        unsigned base;
    } numbers[] = {
        {"uid", &d->uid, 10},    {"gid", &d->gid, 10},    {"umask", &d->umask, 8},
        {"fmask", &d->fmask, 8}, {"dmask", &d->dmask, 8},
    };
    size_t k = 0;
    while (k < n && option[k] != '=')
        k++;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!drive_is(option, k, numbers[i].name))
            continue;
        d->on = 1;
        return k < n && drive_number(option + k + 1, n - k - 1, numbers[i].base, numbers[i].to)
                   ? DRIVE_SET
                   : DRIVE_BAD;
    }
    if (drive_is(option, n, "metadata")) {
        d->on = d->metadata = 1;
        return DRIVE_SET;
    }
    if (!drive_is(option, k, "case") && !drive_is(option, k, "names"))
        return DRIVE_OTHER;
    if (drive_is(option, n, "names=auto"))
        d->names = NAMES_AUTO;
    else if (drive_is(option, n, "names=windows"))
        d->names = NAMES_WINDOWS;
    else if (drive_is(option, n, "names=exact"))
        d->names = NAMES_EXACT;
    else if (drive_is(option, n, "case=off"))
        d->nocase = CASE_OFF;
    else if (drive_is(option, n, "case=dir"))
        d->nocase = CASE_DIR;
    else if (drive_is(option, n, "case=force"))
        d->nocase = CASE_FORCE;
    else
        return DRIVE_BAD;
    d->on = 1;
    return DRIVE_SET;
}

#endif
