// SPDX-License-Identifier: MIT
// Host calls: the only way from lxcore to the host kernel. Each wrapper takes what the man page of
// its call says and returns the result or -errno. Pointers are lxcore's own memory unless the type
// is uptr: then the address is the guest's, and the kernel answers EFAULT for a bad one.
#ifndef LX_HOST_H
#define LX_HOST_H

#include <stdbool.h>

#include <asm/unistd_64.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#include "layout.h"
#include "newcalls.h"
#include "types.h"

// System call nr on the host: the result or -errno. _intr: -LX_ERESTART, and no call, where a
// signal is noted before it (host/hostcall.S).
long host_call(long nr, long a0, long a1, long a2, long a3, long a4, long a5);
long host_call_intr(long nr, long a0, long a1, long a2, long a3, long a4, long a5);

#define HOST0(nr) host_call(nr, 0, 0, 0, 0, 0, 0)
#define HOST1(nr, a) host_call(nr, (long)(a), 0, 0, 0, 0, 0)
#define HOST2(nr, a, b) host_call(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define HOST3(nr, a, b, c) host_call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define HOST4(nr, a, b, c, d) host_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define HOST5(nr, a, b, c, d, e)                                                                   \
    host_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define HOST6(nr, a, b, c, d, e, f)                                                                \
    host_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
// The same, cut short by a noted signal with -LX_ERESTART: for calls that may block.
#define HOST_INTR2(nr, a, b) host_call_intr(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define HOST_INTR3(nr, a, b, c) host_call_intr(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define HOST_INTR4(nr, a, b, c, d)                                                                 \
    host_call_intr(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define HOST_INTR5(nr, a, b, c, d, e)                                                              \
    host_call_intr(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define HOST_INTR6(nr, a, b, c, d, e, f)                                                           \
    host_call_intr(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// Do host calls give the processor new predictions of returns (host/hostcall.S)? The same for all
// of an instance: its first lxcore finds it out by some 300 calls, the others are told.
extern u32 host_fresh_returns;
u32 host_try_returns(void);

// Places in host/hostcall.S: the section that engines let pass, and where a signal may find a call.
extern const char hostcall_start[], hostcall_end[];
extern const char host_call_done[];
extern const char host_intr_begin[], host_intr_syscall[], host_intr_done[], host_intr_abort[];
extern const char host_pass[], host_pass_syscall[], host_pass_done[];
// SA_RESTORER of lxcore's handlers; not to be called.
void host_restorer(void);
struct task;
struct clone_args;
// clone(2) and clone3(2). With a stack of lxcore's (CLONE_VM) the child, whose task is `child`,
// begins at task_child_start() on it; without one it returns 0 here, as from fork(2).
long host_clone(long flags, void *stack, uptr ptid, uptr ctid, long tls, struct task *child);
long host_clone3(struct clone_args *args, size_t size, struct task *child);
// Ends the thread and gives up its block: its address goes to *spare, or without that it is
// unmapped. The caller has blocked all signals.
_Noreturn void host_exit_thread(void *block, size_t size, int status, uptr *spare);

static inline long host_read(int fd, void *buf, size_t n)
{
    return HOST3(__NR_read, fd, buf, n);
}
static inline long host_write(int fd, const void *buf, size_t n)
{
    return HOST3(__NR_write, fd, buf, n);
}
static inline long host_pread(int fd, void *buf, size_t n, long off)
{
    return HOST4(__NR_pread64, fd, buf, n, off);
}
static inline long host_close(int fd)
{
    return HOST1(__NR_close, fd);
}
static inline long host_openat(int dirfd, const char *path, int flags, u32 mode)
{
    return HOST4(__NR_openat, dirfd, path, flags, mode);
}
static inline long host_openat2(int dirfd, const char *path, const struct open_how *how)
{
    return HOST4(__NR_openat2, dirfd, path, how, sizeof *how);
}
static inline long host_readlinkat(int dirfd, const char *path, char *buf, size_t n)
{
    return HOST4(__NR_readlinkat, dirfd, path, buf, n);
}
static inline long host_statx(int dirfd, const char *path, int flags, u32 mask, struct statx *st)
{
    return HOST5(__NR_statx, dirfd, path, flags, mask, st);
}
static inline long host_fcntl(int fd, int cmd, long arg)
{
    return HOST3(__NR_fcntl, fd, cmd, arg);
}

// A file without a name to write into: memfd_create(2), and *reader is -1. Where the guest may
// write no large files (RLIMIT_FSIZE, which is asked for if it may be limited) it is a pipe, whose
// other end is *reader, and which takes what has room at once: -EAGAIN from then on.
long host_scratch(const char *name, unsigned flags, bool may_be_limited, int *reader);
static inline long host_mmap(uptr addr, size_t n, int prot, int flags, int fd, long off)
{
    return HOST6(__NR_mmap, addr, n, prot, flags, fd, off);
}
static inline long host_munmap(uptr addr, size_t n)
{
    return HOST2(__NR_munmap, addr, n);
}
static inline long host_mprotect(uptr addr, size_t n, int prot)
{
    return HOST3(__NR_mprotect, addr, n, prot);
}
static inline long host_getpid(void)
{
    return HOST0(__NR_getpid);
}
static inline long host_gettid(void)
{
    return HOST0(__NR_gettid);
}
// kill(2) of one process. Numbers that stand for several there, 0 and those below, are ESRCH: they
// come from a record that was given up a moment ago, and would reach the host's processes.
static inline long host_kill(u32 pid, int sig)
{
    return (s32)pid > 0 ? HOST2(__NR_kill, pid, sig) : -ESRCH;
}
static inline long host_prctl(int op, long a, long b, long c, long d)
{
    return HOST5(__NR_prctl, op, a, b, c, d);
}
// Masks are the kernel's 64-bit sets. how: SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK.
static inline long host_sigprocmask(int how, const u64 *set, u64 *old)
{
    return HOST4(__NR_rt_sigprocmask, how, set, old, 8);
}
static inline long host_futex(u32 *word, int op, u32 val, const struct __kernel_timespec *timeout)
{
    return HOST4(__NR_futex, word, op, val, timeout);
}
_Noreturn static inline void host_exit_group(int status)
{
    for (;;)
        HOST1(__NR_exit_group, status);
}

// What getdents64(2) gives; reclen: from the one to the next.
struct dirent64 {
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type;
    char name[];
};
// Its type.
#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_LNK 10
#define DT_SOCK 12

#endif
