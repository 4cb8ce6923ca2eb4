// SPDX-License-Identifier: MIT
// Permission on guest metadata (path_resolution(7), capabilities(7)). Linux: fs/namei.c,
// generic_permission().
#include <linux/capability.h>

#include "fs.h"
#include "host.h"

long may_access(const struct cred *c, const struct statx *st, int want)
{
    u32 mode = st->stx_mode;
    bool dir = (mode & S_IFMT) == S_IFDIR;
    if ((want & MAY_WRITE) && (META_MORE(st) & MORE_IMMUTABLE))
        return -EPERM;
    if (META_MORE(st) & MORE_ALLOWED)
        return 0;
    if (c->fsuid == st->stx_uid)
        mode >>= 6;
    else if ((META_MORE(st) & ACL_HOLDS) && (mode & 070)) // else the mask forbids it all
        mode = META_MORE(st) >> (want & 7) & 1 ? 7 : 0;
    else if (cred_in_group(c, st->stx_gid))
        mode >>= 3;
    if (((u32)want & ~mode & 7) == 0)
        return 0;
    bool any_x = st->stx_mode & 0111;
    if (cred_has_cap(c, CAP_DAC_OVERRIDE) && (dir || !(want & MAY_EXEC) || any_x))
        return 0;
    if (cred_has_cap(c, CAP_DAC_READ_SEARCH) && (want == MAY_READ || (dir && !(want & MAY_WRITE))))
        return 0;
    return -EACCES;
}

long may_delete(const struct cred *c, const struct statx *dir, const struct statx *victim)
{
    long r = may_access(c, dir, MAY_WRITE | MAY_EXEC);
    if (r < 0)
        return r;
    if ((dir->stx_mode & S_ISVTX) && c->fsuid != dir->stx_uid && !inode_owner_or_capable(c, victim))
        return -EPERM;
    return 0;
}
