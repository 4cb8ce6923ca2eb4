// SPDX-License-Identifier: MIT
// Identity rules of credentials(7) and capabilities(7). Linux: kernel/sys.c, security/commoncap.c.
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/securebits.h>
#include <linux/stat.h>

#include "cred.h"
#include "lib.h"

#define FS_CAPS                                                                                    \
    (1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_DAC_READ_SEARCH | 1UL << CAP_FOWNER | \
     1UL << CAP_FSETID | 1UL << CAP_MKNOD | 1UL << CAP_MAC_OVERRIDE | 1UL << CAP_LINUX_IMMUTABLE)

bool cred_in_group(const struct cred *c, u32 gid)
{
    if (gid == c->fsgid)
        return true;
    for (u32 i = 0; i < c->ngroups; i++)
        if (c->groups[i] == gid)
            return true;
    return false;
}

void cred_uids_changed(struct cred *c, const struct cred *old)
{
    bool had_root = !old->ruid || !old->euid || !old->suid;
    bool has_root = !c->ruid || !c->euid || !c->suid;
    if (!(c->securebits & SECBIT_NO_SETUID_FIXUP)) {
        if (had_root && !has_root) {
            if (!(c->securebits & SECBIT_KEEP_CAPS)) {
                c->cap_permitted = 0;
                c->cap_effective = 0;
            }
            c->cap_ambient = 0;
        }
        if (!old->euid && c->euid)
            c->cap_effective = 0;
        if (old->euid && !c->euid)
            c->cap_effective = c->cap_permitted;
        if (!old->fsuid && c->fsuid)
            c->cap_effective &= ~FS_CAPS;
        if (old->fsuid && !c->fsuid)
            c->cap_effective |= c->cap_permitted & FS_CAPS;
    }
}

long cred_exec(struct cred *c, u32 mode, u32 uid, u32 gid, const struct file_caps *f, bool *secure,
               bool *gained)
{
    const struct cred old = *c;
    if (!c->no_new_privs) {
        if (mode & S_ISUID)
            c->euid = uid;
        // Set-gid without group execute once meant mandatory locking (inode(7)).
        if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
            c->egid = gid;
    }
    u64 permitted = (f->permitted & c->cap_bounding) | (f->inheritable & c->cap_inheritable);
    bool effective = f->effective;
    if (f->effective && (f->permitted & ~permitted))
        return -EPERM;
    // A set-uid-root program with capabilities of its own gets those, from another user.
    bool own = f->there && !c->euid && c->ruid;
    if (!(c->securebits & SECBIT_NOROOT) && !own) {
        if (!c->euid || !c->ruid)
            permitted = c->cap_bounding | c->cap_inheritable;
        effective |= !c->euid;
    }
    // Linux: security/commoncap.c, cap_bprm_creds_from_file().
    bool setid = c->euid != old.euid || !cred_in_group(&old, c->egid);
    if (c->no_new_privs && (setid || (permitted & ~old.cap_permitted))) {
        c->euid = c->ruid;
        c->egid = c->rgid;
        permitted &= old.cap_permitted;
    }
    if (setid || f->there)
        c->cap_ambient = 0;
    c->cap_permitted = permitted | c->cap_ambient;
    c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
    bool two = setid || c->ruid != c->euid || c->rgid != c->egid;
    *secure = two || (c->ruid && (effective || (c->cap_permitted & ~c->cap_ambient)));
    bool moved = c->euid != old.euid || c->egid != old.egid || c->fsuid != old.fsuid ||
                 c->fsgid != old.fsgid; // commit_creds()
    *gained = two || moved || (c->cap_permitted & ~old.cap_permitted);
    return 0;
}
