// SPDX-License-Identifier: MIT
// The guest's memory map is the host process's own; these calls pass through, but for lxcore's
// range [LX_BASE, LX_END): to the guest it looks like memory that is not mapped and cannot be.
// Where a range lies on both sides of it, Linux' rule for a hole in the range applies: what lies
// before the hole is done, then comes the error.
#include <linux/ipc.h>
#include <linux/mman.h>
#include <linux/shm.h>
#include <linux/uio.h>

#include "fs.h"
#include "host.h"
#include "ipc.h"
#include "memory.h"
#include "reach.h"
#include "rewritten.h"
#include "syscall_rows.h"
#include "task.h"
#include "uaccess.h"
#include "vdso.h"

long sys_mmap(struct task *t, uptr addr, size_t length, int prot, int flags, int fd, long offset)
{
    if (flags & MAP_FIXED)
        vdso_changed(addr, length);
    long r = flags & MAP_FIXED ? rewritten_change(t, addr, length, CHANGE_REPLACE) : 0;
    // Nobody runs code before it is known to be clean, or all are armed.
    bool later = (prot & PROT_EXEC) && task_is_watched(t);
    if (r >= 0)
        r = memory_map(addr, length, later ? prot & ~PROT_EXEC : prot, flags, fd, offset);
    if (r < 0 || !(prot & PROT_EXEC))
        return r;
    bool file = (flags & (MAP_TYPE | MAP_ANONYMOUS)) == MAP_PRIVATE;
    if (!file || !rewritten_overlay(t, fd, (uptr)r, length, prot, later, (u64)offset))
        task_need_engine(t);
    if (later && memory_protect((uptr)r, (uptr)r + ALIGN_UP(length, LX_PAGE),
                                prot)) { // noexec: mmap(2) would have said so
        host_munmap((uptr)r, length);
        return -EPERM;
    }
    return r;
}

long sys_munmap(struct task *t, uptr addr, size_t length)
{
    vdso_changed(addr, length);
    long r = rewritten_change(t, addr, length, CHANGE_UNMAP);
    if (r < 0)
        return r;
    if (!length || (addr & (LX_PAGE - 1)) || !memory_hits_lxcore(addr, length))
        return host_munmap(addr, length);
    // The upper part first: the kernel refuses an end beyond the address space before it does
    // anything.
    uptr end = addr + length;
    r = end > LX_END ? host_munmap(LX_END, end - LX_END) : 0;
    return !r && addr < LX_BASE ? host_munmap(addr, LX_BASE - addr) : r;
}

// Key -1 is mprotect itself.
static long protect(uptr addr, size_t length, int prot, int pkey)
{
    return pkey == -1 ? HOST3(__NR_mprotect, addr, length, prot)
                      : HOST4(__NR_pkey_mprotect, addr, length, prot, pkey);
}

static long mprotect_pkey(struct task *t, uptr addr, size_t length, int prot, int pkey)
{
    vdso_changed(addr, length);
    // A guard (include/memory.h) is protected as the program says from now on.
    bool own = (prot & PROT_WRITE) || memory_hits_guard(addr, addr + length);
    long r = own ? rewritten_change(t, addr, length, CHANGE_WRITE) : 0;
    if (r < 0)
        return r;
    if (prot & PROT_EXEC)
        task_need_engine(t);
    if (!length || !memory_hits_lxcore(addr, length))
        return protect(addr, length, prot, pkey);
    r = protect(MIN(addr, LX_BASE), addr < LX_BASE ? LX_BASE - addr : 0, prot, pkey);
    return (addr & (LX_PAGE - 1)) ? -EINVAL : r ? r : -ENOMEM;
}

long sys_mprotect(struct task *t, uptr addr, size_t length, int prot)
{
    return mprotect_pkey(t, addr, length, prot, -1);
}

long sys_pkey_mprotect(struct task *t, uptr addr, size_t length, int prot, int pkey)
{
    return mprotect_pkey(t, addr, length, prot, pkey);
}

long sys_mremap(struct task *t, uptr old_addr, size_t old_size, size_t new_size, int flags,
                uptr new_addr)
{
    long r = rewritten_change(t, old_addr, old_size, CHANGE_REPLACE);
    if (r < 0)
        return r;
    if (memory_hits_clean(old_addr, old_addr + MAX(old_size, 1)))
        task_need_engine(t); // more of a file may become executable
    if (memory_hits_lxcore(old_addr, old_size))
        return -EFAULT;
    vdso_changed(old_addr, MAX(old_size, new_size));
    if (flags & MREMAP_FIXED) {
        vdso_changed(new_addr, new_size);
        if (memory_hits_lxcore(new_addr, new_size))
            return -ENOMEM;
        r = rewritten_change(t, new_addr, new_size, CHANGE_REPLACE);
        if (r < 0)
            return r;
    } else if (memory_hits_lxcore(new_addr, new_size)) {
        new_addr = 0; // only a hint of MREMAP_DONTUNMAP
    }
    r = HOST5(__NR_mremap, old_addr, old_size, new_size, flags, new_addr);
    if (r < 0 || !memory_hits_lxcore((uptr)r, new_size))
        return r;
    // Without any other place it stays in the hole: its old one is gone.
    uptr at = memory_place_below(new_size);
    return at ? HOST5(__NR_mremap, r, new_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, at) : r;
}

long sys_madvise(struct task *t, uptr addr, size_t length, int advice)
{
    (void)t;
    // Nothing, or more than there is in whole pages (EINVAL), the host leaves alone.
    if (!length || length > -LX_PAGE || !memory_hits_lxcore(addr, length))
        return HOST_INTR3(__NR_madvise, addr, length, advice);
    // An empty range only checks the advice and the address.
    long r = HOST3(__NR_madvise, addr, addr < LX_BASE ? LX_BASE - addr : 0, advice);
    // madvise goes on behind a hole (madvise(2), ENOMEM).
    if (!r && addr + length > LX_END)
        r = HOST3(__NR_madvise, LX_END, addr + length - LX_END, advice);
    return r ? r : -ENOMEM;
}

long sys_brk(struct task *t, uptr addr)
{
    (void)t;
    return HOST1(__NR_brk, addr);
}

long sys_remap_file_pages(struct task *t, uptr addr, size_t size, int prot, size_t pgoff, int flags)
{
    (void)t;
    if (memory_hits_lxcore(addr, size))
        return -EINVAL;
    return HOST5(__NR_remap_file_pages, addr, size, prot, pgoff, flags);
}

long sys_mseal(struct task *t, uptr addr, size_t length, unsigned long flags)
{
    if (length && !flags && !(addr & (LX_PAGE - 1)) && memory_hits_lxcore(addr, length))
        return -ENOMEM;
    // No guard could be opened any more.
    long r = memory_hits_guard(addr, addr + length)
                 ? rewritten_change(t, addr, length, CHANGE_WRITE)
                 : 0;
    if (r < 0)
        return r;
    return HOST3(NR_mseal, addr, length, flags);
}

// ---- System V shared memory ----

long sys_shmat(struct task *t, int shmid, uptr addr, int flags)
{
    // A wrong address comes before the permission.
    if ((addr % LX_PAGE && !(flags & SHM_RND)) || (addr < LX_PAGE && (flags & SHM_REMAP)))
        return -EINVAL;
    long r =
        ipc_use(t, IPC_SHM, shmid,
                IPC_READ | (flags & SHM_RDONLY ? 0 : IPC_WRITE) | (flags & SHM_EXEC ? 0111 : 0));
    if (r)
        return r;
    if (addr && addr < LX_END) {
        struct shmid64_ds ds;
        r = HOST3(__NR_shmctl, shmid, IPC_STAT, &ds);
        if (r < 0)
            return r;
        if (memory_hits_lxcore(addr, ds.shm_segsz))
            return -EINVAL;
        vdso_changed(addr, ds.shm_segsz);
    }
    if (flags & SHM_EXEC)
        task_need_engine(t);
    r = HOST3(__NR_shmat, shmid, addr, flags);
    if (r > 0 && !addr && r >= (long)LX_BASE && r < (long)LX_END) {
        HOST1(__NR_shmdt, r);
        return -ENOMEM;
    }
    return r;
}

long sys_shmdt(struct task *t, uptr addr)
{
    (void)t;
    return memory_hits_lxcore(addr, 1) ? -EINVAL : HOST1(__NR_shmdt, addr);
}

// ---- Memory of other processes: every lxcore is at the same place ----

// Copies an iovec array. Returns how many entries come before the first that reaches into lxcore.
static long get_iovec(struct iovec *to, uptr from, size_t n)
{
    if (n > UIO_MAXIOV)
        return -EINVAL;
    if (copy_from_guest(to, from, n * sizeof *to))
        return -EFAULT;
    for (size_t i = 0; i < n; i++)
        if ((long)to[i].iov_len < 0)
            return -EINVAL;
    size_t clean = 0;
    while (clean < n &&
           !(to[clean].iov_len && memory_hits_lxcore((uptr)to[clean].iov_base, to[clean].iov_len)))
        clean++;
    return (long)clean;
}

static long vm_copy(struct task *t, int nr, int pid, uptr local, size_t nlocal, uptr remote,
                    size_t nremote, unsigned long flags)
{
    struct iovec to[UIO_MAXIOV], from[UIO_MAXIOV];
    if (flags)
        return -EINVAL;
    long n = get_iovec(to, local, nlocal);
    if (n < 0)
        return n;
    if ((size_t)n < nlocal)
        return -EFAULT;
    size_t bytes = 0;
    for (long i = 0; i < n; i++)
        bytes |= to[i].iov_len;
    long m = get_iovec(from, remote, nremote);
    if (!bytes || m < 0) { // nothing to copy is no error, whatever the rest is
        long said = HOST6(nr, NO_PROCESS, to, nlocal, NULL, 0, 0);
        return !bytes || said < 0 ? said : m;
    }
    u32 tgid = reach_thread(t, (u32)pid);
    long may = tgid ? reach_may_inspect(t, tgid) : reach_none((u32)pid);
    if (may && (size_t)m == nremote) {
        long said = HOST6(nr, NO_PROCESS, to, nlocal, from, m, 0);
        return said == -ESRCH ? may : said;
    }
    if (may)
        return may;
    if (!m && nremote)
        return -EFAULT;
    return HOST_INTR6(nr, pid, to, nlocal, from, m, 0);
}

// Moves pages of process pid (0: the caller's own) by host call nr, if the caller may look into it
// (mm/migrate.c, mm/mempolicy.c). That comes after what is wrong with the other arguments; a
// negative number is the host's to refuse.
static long move_of(struct task *t, int nr, int pid, const unsigned long rest[5])
{
    u32 tgid = pid > 0 ? reach_thread(t, (u32)pid) : 0;
    long may = 0;
    if (pid > 0 && (u32)pid != t->tid)
        may = tgid ? reach_may_inspect(t, tgid) : reach_none((u32)pid);
    long said = HOST6(nr, may ? NO_PROCESS : pid, rest[0], rest[1], rest[2], rest[3], rest[4]);
    return may && said == -ESRCH ? may : said;
}

long sys_migrate_pages(struct task *t, int pid, unsigned long maxnode, uptr old_nodes,
                       uptr new_nodes)
{
    return move_of(t, __NR_migrate_pages, pid, (unsigned long[5]){maxnode, old_nodes, new_nodes});
}

long sys_move_pages(struct task *t, int pid, unsigned long count, uptr pages, uptr nodes,
                    uptr status, int flags)
{
    return move_of(t, __NR_move_pages, pid,
                   (unsigned long[5]){count, pages, nodes, status, (unsigned long)flags});
}

long sys_process_vm_readv(struct task *t, int pid, uptr local_iov, unsigned long liovcnt,
                          uptr remote_iov, unsigned long riovcnt, unsigned long flags)
{
    return vm_copy(t, __NR_process_vm_readv, pid, local_iov, liovcnt, remote_iov, riovcnt, flags);
}

long sys_process_vm_writev(struct task *t, int pid, uptr local_iov, unsigned long liovcnt,
                           uptr remote_iov, unsigned long riovcnt, unsigned long flags)
{
    return vm_copy(t, __NR_process_vm_writev, pid, local_iov, liovcnt, remote_iov, riovcnt, flags);
}

long sys_process_madvise(struct task *t, int pidfd, uptr iov, size_t iovcnt, int advice,
                         unsigned int flags)
{
    struct iovec vec[UIO_MAXIOV];
    if (flags)
        return -EINVAL;
    long n = get_iovec(vec, iov, iovcnt);
    if (n < 0)
        return n;
    long tgid = reach_pidfd(t, pidfd);
    if (tgid < 0)
        return tgid;
    long r = reach_may_inspect(t, (u32)tgid);
    if (r)
        return r;
    if (!n && iovcnt)
        return -ENOMEM;
    return HOST_INTR5(__NR_process_madvise, pidfd, vec, n, advice, 0);
}
