// SPDX-License-Identifier: MIT
// Descriptor calls: the host's, beside the bookkeeping of fs/files.c.
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/resource.h>

#include "fs.h"
#include "host.h"
#include "meta.h"
#include "sync.h"
#include "syscall_rows.h"
#include "uaccess.h"

#define F_DUPFD_QUERY_NR 1027

long sys_close(struct task *t, int fd)
{
    int m = fd_mount(t, fd);
    bool alone = t->files->refs > 1 && (m < 0 || mount_at(t, m)->type == FS_OVERLAY);
    // Not known to be the guest's: it may be another thread's temporary one. Of an overlay: nobody
    // may look where it lies when that is forgotten already (fs/where.c).
    if (alone)
        files_exclusive_begin(t);
    // Forgotten before the number is free, so that another thread's open finds it blank.
    fd_set_mount(t, fd, -1);
    long r = HOST1(__NR_close, fd);
    if (alone)
        files_exclusive_end(t);
    return r;
}

static long sync_file(struct task *t, int fd, int call)
{
    long r = HOST1(call, fd);
    return r < 0 ? r : sync_beside(t, fd);
}

long sys_fsync(struct task *t, int fd)
{
    return sync_file(t, fd, __NR_fsync);
}

long sys_fdatasync(struct task *t, int fd)
{
    return sync_file(t, fd, __NR_fdatasync);
}

// What the copy is noted as is what was copied, whatever another thread puts there meanwhile.
static long duplicate(struct task *t, int fd, int call, unsigned cmd, unsigned long arg)
{
    temps_begin(t);
    bool making = fd_making(t, fd_mount(t, fd));
    long r = HOST3(call, fd, cmd, arg);
    if (r >= 0)
        fd_copied(t, fd, (int)r);
    fd_made(t, making);
    temps_end(t);
    return r;
}

long sys_dup(struct task *t, int fd)
{
    return duplicate(t, fd, __NR_dup, 0, 0);
}

long sys_dup3(struct task *t, int oldfd, int newfd, int flags)
{
    if ((flags & ~O_CLOEXEC) || oldfd == newfd)
        return -EINVAL;
    files_exclusive_begin(t);
    long r = files_make_room(t, newfd);
    if (r >= 0) {
        r = HOST_INTR3(__NR_dup3, oldfd, newfd, flags);
        if (r >= 0)
            fd_copied(t, oldfd, newfd);
    }
    files_exclusive_end(t);
    return r;
}

long sys_dup2(struct task *t, int oldfd, int newfd)
{
    if (oldfd == newfd) { // unlike dup3 not an error
        long r = host_fcntl(oldfd, F_GETFD, 0);
        return r < 0 ? r : newfd;
    }
    return sys_dup3(t, oldfd, newfd, 0);
}

static void close_one(struct task *t, long fd, u32 flags)
{
    if (fd_is_reserved(t, (int)fd))
        return;
    if (flags & CLOSE_RANGE_CLOEXEC)
        host_fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    else
        host_close((int)fd);
}

// each_range() where the host has no close_range(2) (before Linux 5.9): what is open is listed in
// /proc. Nobody has a temporary now; the list's own descriptor is left out.
static __attribute__((noinline)) long each_listed(struct task *t, u32 first, u32 last, u32 flags)
{
    char buf[2048] __attribute__((aligned(8)));
    struct rlimit64 l;
    long n, list = host_openat(reserved_fd(t, RESERVED_PROC), "thread-self/fd",
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (list < 0 || fd_is_reserved(t, (int)list)) { // all numbers are in use
        if (list >= 0)
            reserved_return(t, (int)list);
        long r = HOST4(__NR_prlimit64, 0, RLIMIT_NOFILE, NULL, &l);
        for (u64 fd = first; r >= 0 && fd <= last && fd < l.rlim_cur; fd++)
            close_one(t, (long)fd, flags);
        return MIN(r, 0);
    }
    while ((n = HOST3(__NR_getdents64, list, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(buf + at);
            at += d->reclen;
            long fd = str_number(d->name, strlen(d->name));
            if (fd >= (long)first && fd <= (long)last && fd != list)
                close_one(t, fd, flags);
        }
    }
    host_close((int)list);
    return MIN(n, 0);
}

// close_range(2) of every part of [first, last] that is not lxcore's. Exclusive.
static long each_range(struct task *t, u32 first, u32 last, u32 flags)
{
    u32 ours = (u32)t->files->reserved, ours_last = ours + t->files->reserved_count - 1;
    long r = 0;
    if (host_lacks & LACKS_CLOSE_RANGE)
        return each_listed(t, first, last, flags);
    if (first < ours)
        r = HOST3(__NR_close_range, first, MIN(last, ours - 1), flags);
    if (r >= 0 && last > ours_last)
        r = HOST3(__NR_close_range, MAX(first, ours_last + 1), last, flags);
    // CLOSE_RANGE_CLOEXEC came with Linux 5.11.
    return r == -EINVAL ? each_listed(t, first, last, flags) : r;
}

long sys_close_range(struct task *t, unsigned int first, unsigned int last, unsigned int flags)
{
    if (first > last || (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        long r = sys_unshare(t, 0x400 /* CLONE_FILES */);
        if (r < 0)
            return r;
        flags &= ~(unsigned)CLOSE_RANGE_UNSHARE;
    }
    files_exclusive_begin(t);
    if (!(flags & CLOSE_RANGE_CLOEXEC))
        for (u32 fd = first; fd < FD_KINDS && fd <= last; fd++)
            fd_set_mount(t, (int)fd, -1);
    long r = each_range(t, first, last, flags);
    files_exclusive_end(t);
    return r;
}

// What only a file's owner may ask for, or who has the capability: the host knows one owner of all
// files. What else is wrong the host tells.
static long may_as_owner(struct task *t, int fd, int cap, long error)
{
    struct statx st;
    long flags = host_fcntl(fd, F_GETFL, 0);
    if (flags < 0 || (flags & O_PATH))
        return 0;
    long r = meta_fstat(t, fd, STATX_BASIC_STATS, &st);
    return r < 0 || st.stx_uid == t->cred.fsuid || cred_has_cap(&t->cred, cap) ? 0 : error;
}

static long may_set_flags(struct task *t, int fd, unsigned long flags)
{
    bool has = !(flags & O_NOATIME) || (host_fcntl(fd, F_GETFL, 0) & O_NOATIME);
    return has ? 0 : may_as_owner(t, fd, CAP_FOWNER, -EPERM);
}

long sys_fcntl(struct task *t, int fd, unsigned int cmd, unsigned long arg)
{
    if (cmd == F_DUPFD_QUERY_NR && fd_is_reserved(t, (int)arg))
        return -EBADF;
    long may = cmd == F_SETFL      ? may_set_flags(t, fd, arg)
               : cmd == F_SETLEASE ? may_as_owner(t, fd, CAP_LEASE, -EACCES)
                                   : 0;
    if (may < 0)
        return may;
    if (cmd == F_GETFL && (host_lacks & LACKS_OPENAT2)) {
        long flags = host_fcntl(fd, cmd, 0);
        return flags < 0 ? flags : flags & ~(long)O_NOFOLLOW; // fs/openwalk.c
    }
    if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
        return HOST_INTR3(__NR_fcntl, fd, cmd, arg);
    // The guest may have the very number that it asks for.
    if (fd_is_reserved(t, (int)arg) || (t->files->low && (int)arg > t->files->reserved)) {
        files_exclusive_begin(t);
        long r = files_make_room(t, (int)arg);
        files_exclusive_end(t);
        if (r == -EBADF)
            return host_fcntl(fd, F_GETFD, 0) < 0 ? -EBADF : -EINVAL;
    }
    return duplicate(t, fd, __NR_fcntl, cmd, arg);
}

long sys_poll(struct task *t, uptr fds, unsigned int nfds, int timeout)
{
    // The host's limit may be higher than the guest's.
    return files_beyond_limit(t, nfds) ? -EINVAL : HOST_INTR3(__NR_poll, fds, nfds, timeout);
}
