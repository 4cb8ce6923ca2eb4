// SPDX-License-Identifier: MIT
// For tests that write ELF files by hand.
#ifndef GUEST_ELFIMAGE_H
#define GUEST_ELFIMAGE_H

#include "check.h"
#include <elf.h>
#include <stddef.h>

// Code that ends with exit(42): mov $42,%edi; mov $60,%eax; syscall.
#define EXIT_42                                                                                    \
    {                                                                                              \
        0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05                                           \
    }

// Header of a file that is in order; type: ET_EXEC or ET_DYN. phnum program headers are at phoff.
static inline Elf64_Ehdr elf_header(int type, uint64_t entry, size_t phoff, int phnum)
{
    return (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                        .e_type = type,
                        .e_machine = EM_X86_64,
                        .e_version = EV_CURRENT,
                        .e_entry = entry,
                        .e_phoff = phoff,
                        .e_ehsize = sizeof(Elf64_Ehdr),
                        .e_phentsize = sizeof(Elf64_Phdr),
                        .e_phnum = phnum};
}

#endif
