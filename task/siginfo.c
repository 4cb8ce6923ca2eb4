// SPDX-License-Identifier: MIT
// See include/siginfo.h.
#include "siginfo.h"

#define OVERFLOW_UID 65534

void siginfo_to_guest(struct task *t, siginfo_t *info)
{
    bool sent = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_MESGQ;
    bool child = info->si_signo == SIGCHLD && info->si_code > 0 && info->si_code < SI_KERNEL;
    if ((!sent && !child) || !info->si_pid)
        return;
    // si_uid lies at the same place in both layouts. A dead child is known by what it has left.
    if ((u32)info->si_pid == t->proc->tgid) {
        info->si_uid = t->cred.ruid;
        return;
    }
    const struct proc_slot *s = proc_find_last(t->instance, (u32)info->si_pid);
    if (s)
        info->si_uid = s->ruid;
    else if (child)
        info->si_uid = t->cred.ruid; // its record is gone; most children have their parent's
    else
        info->si_uid = info->si_uid == t->instance->host_uid ? 0 : OVERFLOW_UID;
}
