// SPDX-License-Identifier: MIT
// Small calls of the system and the process that have no file of their own: names of the system,
// umask, unshare, arch_prctl, ioctl.
#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <linux/utsname.h>

#include "clone.h"
#include "fs.h"
#include "host.h"
#include "reach.h"
#include "rewritten.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"

// ---- uname(2) ----

// Linux 3.x and later as "2.6.N" for programs that know no other (kernel/sys.c: override_release).
static void release_26(char *out, size_t n, const char *release)
{
    const char *rest = release, *minor = strchr(release, '.');
    int dots = 0;
    for (; *rest; rest++) {
        if (*rest == '.' && ++dots >= 3)
            break;
        if (*rest != '.' && (*rest < '0' || *rest > '9'))
            break;
    }
    u32 patch = 60;
    for (const char *p = minor ? minor + 1 : ""; *p >= '0' && *p <= '9'; p++)
        patch += (u32)(*p - '0') * (p[1] >= '0' && p[1] <= '9' ? 10 : 1);
    fmt(out, n, "2.6.%u%s", patch, rest);
}

// Nobody but the thread itself changes it, and execve does: a copy answers uname.
long sys_personality(struct task *t, unsigned int persona)
{
    long r = HOST1(__NR_personality, persona);
    if (r >= 0 && persona != 0xffffffff)
        t->personality = persona;
    if (t->personality & READ_IMPLIES_EXEC)
        task_need_engine(t);
    return r;
}

long sys_uname(struct task *t, uptr buf)
{
    const struct new_utsname *uts = uts_of(t);
    u32 persona = t->personality;
    bool i686 = (persona & PER_MASK) == PER_LINUX32;
    if (!i686 && !(persona & UNAME26))
        return copy_to_guest(buf, uts, sizeof *uts);
    struct new_utsname u = *uts;
    if (persona & UNAME26) {
        memset(u.release, 0, sizeof u.release);
        release_26(u.release, sizeof u.release, uts->release);
    }
    if (i686)
        memcpy(u.machine, "i686\0", sizeof "i686\0");
    return copy_to_guest(buf, &u, sizeof u);
}

// name and its end stay inside 65 bytes whatever moment another process reads at.
static long set_name(struct task *t, char *to, uptr name, int len)
{
    char text[65] = {0};
    if (!cred_has_cap(&t->cred, CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len > 64)
        return -EINVAL;
    if (copy_from_guest(text, name, (size_t)len))
        return -EFAULT;
    memcpy(to, text, sizeof text);
    return 0;
}

long sys_sethostname(struct task *t, uptr name, int len)
{
    return set_name(t, uts_of(t)->nodename, name, len);
}

long sys_setdomainname(struct task *t, uptr name, int len)
{
    return set_name(t, uts_of(t)->domainname, name, len);
}

// ---- Of the process ----

long sys_umask(struct task *t, unsigned int mask)
{
    struct fsctx *fs = t->fs;
    mask &= 0777;
    // Only this thread itself can make it a shared one; what is locked takes as long as all the
    // rest.
    if (__atomic_load_n(&fs->refs, __ATOMIC_ACQUIRE) > 1)
        return __atomic_exchange_n(&fs->umask, mask, __ATOMIC_RELAXED);
    u32 old = fs->umask;
    fs->umask = mask;
    return old;
}

long sys_unshare(struct task *t, unsigned long flags)
{
    const unsigned long spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;
    const unsigned long shared = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    if (flags & ~(spaces | shared | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM))
        return -EINVAL;
    if ((flags & spaces & ~(unsigned long)CLONE_SERVED) ||
        ((flags & CLONE_SERVED) && !cred_has_cap(&t->cred, CAP_SYS_ADMIN)))
        return -EPERM;
    // Without other threads there is nothing to part from, else Linux cannot do it; the host knows.
    unsigned long hosts = flags & (shared | CLONE_SYSVSEM);
    long r = hosts ? HOST1(__NR_unshare, hosts) : 0;
    if (!r && (flags & CLONE_FILES)) {
        if (t->files->refs > 1)
            files_leave_low(t); // one limit for two tables
        r = task_unshare_files(t);
    }
    if (!r && (flags & (CLONE_FS | CLONE_NEWNS)))
        r = task_unshare_fs(t);
    if (!r && (flags & CLONE_SERVED))
        r = namespaces_unshare(t, flags);
    return r;
}

// arch_prctl codes from Linux 5.16 on, for older headers.
#ifndef ARCH_GET_XCOMP_SUPP
#define ARCH_GET_XCOMP_SUPP 0x1021
#define ARCH_GET_XCOMP_PERM 0x1022
#define ARCH_REQ_XCOMP_PERM 0x1023
#define ARCH_GET_XCOMP_GUEST_PERM 0x1024
#define ARCH_REQ_XCOMP_GUEST_PERM 0x1025
#endif

// The size of a frame may have grown. CPUID could be switched off for the guest, not for this.
static long request_state(struct task *t, unsigned long feature)
{
    long r = HOST2(__NR_arch_prctl, ARCH_REQ_XCOMP_PERM, feature);
    if (r)
        return r;
    bool off = HOST2(__NR_arch_prctl, ARCH_GET_CPUID, 0) == 0;
    if (off)
        HOST2(__NR_arch_prctl, ARCH_SET_CPUID, 1);
    xstate_init(t, true);
    if (off)
        HOST2(__NR_arch_prctl, ARCH_SET_CPUID, 0);
    return 0;
}

// %gs is how lxcore finds its task, and to the guest its base is 0. Who wants another one runs
// without rewritten text, whose way to the door is by %gs; the engine's handler is found by the
// stack. The base is switched without a call, or not at all.
static long set_gs(struct task *t, uptr base)
{
    if (base >= TASK_SIZE_MAX)
        return -EPERM;
    if (base && !(t->keeps & KEEPS_GS)) {
        if (!t->proc->fsgsbase || t->engine == ENGINE_PTRACE)
            return -EPERM;
        long r = rewritten_take_back(t);
        if (r < 0)
            return r;
    }
    t->guest_gs = base;
    if (base)
        __atomic_fetch_or(&t->keeps, KEEPS_GS, __ATOMIC_RELAXED); // a tracer may change it, too
    else
        __atomic_fetch_and(&t->keeps, (u8)~KEEPS_GS, __ATOMIC_RELAXED);
    return 0;
}

long sys_arch_prctl(struct task *t, int option, unsigned long arg2)
{
    const u64 gs = t->keeps & KEEPS_GS ? t->guest_gs : 0;
    switch (option) {
    case ARCH_SET_FS:
    case ARCH_GET_FS:
    case ARCH_SET_CPUID:
        if (!arg2)
            t->instance->cpuid_faults = 1;
        return HOST2(__NR_arch_prctl, option, arg2);
    case ARCH_GET_CPUID:
    case ARCH_GET_XCOMP_SUPP:
    case ARCH_GET_XCOMP_PERM:
    case ARCH_GET_XCOMP_GUEST_PERM: // of KVM's guests, which lxcore has nothing to do with
    case ARCH_REQ_XCOMP_GUEST_PERM:
        return HOST2(__NR_arch_prctl, option, arg2);
    case ARCH_REQ_XCOMP_PERM:
        return request_state(t, arg2);
    case ARCH_GET_GS:
        return copy_to_guest(arg2, &gs, sizeof gs);
    case ARCH_SET_GS:
        return set_gs(t, arg2);
    }
    return -EINVAL;
}

// ---- ioctl(2): the host's, but for requests that carry descriptors or processes ----

#define TIOCLINUX_ 0x541C

static bool may_own(struct task *t, s32 who)
{
    if (who >= 0)
        return !who || reach_thread(t, (u32)who);
    u32 group = (u32) - (s64)who;
    return HOST1(__NR_getpgid, 0) == (long)group || reach_group(t, group);
}

// chattr(1), on what the guest owns: to the host all is one user's. Flags that need a capability
// are EPERM by the host.
static long may_set_flags(struct task *t, int fd)
{
    struct statx st;
    int mount = fd_mount(t, fd);
    long r = meta_fstat(t, fd, STATX_BASIC_STATS, &st);
    if (r < 0)
        return r;
    if (mount >= 0 && (mount_flags(t, mount) & MS_RDONLY))
        return -EROFS;
    return inode_owner_or_capable(&t->cred, &st) ? 0 : -EPERM;
}

// What the host says of the descriptor and the request where no argument can be read.
static long without_argument(int fd, unsigned int request)
{
    return HOST_INTR3(__NR_ioctl, fd, request, -1);
}

long sys_ioctl(struct task *t, int fd, unsigned int request, unsigned long arg)
{
    struct file_clone_range range;
    s32 who;
    u32 first;
    long r;
    switch (request) {
    // Both type into a terminal that the host's shell reads too.
    case TIOCSTI:
    case TIOCLINUX_:
        return -EPERM;
    case FICLONE:
        if (fd_is_reserved(t, (int)arg))
            return -EBADF;
        break;
    case FICLONERANGE:
        if (copy_from_guest(&range, arg, sizeof range))
            return without_argument(fd, request);
        if (fd_is_reserved(t, (int)range.src_fd))
            return -EBADF;
        return HOST_INTR3(__NR_ioctl, fd, request, &range);
    case FS_IOC_SETFLAGS:
    case FS_IOC_FSSETXATTR:
        if (copy_from_guest(&first, arg, sizeof first))
            return without_argument(fd, request);
        r = may_set_flags(t, fd);
        if (r < 0)
            return r;
        break;
    case FIOSETOWN:
    case SIOCSPGRP:
        if (copy_from_guest(&who, arg, sizeof who))
            return without_argument(fd, request);
        if (!may_own(t, who)) {
            r = without_argument(fd, request);
            return r == -EFAULT ? -ESRCH : r;
        }
        break;
    }
    return HOST_INTR3(__NR_ioctl, fd, request, arg);
}
