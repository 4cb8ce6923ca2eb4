// SPDX-License-Identifier: MIT
// A program maps its own text many times over, and runs code in each that nothing leads to (see
// clean_guard).
// covers: mmap, umask
// link: dynamic
#include "check.h"
#include <link.h>
#include <sys/mman.h>

#define MASK 0351 // of this process alone
#define SECRET 0x123456789
#define TIMES 24
#define APART 0x10000000ul

extern const uintptr_t secret;
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "1: mov $95, %eax; syscall; ret\n" // umask
        ".balign 4096\n"
        ".popsection\n"
        ".pushsection .data.rel.ro, \"aw\"\n"
        ".balign 8\n"
        ".globl secret\n"
        ".hidden secret\n"
        "secret: .quad 1b + 0x123456789\n"
        ".popsection\n");

typedef long (*code)(long arg);

// The program's own text: its place in memory and in the file.
struct text {
    uintptr_t at;
    size_t size;
    off_t offset;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct text *t = arg;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
            *t = (struct text){info->dlpi_addr + p->p_vaddr, p->p_memsz, (off_t)p->p_offset};
    }
    return 1; // the first is the program
}

int main(void)
{
    char *const first = (char *)0x200000000000;
    int fd = OK(open("/proc/self/exe", O_RDONLY));
    struct text t = {0};

    umask(MASK);
    dl_iterate_phdr(find_text, &t);
    CHECK(t.size > 0);
    size_t place = secret - SECRET - t.at;
    CHECK(place < t.size);
    for (int i = 0; i < TIMES; i++)
        CHECK(mmap(first + i * APART, t.size, PROT_READ | PROT_EXEC,
                   MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, t.offset) == first + i * APART);
    for (int i = TIMES - 1; i >= 0; i--)
        CHECK_EQ(((code)(first + i * APART + place))(MASK), MASK);
    CHECK_EQ(((code)(secret - SECRET))(MASK), MASK);
    return done();
}
