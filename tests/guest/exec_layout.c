// SPDX-License-Identifier: MIT
// The start of a program as the kernel leaves it: argc, argv, environment and auxv on a 16-byte
// aligned stack, zeroed registers, flags, and the strings at the stack's end; looked at by an entry
// point of its own.
// covers: execve
#include "sig.h"
#include <elf.h>
#include <sys/auxv.h>

// What the real entry point saw; ours runs first and jumps on.
uint64_t first_regs[18];
__asm__(".pushsection .text\n"
        ".globl first_entry\n"
        "first_entry:\n"
        "    mov %rax, first_regs(%rip);     mov %rbx, 8+first_regs(%rip)\n"
        "    mov %rcx, 16+first_regs(%rip);  mov %rdx, 24+first_regs(%rip)\n"
        "    mov %rsi, 32+first_regs(%rip);  mov %rdi, 40+first_regs(%rip)\n"
        "    mov %rbp, 48+first_regs(%rip);  mov %rsp, 56+first_regs(%rip)\n"
        "    mov %r8, 64+first_regs(%rip);   mov %r9, 72+first_regs(%rip)\n"
        "    mov %r10, 80+first_regs(%rip);  mov %r11, 88+first_regs(%rip)\n"
        "    mov %r12, 96+first_regs(%rip);  mov %r13, 104+first_regs(%rip)\n"
        "    mov %r14, 112+first_regs(%rip); mov %r15, 120+first_regs(%rip)\n"
        "    pushfq\n"
        "    popq 128+first_regs(%rip)\n"
        "    jmp _start\n"
        ".popsection\n");

extern char first_entry[];

int main(int argc, char **argv)
{
    uint64_t *sp = (uint64_t *)first_regs[7], *p;
    char *end, *text;

    if (first_regs[7] == 0) {
        // The linker made _start the entry; run a copy whose header says otherwise.
        int in = OK(open("/proc/self/exe", O_RDONLY)), out;
        struct stat st = {0};
        Elf64_Ehdr *eh;

        CHECK(fstat(in, &st) == 0 && (eh = malloc(st.st_size)) != NULL);
        CHECK(read(in, eh, st.st_size) == st.st_size);
        eh->e_entry = (uint64_t)first_entry;
        out = OK(open("prog", O_WRONLY | O_CREAT, 0700));
        CHECK(write(out, eh, st.st_size) == st.st_size && close(out) == 0);
        execle("./prog", "zero", "one", NULL, (char *[]){"A=1", "B=2", NULL});
        CHECK(!"execle");
    }
    for (int i = 0; i < 16; i++)
        if (i != 7)
            CHECK_EQ(first_regs[i], 0);
    CHECK_EQ(first_regs[16] & ~0x44ul, 0x202); // interrupts on; zero and parity are no matter
    CHECK_EQ(first_regs[7] % 16, 0);
    CHECK(sp[0] == 2 && argc == 2 && (char **)(sp + 1) == argv);
    CHECK(sp[3] == 0); // after argv
    CHECK_STR((char *)sp[4], "A=1");
    CHECK_STR((char *)sp[5], "B=2");
    CHECK(sp[6] == 0);
    for (p = sp + 7; *p != AT_NULL; p += 2)
        ;
    // Strings in order, one after the other, near the stack's end, where eight bytes are zero.
    text = argv[0];
    CHECK_STR(text, "zero");
    CHECK_STR(text += 5, "one");
    CHECK_STR(text += 4, "A=1");
    CHECK_STR(text += 4, "B=2");
    CHECK_STR((char *)getauxval(AT_EXECFN), "./prog");
    end = (char *)(((uint64_t)text + 4095) & -4096ul);
    for (int i = 1; i <= 8; i++)
        CHECK(end[-i] == 0);
    CHECK((char *)(p + 2) <= (char *)getauxval(AT_RANDOM) || getauxval(AT_RANDOM) > (uint64_t)p);
    return done();
}
