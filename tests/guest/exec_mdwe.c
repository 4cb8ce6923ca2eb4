// SPDX-License-Identifier: MIT
// Under PR_SET_MDWE (Linux 6.3) programs still start whose text goes on behind what the file has of
// it.
// covers: execve, prctl
#include "elfimage.h"
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
        .ehdr = elf_header(ET_EXEC, ADDRESS + offsetof(struct image, code),
                           offsetof(struct image, phdr), 2),
        .phdr = {{PT_LOAD, PF_R | PF_X, 0, ADDRESS, ADDRESS, sizeof(m), 0x4000, 4096},
                 {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16}},
        .code = EXIT_42,
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
