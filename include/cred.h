// SPDX-License-Identifier: MIT
// A guest thread's identity: lxcore's own state, never the host's (credentials(7),
// capabilities(7)).
#ifndef LX_CRED_H
#define LX_CRED_H

#include <stdbool.h>

#include "types.h"

#define CRED_GROUPS_MAX 256
#define CAP_FULL_SET ((1UL << 41) - 1)

struct cred {
    u32 ruid, euid, suid, fsuid;
    u32 rgid, egid, sgid, fsgid;
    u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    u32 securebits;
    u32 no_new_privs;
    u32 ngroups;
    u32 groups[CRED_GROUPS_MAX];
};

static inline bool cred_has_cap(const struct cred *c, int cap)
{
    return c->cap_effective >> cap & 1;
}
// Is gid the filesystem group or one of the supplementary groups?
bool cred_in_group(const struct cred *c, u32 gid);
// Capability changes that go with a uid change (capabilities(7), "Effect of user ID changes").
void cred_uids_changed(struct cred *c, const struct cred *old);
// Capabilities of a program file (capabilities(7), "File capabilities").
struct file_caps {
    bool there, effective;
    u64 permitted, inheritable;
};
// execve: what a program file's set-id bits, owner and capabilities do to c (capabilities(7),
// "Transformation of capabilities during execve"). *secure: AT_SECURE is set for the new image;
// *gained: and it is not dumpable (prctl(2)).
// 0, or -EPERM: the program would not get all that it needs.
long cred_exec(struct cred *c, u32 mode, u32 uid, u32 gid, const struct file_caps *f, bool *secure,
               bool *gained);

#endif
