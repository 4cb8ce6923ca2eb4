// SPDX-License-Identifier: MIT
// libFuzzer target of the ELF loader: loader/elf.c is compiled hosted, its host calls are served
// here. The input is the file. Checked beside crashes: nothing is mapped over lxcore's range or
// outside user space, nothing cleared that was not mapped.
#include <asm/unistd_64.h>
#include <linux/errno.h>
#include <linux/mman.h>

#include "layout.h"
#include "lib.h"
#include "loader.h"

// lxcore's headers take the kernel's definitions, which libc's headers would clash with.
extern _Noreturn void abort(void);

#define FILE_FD 77

static const uint8_t *file;
static size_t file_size;
static struct {
    uint64_t addr, size;
} maps[1024];
static unsigned nmaps;

static long fake_pread(char *buf, size_t n, long off)
{
    if (off < 0)
        return -EINVAL;
    if ((size_t)off >= file_size)
        return 0;
    n = n < file_size - (size_t)off ? n : file_size - (size_t)off;
    memcpy(buf, file + off, n);
    return (long)n;
}

// An address space of records only: what is mapped, never touched.
static long fake_mmap(uint64_t addr, uint64_t size, int flags)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    static const uint64_t top = 0x7fff00000000;
    size = ALIGN_UP(size, LX_PAGE);
    if (!size || size > top || nmaps == sizeof maps / sizeof maps[0])
        return -ENOMEM;
    if (addr % LX_PAGE || (fixed && addr + size > top))
        return addr % LX_PAGE ? -EINVAL : -ENOMEM;
    if (!fixed && !addr)
        addr = top - size;
    for (unsigned i = 0; i < nmaps; i++)
        if ((!fixed || (flags & MAP_FIXED_NOREPLACE)) && addr < maps[i].addr + maps[i].size &&
            addr + size > maps[i].addr)
            return -EEXIST;
    if (fixed && addr < LX_END && addr + size > LX_BASE)
        abort();
    maps[nmaps].addr = addr;
    maps[nmaps++].size = size;
    return (long)addr;
}

static long fake_munmap(uint64_t addr, uint64_t size)
{
    for (unsigned i = 0; i < nmaps; i++) {
        if (maps[i].addr == addr && maps[i].size == ALIGN_UP(size, LX_PAGE)) {
            maps[i] = maps[--nmaps];
            return 0;
        }
    }
    abort(); // something that was never mapped
}

// What clears the end of a segment's last page.
long uaccess_copy(void *dst, const void *src, size_t n)
{
    uint64_t addr = (uint64_t)dst;
    (void)src;
    for (unsigned i = 0; i < nmaps; i++)
        if (addr >= maps[i].addr && addr + n <= maps[i].addr + maps[i].size)
            return 0;
    abort(); // writes what it did not map
}

void lock_take(struct lock *l)
{
    (void)l;
    abort(); // of what is mapped later
}

void lock_drop(struct lock *l)
{
    lock_take(l);
}

long host_call(long nr, long a, long b, long c, long d, long e, long f)
{
    (void)e, (void)f;
    switch (nr) {
    case __NR_pread64:
        return fake_pread((char *)b, (size_t)c, d);
    case __NR_mmap:
        return fake_mmap((uint64_t)a, (uint64_t)b, (int)d);
    case __NR_mprotect:
        return 0;
    case __NR_munmap:
        return fake_munmap((uint64_t)a, (uint64_t)b);
    default:
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elf e;
    static struct elf_start s;
    Elf64_Phdr interp;
    uint64_t bias;
    file = data;
    file_size = size;
    elf_find_interp(FILE_FD, &s, elf_read_start(FILE_FD, &s), &interp);
    if (elf_read(FILE_FD, &e) >= 0)
        elf_map(FILE_FD, &e, e.ehdr.e_type == ET_DYN && size % 2 ? 0x555555554000 : 0, &bias);
    nmaps = 0;
    return 0;
}
