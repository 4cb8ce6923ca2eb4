// SPDX-License-Identifier: MIT
// From a program file to a running image. execve is done in two halves: before the host's execve
// the target is opened and checked (so that errors are returned to the caller), after it lxcore,
// started anew, maps what it was handed.
#ifndef LX_LOADER_H
#define LX_LOADER_H

#include <linux/elf.h>

#include "instance.h"
#include "task.h"
#include "types.h"

#define ELF_PHDRS_MAX 128

// ---- ELF files (loader/elf.c); no host calls in elf_check and elf_layout, they can be fuzzed ----

// What hardly any file has, many headers, comes last: so few pages of the stack are written to.
struct elf {
    u64 lo, hi; // span of the loadable segments, page aligned
    u64 align;  // largest alignment asked for
    s32 stack;  // p_flags of PT_GNU_STACK, -1: none
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[ELF_PHDRS_MAX];
};

// The first bytes of a file: its header, and most often all program headers right behind it.
struct elf_start {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[16];
};

_Static_assert(offsetof(struct elf, phdr) == offsetof(struct elf, ehdr) + sizeof(Elf64_Ehdr),
               "they are read together");

// Is buf[n] (the file's first bytes) a header that this loader takes? 0 or -ENOEXEC.
long elf_check(const void *buf, size_t n);
// Fills lo, hi, align, stack from ehdr and phdr. 0 or -EINVAL: such segments cannot be mapped.
long elf_layout(struct elf *e);
// Reads headers of the open file. 0 or -ENOEXEC.
long elf_read(int fd, struct elf *e);
// The first bytes of the file: their number, or -errno.
long elf_read_start(int fd, struct elf_start *s);
// Does *s, of which n bytes have been read, hold all program headers?
bool elf_is_whole(const struct elf_start *s, size_t n);
// With what elf_read_start() has left: 1 and *interp, the header of the interpreter's path; 0: it
// has none; -ENOEXEC. Where the headers are elsewhere or many, they pass through s->phdr.
long elf_find_interp(int fd, struct elf_start *s, long n, Elf64_Phdr *interp);
// Lays out and maps the segments; ET_DYN goes to base (0: where the kernel likes). *bias gets the
// difference between addresses in the file and in memory. Errors come after the point of no return.
long elf_map(int fd, struct elf *e, u64 base, u64 *bias);
// PROT_* of a segment.
int elf_prot(const Elf64_Phdr *p);

// ---- execve's first half (loader/exec.c) ----

// What stands in the place of argv[0] for scripts: the last one is the script's own name.
struct exec_args {
    size_t used;
    char text[3 * LX_PATH_MAX];
};

#define EXEC_PREFIX 32 // what is put before a path from a descriptor

// Lies on the runtime stack: nothing is mapped for it.
struct exec_plan {
    s32 image_fd, interp_fd;
    u32 scripts; // how many #! were followed
    bool nosuid, has_caps, unreadable;
    bool by_fd_alone;   // named by a descriptor and no path
    bool opened;        // the file itself is there and may be run, whatever it holds
    u32 mode, uid, gid; // guest attributes of the image
    u64 dev, ino;
    u32 argc;
    char *args[16];
    struct exec_args *room; // their text, when there are any
    // One text behind the other, so that few pages are touched: what the caller named, and the
    // guest path of the image.
    char *exe;
    char execfn[EXEC_PREFIX + 2 * LX_PATH_MAX];
};

// Opens and checks what is to be run, following #! lines. path may lie in plan->execfn already.
// exec_done() must follow.
long exec_prepare(struct task *t, int dirfd, const char *path, int flags, struct exec_plan *plan);
// What is wrong with argv and envp, -EFAULT or -E2BIG: the kernel copies them before it looks into
// the file (plan->opened).
long exec_check_vectors(const struct exec_plan *plan, uptr argv, uptr envp);
// The host's execve. argv, envp: guest arrays. Returns only on error.
long exec_commit(struct task *t, struct exec_plan *plan, uptr argv, uptr envp);
void exec_done(struct exec_plan *plan);

#endif
