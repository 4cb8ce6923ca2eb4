// SPDX-License-Identifier: MIT
// ELF files: what the kernel's load_elf_binary (fs/binfmt_elf.c) takes, and how it maps it.
#include <linux/mman.h>

#include "host.h"
#include "lib.h"
#include "loader.h"
#include "memory.h"
#include "uaccess.h"

long elf_check(const void *buf, size_t n)
{
    Elf64_Ehdr e;
    if (n < sizeof e)
        return -ENOEXEC;
    memcpy(&e, buf, sizeof e);
    // Linux looks at the machine, not at the class: a 32-bit file fails by one or the other.
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) || (e.e_type != ET_EXEC && e.e_type != ET_DYN) ||
        e.e_machine != EM_X86_64 || e.e_phentsize != sizeof(Elf64_Phdr) || !e.e_phnum ||
        e.e_phnum > ELF_PHDRS_MAX)
        return -ENOEXEC;
    return 0;
}

long elf_layout(struct elf *e)
{
    e->lo = ~0UL;
    e->hi = 0;
    e->align = LX_PAGE;
    e->stack = -1;
    for (int i = 0; i < e->ehdr.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdr[i];
        if (p->p_type == PT_GNU_STACK)
            e->stack = (s32)p->p_flags;
        if (p->p_type != PT_LOAD)
            continue;
        if (p->p_filesz > p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr ||
            p->p_vaddr + p->p_memsz > (1UL << 47) || p->p_offset + p->p_filesz < p->p_offset)
            return -EINVAL;
        if ((p->p_vaddr - p->p_offset) % LX_PAGE && p->p_filesz)
            return -EINVAL;
        if (!p->p_memsz)
            continue;
        e->lo = MIN(e->lo, ALIGN_DOWN(p->p_vaddr, LX_PAGE));
        e->hi = MAX(e->hi, ALIGN_UP(p->p_vaddr + p->p_memsz, LX_PAGE));
        if (p->p_align > e->align && !(p->p_align & (p->p_align - 1)) && p->p_align <= 1UL << 30)
            e->align = p->p_align;
    }
    if (!e->hi)
        return -EINVAL;
    // Linux maps the first segment as long as the whole image, at first.
    for (int i = 0; i < e->ehdr.e_phnum; i++)
        if (e->phdr[i].p_type == PT_LOAD)
            return e->phdr[i].p_offset + (e->hi - e->lo) > 0x7fffffffffffffff ? -EOVERFLOW : 0;
    return 0;
}

long elf_read_start(int fd, struct elf_start *s)
{
    return host_pread(fd, s, sizeof *s, 0);
}

bool elf_is_whole(const struct elf_start *s, size_t n)
{
    return s->ehdr.e_phoff == sizeof s->ehdr &&
           n >= sizeof s->ehdr + s->ehdr.e_phnum * sizeof s->phdr[0];
}

long elf_find_interp(int fd, struct elf_start *s, long n, Elf64_Phdr *interp)
{
    if (n < 0)
        return n;
    long r = elf_check(&s->ehdr, (size_t)n);
    if (r < 0)
        return r;
    const u32 all = s->ehdr.e_phnum, room = ARRAY_LEN(s->phdr);
    bool whole = elf_is_whole(s, (size_t)n), found = false;
    for (u32 i = 0; i < all; i++) {
        const Elf64_Phdr *p = &s->phdr[i % room];
        if (!whole && i % room == 0) {
            size_t size = MIN(all - i, room) * sizeof *p;
            long at = (long)(s->ehdr.e_phoff + i * sizeof *p);
            if (host_pread(fd, s->phdr, size, at) != (long)size)
                return -ENOEXEC;
        }
        if (found || p->p_type != PT_INTERP)
            continue;
        if (p->p_filesz < 2 || p->p_filesz > LX_PATH_MAX)
            return -ENOEXEC;
        *interp = *p;
        found = true;
    }
    return found;
}

long elf_read(int fd, struct elf *e)
{
    long n = host_pread(fd, &e->ehdr, sizeof(struct elf_start), 0);
    if (n < 0)
        return n;
    long r = elf_check(&e->ehdr, (size_t)n);
    if (r < 0)
        return r;
    size_t size = e->ehdr.e_phnum * sizeof e->phdr[0];
    if (e->ehdr.e_phoff == sizeof e->ehdr && n >= (long)(sizeof e->ehdr + size))
        return 0;
    n = host_pread(fd, e->phdr, size, (long)e->ehdr.e_phoff);
    return n == (long)size ? 0 : -ENOEXEC;
}

int elf_prot(const Elf64_Phdr *p)
{
    return (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
           (p->p_flags & PF_X ? PROT_EXEC : 0);
}

static long clear(u64 at, u64 n)
{
    static const char zeroes[512];
    for (u64 k; n; at += k, n -= k) {
        k = MIN(n, sizeof zeroes);
        if (copy_to_guest(at, zeroes, k))
            return -EFAULT;
    }
    return 0;
}

// One segment: the file's pages, then zeroes up to memsz. placed: the file's are there already.
static long map_segment(int fd, const Elf64_Phdr *p, u64 bias, int fixed, bool placed)
{
    u64 start = ALIGN_DOWN(p->p_vaddr + bias, LX_PAGE);
    u64 file_end = p->p_vaddr + bias + p->p_filesz, end = p->p_vaddr + bias + p->p_memsz;
    u64 zero = ALIGN_UP(file_end, LX_PAGE);
    if (memory_hits_lxcore(start, end - start))
        return -ENOMEM;
    if (p->p_filesz) {
        long r = placed ? 0
                        : host_mmap(start, zero - start, elf_prot(p), fixed, fd,
                                    (long)(p->p_offset - (p->p_vaddr + bias - start)));
        if (r < 0)
            return r;
        // The whole rest of the page, as Linux does: ld.so takes its first memory from there.
        if (end > file_end && (p->p_flags & PF_W) && clear(file_end, zero - file_end))
            return -EFAULT; // the page lies beyond the end of the file
    } else {
        zero = start;
    }
    if (ALIGN_UP(end, LX_PAGE) > zero) {
        // Writable at first: Linux accounts these pages whatever their protection (vm_brk_flags).
        u64 size = ALIGN_UP(end, LX_PAGE) - zero;
        long r = host_mmap(zero, size, PROT_READ | PROT_WRITE, fixed | MAP_ANONYMOUS, -1, 0);
        if (r >= 0 && elf_prot(p) != (PROT_READ | PROT_WRITE))
            r = host_mprotect(zero, size, elf_prot(p));
        // Under PR_SET_MDWE what was not executable does not become so, and nothing is both.
        if (r == -EACCES)
            r = p->p_flags & PF_W ? 0
                                  : host_mmap(zero, size, elf_prot(p),
                                              MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

// Do the segments follow each other page by page, the first one with pages of the file?
static bool without_holes(const struct elf *e)
{
    u64 at = e->lo;
    for (int i = 0; i < e->ehdr.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdr[i];
        if (p->p_type != PT_LOAD || !p->p_memsz)
            continue;
        if (ALIGN_DOWN(p->p_vaddr, LX_PAGE) != at || (at == e->lo && !p->p_filesz))
            return false;
        at = ALIGN_UP(p->p_vaddr + p->p_memsz, LX_PAGE);
    }
    return at == e->hi;
}

// A place for the whole image, where the kernel likes. *placed: the first segment is there, as long
// as the image, and the others only have to be put over it.
static long find_place(int fd, const struct elf *e, bool *placed)
{
    const Elf64_Phdr *p = e->phdr;
    while (p->p_type != PT_LOAD || !p->p_memsz)
        p++;
    *placed = e->align == LX_PAGE && without_holes(e);
    if (*placed)
        return memory_map(0, e->hi - e->lo, elf_prot(p), MAP_PRIVATE, fd,
                          (long)(p->p_offset - (p->p_vaddr - e->lo)));
    u64 size = e->hi - ALIGN_DOWN(e->lo, e->align) + e->align - LX_PAGE; // room to align
    long r = memory_map(0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r > 0)
        host_munmap((uptr)r, size);
    return r;
}

long elf_map(int fd, struct elf *e, u64 base, u64 *bias)
{
    bool placed = false;
    long bad = elf_layout(e);
    *bias = 0;
    if (bad < 0)
        return bad;
    if (e->ehdr.e_type == ET_DYN) {
        if (!base) {
            long r = find_place(fd, e, &placed);
            if (r < 0)
                return r;
            base = (u64)r;
        }
        *bias = ALIGN_UP(base, e->align) - ALIGN_DOWN(e->lo, e->align);
    }
    // Later segments may lie over earlier ones, not over anything else that was there before.
    int fixed = MAP_PRIVATE | (placed ? MAP_FIXED : MAP_FIXED_NOREPLACE);
    for (int i = 0; i < e->ehdr.e_phnum; i++) {
        if (e->phdr[i].p_type != PT_LOAD || !e->phdr[i].p_memsz)
            continue;
        long r = map_segment(fd, &e->phdr[i], *bias, fixed, placed);
        if (r < 0)
            return r;
        fixed = MAP_PRIVATE | MAP_FIXED;
        placed = false;
    }
    return 0;
}
