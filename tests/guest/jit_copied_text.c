// SPDX-License-Identifier: MIT
// A function of the program's own, with a system call in it, runs from a copy elsewhere.
// covers: mmap, dup, close
// trap: not rewrite: a copy of rewritten text has the jump to a slot, which is relative (docs/limits.md)
#include "check.h"
#include <sys/mman.h>

long copied(long nr, long a, long b, long c);
extern const char copied_end[];
__asm__(".pushsection .text\n"
        ".globl copied, copied_end\n"
        "copied:\n"
        "    mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx\n"
        "    syscall\n"
        "    ret\n"
        "copied_end:\n"
        ".popsection\n");

int main(void)
{
    void *w =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(w != MAP_FAILED);
    memcpy(w, (void *)copied, copied_end - (const char *)copied);
    CHECK_EQ(((__typeof__(&copied))w)(SYS_dup, 0, 0, 0), 3);
    CHECK_EQ(((__typeof__(&copied))w)(SYS_close, 3, 0, 0), 0);
    CHECK_EQ(copied(SYS_getpid, 0, 0, 0), getpid());
    return done();
}
