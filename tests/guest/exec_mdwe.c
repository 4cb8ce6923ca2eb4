// SPDX-License-Identifier: MIT
// Under PR_SET_MDWE (Linux 6.3) programs still start whose text goes on behind what the file has of
// it.
// covers: execve, prctl
#include "check.h"
#include <elf.h>
#include <stddef.h>
#include <sys/prctl.h>

#define ADDRESS 0x400000
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

struct image {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[2];
    unsigned char code[12];
};

int main(void)
{
    const struct image m = {
        .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_entry = ADDRESS + offsetof(struct image, code),
                 .e_phoff = offsetof(struct image, phdr),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .phdr = {{PT_LOAD, PF_R | PF_X, 0, ADDRESS, ADDRESS, sizeof(m), 0x4000, 4096},
                 {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16}},
        .code = {0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}, // exit(42)
    };
    int status, fd = OK(open("m", O_WRONLY | O_CREAT, 0755));

    CHECK_EQ(write(fd, &m, sizeof(m)), sizeof(m));
    CHECK_EQ(close(fd), 0);
    for (int mdwe = 0; mdwe < 2; mdwe++) {
        pid_t pid = OK(fork());
        if (!pid) {
            CHECK(!mdwe || !prctl(PR_SET_MDWE, 1, 0, 0, 0) || errno == EINVAL);
            execl("./m", "m", NULL);
            _exit(1);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 42 << 8);
    }
    return done();
}
