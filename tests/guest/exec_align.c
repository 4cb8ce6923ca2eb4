// SPDX-License-Identifier: MIT
// A position-independent program that asks for an alignment, and whose first page is not at a
// multiple of it, has room wherever it comes to lie.
// covers: execve
#include "elfimage.h"

static void make(const char *name, unsigned long align, unsigned long size)
{
    static const unsigned char code[] = EXIT_42;
    struct {
        Elf64_Ehdr e;
        Elf64_Phdr p[2];
        unsigned char code[sizeof code];
    } f = {.e = elf_header(ET_DYN, 0x1000 + offsetof(__typeof__(f), code), sizeof f.e, 2),
           .p = {{.p_type = PT_LOAD,
                  .p_flags = PF_R | PF_X,
                  .p_vaddr = 0x1000,
                  .p_filesz = sizeof f,
                  .p_memsz = sizeof f,
                  .p_align = align},
                 {.p_type = PT_LOAD,
                  .p_flags = PF_R | PF_W,
                  .p_vaddr = size,
                  .p_memsz = 4096,
                  .p_align = 4096}}};
    memcpy(f.code, code, sizeof code);
    int fd = OK(open(name, O_CREAT | O_WRONLY | O_EXCL, 0755));
    CHECK_EQ(write(fd, &f, sizeof f), (ssize_t)sizeof f);
    CHECK_EQ(close(fd), 0);
}

int main(void)
{
    static const unsigned long aligns[] = {4096, 8192, 65536, 1 << 21};

    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++) {
        char name[32];
        snprintf(name, sizeof name, "aligned-%lu", aligns[i]);
        make(name, aligns[i], 0x5000);
        for (int n = 0; n < 20; n++) {
            int status;
            pid_t pid = OK(fork());
            if (pid == 0) {
                execl(name, name, NULL);
                _exit(errno);
            }
            CHECK_EQ(waitpid(pid, &status, 0), pid);
            CHECK(WIFEXITED(status));
            CHECK_EQ(WEXITSTATUS(status), 42);
        }
    }
    return done();
}
