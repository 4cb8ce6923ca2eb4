// SPDX-License-Identifier: MIT
// A program linked statically at a fixed address maps code by itself to read it, as a translator
// like valgrind does: what it finds is what stands in the file.
// covers: mmap, pread64
// link: static
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

int main(void)
{
    static char text[1 << 20];
    int fd = open("/proc/self/exe", O_RDONLY);
    Elf64_Ehdr h;
    Elf64_Phdr p;
    unsigned segments = 0;

    CHECK_EQ(pread(fd, &h, sizeof h, 0), (long)sizeof h);
    CHECK_EQ(h.e_type, ET_EXEC);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        CHECK_EQ(pread(fd, &p, sizeof p, (long)(h.e_phoff + i * sizeof p)), (long)sizeof p);
        if (p.p_type != PT_LOAD || !(p.p_flags & PF_X))
            continue;
        CHECK(p.p_filesz <= sizeof text);
        CHECK_EQ(pread(fd, text, p.p_filesz, (long)p.p_offset), (long)p.p_filesz);
        char *m = mmap(NULL, p.p_filesz, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (long)p.p_offset);
        CHECK(m != MAP_FAILED);
        CHECK(!memcmp(m, text, p.p_filesz));
        CHECK_EQ(munmap(m, p.p_filesz), 0);
        segments++;
    }
    CHECK(segments > 0);
    return done();
}
