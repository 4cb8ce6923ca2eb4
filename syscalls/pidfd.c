// SPDX-License-Identifier: MIT
// Descriptors of processes: only of the instance's, and no way to lxcore's own descriptors in them.
// What is done with one is in kill.c and memory.c; waitid(2) and poll(2) take them as they are.
#include <linux/errno.h>

#include "fs.h"
#include <linux/kcmp.h>

#include "host.h"
#include "reach.h"
#include "syscall_rows.h"
#include "task.h"

#define PIDFD_THREAD_ O_EXCL // of Linux 6.9

long sys_pidfd_open(struct task *t, int pid, unsigned int flags)
{
    if ((flags & ~(u32)(O_NONBLOCK | PIDFD_THREAD_)) || pid <= 0)
        return -EINVAL;
    u32 on_host = reach_to_ask(t, (u32)pid);
    return on_host ? HOST2(__NR_pidfd_open, on_host, flags) : -ESRCH;
}

long sys_pidfd_getfd(struct task *t, int pidfd, int targetfd, unsigned int flags)
{
    if (flags)
        return -EINVAL;
    long tgid = reach_pidfd(t, pidfd);
    if (tgid < 0)
        return tgid;
    long r = reach_may_inspect(t, (u32)tgid);
    if (r)
        return r;
    if (fd_is_reserved_of(t, (u32)tgid, targetfd))
        return -EBADF;
    return HOST3(__NR_pidfd_getfd, pidfd, targetfd, 0);
}

// kernel/kcmp.c. The indexes of KCMP_FILE are descriptors, the first one of KCMP_EPOLL_TFD too.
long sys_kcmp(struct task *t, int pid1, int pid2, int type, unsigned long idx1, unsigned long idx2)
{
    const u32 who[] = {reach_thread(t, (u32)pid1), reach_thread(t, (u32)pid2)};
    if (!who[0] || !who[1])
        return reach_none((u32)(who[0] ? pid2 : pid1));
    for (int i = 0; i < 2; i++)
        if (reach_may_inspect(t, who[i]))
            return -EPERM;
    bool file = type == KCMP_FILE;
    if (((file || type == KCMP_EPOLL_TFD) && fd_is_reserved_of(t, who[0], (int)idx1)) ||
        (file && fd_is_reserved_of(t, who[1], (int)idx2)))
        return -EBADF;
    return HOST5(__NR_kcmp, pid1, pid2, type, idx1, idx2);
}
