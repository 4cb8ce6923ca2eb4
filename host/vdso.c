// SPDX-License-Identifier: MIT
// The host's vDSO as lxcore itself uses it: a clock that a guest asks for by system call is read
// where its libc would have read it.
//
// The image is code of the host kernel that runs on the runtime stack with lxcore's pointers. Its
// clock functions use general registers only (the kernel builds them with -mno-sse), so the guest's
// vector state stays. Three things can go wrong there, and the signal handler ends them all
// (trap/signal.c: fix_up and in_lxcore, told by T_VDSO):
//   - it makes a system call, for a clock source that it cannot read: the call is made natively;
//   - it faults: the guest has unmapped it or its data, or made RDTSC trap (PR_SET_TSC);
//   - a signal comes: it is noted, as anywhere in lxcore.
// After the first two the vDSO is left alone; the host call that it saves is always right.
#include <linux/elf.h>
#include <linux/errno.h>

#include "lib.h"
#include "vdso.h"

long vdso_enter(uptr function, long a, long b, long c); // host/vdsocall.S

static const char *const names[VDSO_FUNCTIONS] = {
    [VDSO_CLOCK_GETTIME] = "__vdso_clock_gettime",
    [VDSO_GETTIMEOFDAY] = "__vdso_gettimeofday",
    [VDSO_TIME] = "__vdso_time",
    [VDSO_GETCPU] = "__vdso_getcpu",
};

// These belong to the address space, like the image: a CLONE_VM child has the same. All threads
// read the same values from it, and set `state` last.
enum { NOT_READ, USABLE, GIVEN_UP };
static u32 state;
static uptr base, end;
static uptr function[VDSO_FUNCTIONS];

// The image and its data are page faults, which cost more than some host calls: a process that asks
// for the time only now and then gets on without.
#define HOST_CALLS_FIRST 8
static u32 host_calls;

void vdso_init(uptr image)
{
    base = image;
    state = image ? NOT_READ : GIVEN_UP;
}

void vdso_give_up(void)
{
    __atomic_store_n(&state, GIVEN_UP, __ATOMIC_RELAXED);
}

// Finds the functions by the dynamic symbol table. The kernel's image is to be trusted.
static void read_image(void)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(base + e->e_phoff);
    const Elf64_Dyn *d = NULL;
    u64 bias = base;
    for (int i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD) {
            bias = base + p[i].p_offset - p[i].p_vaddr;
            end = ALIGN_UP(bias + p[i].p_vaddr + p[i].p_memsz, LX_PAGE);
        }
        if (p[i].p_type == PT_DYNAMIC)
            d = (const Elf64_Dyn *)(base + p[i].p_offset);
    }
    const char *strings = NULL;
    const Elf64_Sym *symbols = NULL;
    const u32 *hash = NULL;
    for (; d && d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_STRTAB)
            strings = (const char *)(bias + d->d_un.d_ptr);
        if (d->d_tag == DT_SYMTAB)
            symbols = (const Elf64_Sym *)(bias + d->d_un.d_ptr);
        if (d->d_tag == DT_HASH)
            hash = (const u32 *)(bias + d->d_un.d_ptr);
    }
    u32 count = strings && symbols && hash ? hash[1] : 0;
    for (u32 i = 0; i < count; i++)
        for (int f = 0; f < VDSO_FUNCTIONS; f++)
            if (symbols[i].st_shndx && !strcmp(strings + symbols[i].st_name, names[f]))
                function[f] = bias + symbols[i].st_value;
}

void vdso_changed(uptr addr, size_t len)
{
    // Most ranges are told without a look at the image.
    if (state == GIVEN_UP || addr >= base + 64 * LX_PAGE || addr + len <= base)
        return;
    if (state == NOT_READ)
        read_image();
    if (addr < end)
        vdso_give_up();
}

long vdso_call(enum vdso_function f, long a, long b, long c)
{
    u32 now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
    if (now == NOT_READ) {
        if (host_calls < HOST_CALLS_FIRST) {
            host_calls++;
            return -ENOSYS;
        }
        read_image();
        __atomic_compare_exchange_n(&state, &now, USABLE, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
        now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
    }
    return now == USABLE && function[f] ? vdso_enter(function[f], a, b, c) : -ENOSYS;
}
