// SPDX-License-Identifier: MIT
// Identity calls (credentials(7), capabilities(7)): answered from the task's own record, never from
// the host's. The rules are those of kernel/sys.c, kernel/groups.c, kernel/capability.c and
// security/commoncap.c; what a change of user does to capabilities is in task/cred.c.
#include <linux/capability.h>
#include <linux/prctl.h>

#include "host.h"
#include "reach.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

#define NO_ID 0xffffffffu
#define NGROUPS_MAX 65536

// Makes `c` the task's identity (kernel/cred.c: commit_creds).
static long commit(struct task *t, const struct cred *c)
{
    struct cred *old = &t->cred;
    bool raised = c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
                  c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted);
    *old = *c;
    if (raised) {
        proc_set_dumpable(t, 0);
        host_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    }
    // The record of a process shows its leader's identity.
    if (t->tid == t->proc->tgid)
        proc_publish_cred(t);
    return 0;
}

// The same after a change of the real, effective or saved user, of which fsuid was part: setfsuid's
// own rule for capabilities does not come on top.
static long commit_uids(struct task *t, struct cred *c)
{
    struct cred old = t->cred;
    old.fsuid = c->fsuid;
    cred_uids_changed(c, &old);
    return commit(t, c);
}

long sys_getuid(struct task *t)
{
    return t->cred.ruid;
}

long sys_geteuid(struct task *t)
{
    return t->cred.euid;
}

long sys_getgid(struct task *t)
{
    return t->cred.rgid;
}

long sys_getegid(struct task *t)
{
    return t->cred.egid;
}

static long put_three(uptr pa, uptr pb, uptr pc, u32 a, u32 b, u32 c)
{
    if (copy_to_guest(pa, &a, sizeof a) || copy_to_guest(pb, &b, sizeof b))
        return -EFAULT;
    return copy_to_guest(pc, &c, sizeof c);
}

long sys_getresuid(struct task *t, uptr ruid, uptr euid, uptr suid)
{
    return put_three(ruid, euid, suid, t->cred.ruid, t->cred.euid, t->cred.suid);
}

long sys_getresgid(struct task *t, uptr rgid, uptr egid, uptr sgid)
{
    return put_three(rgid, egid, sgid, t->cred.rgid, t->cred.egid, t->cred.sgid);
}

long sys_setuid(struct task *t, unsigned int uid)
{
    struct cred c = t->cred;
    if (uid == NO_ID)
        return -EINVAL;
    if (cred_has_cap(&c, CAP_SETUID))
        c.ruid = c.suid = uid;
    else if (uid != c.ruid && uid != c.suid)
        return -EPERM;
    c.euid = c.fsuid = uid;
    return commit_uids(t, &c);
}

long sys_setgid(struct task *t, unsigned int gid)
{
    struct cred c = t->cred;
    if (gid == NO_ID)
        return -EINVAL;
    if (cred_has_cap(&c, CAP_SETGID))
        c.rgid = c.sgid = gid;
    else if (gid != c.rgid && gid != c.sgid)
        return -EPERM;
    c.egid = c.fsgid = gid;
    return commit(t, &c);
}

long sys_setreuid(struct task *t, unsigned int ruid, unsigned int euid)
{
    const struct cred *old = &t->cred;
    struct cred c = *old;
    bool any = cred_has_cap(old, CAP_SETUID);
    if (ruid != NO_ID) {
        if (ruid != old->ruid && ruid != old->euid && !any)
            return -EPERM;
        c.ruid = ruid;
    }
    if (euid != NO_ID) {
        if (euid != old->ruid && euid != old->euid && euid != old->suid && !any)
            return -EPERM;
        c.euid = euid;
    }
    if (ruid != NO_ID || (euid != NO_ID && euid != old->ruid))
        c.suid = c.euid;
    c.fsuid = c.euid;
    return commit_uids(t, &c);
}

long sys_setregid(struct task *t, unsigned int rgid, unsigned int egid)
{
    const struct cred *old = &t->cred;
    struct cred c = *old;
    bool any = cred_has_cap(old, CAP_SETGID);
    if (rgid != NO_ID) {
        if (rgid != old->rgid && rgid != old->egid && !any)
            return -EPERM;
        c.rgid = rgid;
    }
    if (egid != NO_ID) {
        if (egid != old->rgid && egid != old->egid && egid != old->sgid && !any)
            return -EPERM;
        c.egid = egid;
    }
    if (rgid != NO_ID || (egid != NO_ID && egid != old->rgid))
        c.sgid = c.egid;
    c.fsgid = c.egid;
    return commit(t, &c);
}

// Is id "leave it", or one of the three that an unprivileged process may change to?
static bool one_of(u32 id, u32 r, u32 e, u32 s)
{
    return id == NO_ID || id == r || id == e || id == s;
}

long sys_setresuid(struct task *t, unsigned int ruid, unsigned int euid, unsigned int suid)
{
    struct cred c = t->cred;
    bool known = one_of(ruid, c.ruid, c.euid, c.suid) && one_of(euid, c.ruid, c.euid, c.suid) &&
                 one_of(suid, c.ruid, c.euid, c.suid);
    if (!known && !cred_has_cap(&c, CAP_SETUID))
        return -EPERM;
    // A change to what is there already is none: capabilities stay, and so does fsuid.
    if ((ruid == NO_ID || ruid == c.ruid) && (suid == NO_ID || suid == c.suid) &&
        (euid == NO_ID || (euid == c.euid && euid == c.fsuid)))
        return 0;
    if (ruid != NO_ID)
        c.ruid = ruid;
    if (euid != NO_ID)
        c.euid = euid;
    if (suid != NO_ID)
        c.suid = suid;
    c.fsuid = c.euid;
    return commit_uids(t, &c);
}

long sys_setresgid(struct task *t, unsigned int rgid, unsigned int egid, unsigned int sgid)
{
    struct cred c = t->cred;
    bool known = one_of(rgid, c.rgid, c.egid, c.sgid) && one_of(egid, c.rgid, c.egid, c.sgid) &&
                 one_of(sgid, c.rgid, c.egid, c.sgid);
    if (!known && !cred_has_cap(&c, CAP_SETGID))
        return -EPERM;
    if ((rgid == NO_ID || rgid == c.rgid) && (sgid == NO_ID || sgid == c.sgid) &&
        (egid == NO_ID || (egid == c.egid && egid == c.fsgid)))
        return 0;
    if (rgid != NO_ID)
        c.rgid = rgid;
    if (egid != NO_ID)
        c.egid = egid;
    if (sgid != NO_ID)
        c.sgid = sgid;
    c.fsgid = c.egid;
    return commit(t, &c);
}

// setfsuid and setfsgid return the old id whether or not they changed it (setfsuid(2), BUGS).
long sys_setfsuid(struct task *t, unsigned int uid)
{
    struct cred c = t->cred;
    u32 old = c.fsuid;
    if (uid == NO_ID || uid == old ||
        (uid != c.ruid && uid != c.euid && uid != c.suid && !cred_has_cap(&c, CAP_SETUID)))
        return old;
    c.fsuid = uid;
    cred_uids_changed(&c, &t->cred);
    commit(t, &c);
    return old;
}

long sys_setfsgid(struct task *t, unsigned int gid)
{
    struct cred c = t->cred;
    u32 old = c.fsgid;
    if (gid == NO_ID || gid == old ||
        (gid != c.rgid && gid != c.egid && gid != c.sgid && !cred_has_cap(&c, CAP_SETGID)))
        return old;
    c.fsgid = gid;
    commit(t, &c);
    return old;
}

long sys_getgroups(struct task *t, int size, uptr list)
{
    u32 n = t->cred.ngroups;
    if (size < 0 || (size && (u32)size < n))
        return -EINVAL;
    if (size && copy_to_guest(list, t->cred.groups, n * sizeof(u32)))
        return -EFAULT;
    return n;
}

long sys_setgroups(struct task *t, int size, uptr list)
{
    struct cred c = t->cred;
    if (!cred_has_cap(&c, CAP_SETGID))
        return -EPERM;
    if ((u32)size > NGROUPS_MAX)
        return -EINVAL;
    if (size > CRED_GROUPS_MAX)
        return -ENOMEM;
    u32 n = (u32)size;
    if (copy_from_guest(c.groups, list, n * sizeof(u32)))
        return -EFAULT;
    // Linux keeps them sorted, and shows them so.
    for (u32 i = 0; i < n; i++) {
        u32 gid = c.groups[i], at = i;
        if (gid == NO_ID)
            return -EINVAL;
        for (; at && c.groups[at - 1] > gid; at--)
            c.groups[at] = c.groups[at - 1];
        c.groups[at] = gid;
    }
    c.ngroups = n;
    return commit(t, &c);
}

// The number of 32-bit words of a set that the header's version says. An unknown version is
// answered with the newest one, which is how programs ask for it.
static long cap_words(uptr header, u32 *words)
{
    u32 version;
    if (copy_from_guest(&version, header, sizeof version))
        return -EFAULT;
    switch (version) {
    case _LINUX_CAPABILITY_VERSION_1:
        *words = _LINUX_CAPABILITY_U32S_1;
        return 0;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
        *words = _LINUX_CAPABILITY_U32S_3;
        return 0;
    }
    version = _LINUX_CAPABILITY_VERSION_3;
    return copy_to_guest(header, &version, sizeof version) ? -EFAULT : -EINVAL;
}

long sys_capget(struct task *t, uptr header, uptr data)
{
    u32 words;
    s32 pid;
    long r = cap_words(header, &words);
    if (r || !data)
        return !data && r == -EINVAL ? 0 : r;
    if (copy_from_guest(&pid, header + 4, sizeof pid))
        return -EFAULT;
    if (pid < 0)
        return -EINVAL;
    u64 effective = t->cred.cap_effective, permitted = t->cred.cap_permitted;
    u64 inheritable = t->cred.cap_inheritable;
    if (pid == 1) { // the guest's root
        effective = permitted = CAP_FULL_SET;
        inheritable = 0;
    } else if (pid && (u32)pid != t->tid) {
        u32 tgid = reach_thread(t, (u32)pid);
        if (!tgid)
            return -ESRCH;
        const struct proc_slot *s = proc_find(t->instance, tgid);
        if (s && tgid != t->proc->tgid) {
            effective = s->cap_effective;
            permitted = s->cap_permitted;
            inheritable = s->cap_inheritable;
        }
    }
    struct __user_cap_data_struct out[2];
    for (u32 i = 0; i < 2; i++) {
        out[i].effective = (u32)(effective >> i * 32);
        out[i].permitted = (u32)(permitted >> i * 32);
        out[i].inheritable = (u32)(inheritable >> i * 32);
    }
    return copy_to_guest(data, out, words * sizeof out[0]);
}

long sys_capset(struct task *t, uptr header, uptr data)
{
    struct __user_cap_data_struct in[2] = {{0}};
    struct cred c = t->cred;
    u32 words;
    s32 pid;
    long r = cap_words(header, &words);
    if (r)
        return r;
    if (copy_from_guest(&pid, header + 4, sizeof pid))
        return -EFAULT;
    if (pid && (u32)pid != t->tid)
        return -EPERM;
    if (copy_from_guest(in, data, words * sizeof in[0]))
        return -EFAULT;
    u64 effective = (in[0].effective | (u64)in[1].effective << 32) & CAP_FULL_SET;
    u64 permitted = (in[0].permitted | (u64)in[1].permitted << 32) & CAP_FULL_SET;
    u64 inheritable = (in[0].inheritable | (u64)in[1].inheritable << 32) & CAP_FULL_SET;
    if (!cred_has_cap(&c, CAP_SETPCAP) && (inheritable & ~(c.cap_inheritable | c.cap_permitted)))
        return -EPERM;
    if (inheritable & ~(c.cap_inheritable | c.cap_bounding))
        return -EPERM;
    if ((permitted & ~c.cap_permitted) || (effective & ~permitted))
        return -EPERM;
    c.cap_effective = effective;
    c.cap_permitted = permitted;
    c.cap_inheritable = inheritable;
    c.cap_ambient &= permitted & inheritable;
    return commit(t, &c);
}
