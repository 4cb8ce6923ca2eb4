// SPDX-License-Identifier: MIT
// What execve says of files that cannot be run: missing, directories, without x bit, empty,
// text, truncated or damaged ELF, another architecture, bad interpreters; bad pointers.
// covers: execve
#include "elfimage.h"
#include "exec.h"
#include <limits.h>

static struct {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[2];
    char interp[64];
} elf;

// A file that starts like a real program: one loadable segment, exit(40) unless damaged.
static void make(const char *path, size_t size)
{
    int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));

    CHECK(write(fd, &elf, size) == (ssize_t)size && close(fd) == 0);
}

static void reset(void)
{
    memset(&elf, 0, sizeof(elf));
    elf.eh = elf_header(ET_EXEC, 0x10000000 + offsetof(__typeof__(elf), interp),
                        offsetof(__typeof__(elf), ph), 1);
    elf.ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_X,
                             .p_vaddr = 0x10000000,
                             .p_filesz = sizeof(elf),
                             .p_memsz = sizeof(elf),
                             .p_align = 4096};
    memcpy(elf.interp, "\xbf\x28\0\0\0\xb8\xe7\0\0\0\x0f\x05", 12); // exit_group(40)
}

static void with_interp(const char *name)
{
    reset();
    strcpy(elf.interp, name);
    elf.eh.e_phnum = 2;
    elf.ph[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                             .p_offset = offsetof(__typeof__(elf), interp),
                             .p_filesz = strlen(name) + 1};
}

#define ELF_CASE(expect, change)                                                                   \
    do {                                                                                           \
        reset();                                                                                   \
        change;                                                                                    \
        make("elf", sizeof(elf));                                                                  \
        CHECK_EQ(try_exec1("./elf"), expect);                                                      \
    } while (0)

int main(int argc, char **argv)
{
    char *args[] = {"x", NULL}, longname[300], longpath[PATH_MAX + 10];

    show_and_exit(argc, argv);
    CHECK(mkdir("dir", 0755) == 0);
    put_script("empty", "", 0755);
    put_script("text", "echo hello\n", 0755);
    copy_self("noexec", 0644);
    copy_self("good", 0755);
    CHECK(symlink("loop", "loop") == 0 && symlink("good", "link") == 0);
    memset(longname, 'a', sizeof(longname));
    longname[299] = 0;
    memset(longpath, '/', sizeof(longpath));
    longpath[sizeof(longpath) - 1] = 0;

    CHECK_EQ(try_exec1("./good"), 0);
    CHECK_EQ(try_exec1("./link"), 0);
    CHECK_EQ(try_exec1("dir/../good"), 0);
    CHECK_EQ(try_exec1(""), ENOENT);
    CHECK_EQ(try_exec1("absent"), ENOENT);
    CHECK_EQ(try_exec1("good/x"), ENOTDIR);
    CHECK_EQ(try_exec1("good/"), ENOTDIR);
    CHECK_EQ(try_exec1("dir"), EACCES);
    CHECK_EQ(try_exec1("/"), EACCES);
    CHECK_EQ(try_exec1("loop"), ELOOP);
    CHECK_EQ(try_exec1(longname), ENAMETOOLONG);
    CHECK_EQ(try_exec1(longpath), ENAMETOOLONG);
    CHECK_EQ(try_exec1("noexec"), EACCES);
    CHECK_EQ(try_exec1("/dev/null"), EACCES);
    CHECK_EQ(try_exec1("empty"), ENOEXEC);
    CHECK_EQ(try_exec1("text"), ENOEXEC);
    CHECK_ERR(syscall(SYS_execve, 8, args, args), EFAULT);
    CHECK_ERR(syscall(SYS_execve, "good", 8, args), EFAULT);
    CHECK_ERR(syscall(SYS_execve, "good", args, 8), EFAULT);
    CHECK_ERR(execve("good", (char *[]){"x", (char *)8, NULL}, args), EFAULT);

    ELF_CASE(0, );
    ELF_CASE(ENOEXEC, elf.eh.e_ident[0] = 0);
    ELF_CASE(ENOEXEC, elf.eh.e_machine = EM_AARCH64);
    ELF_CASE(ENOEXEC, elf.eh.e_machine = EM_RISCV);
    ELF_CASE(ENOEXEC, elf.eh.e_type = ET_REL);
    ELF_CASE(ENOEXEC, elf.eh.e_type = ET_CORE);
    ELF_CASE(ENOEXEC, elf.eh.e_phentsize = 32);
    ELF_CASE(ENOEXEC, elf.eh.e_phnum = 0);
    ELF_CASE(ENOEXEC, elf.eh.e_phnum = 0xffff);
    for (size_t size = 1; size < sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); size += 7) {
        reset();
        make("elf", size); // ends in the header, or in the program headers
        CHECK_EQ(try_exec1("./elf"), ENOEXEC);
    }

    with_interp("/absent/ld.so");
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), ENOENT);
    with_interp("./dir");
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), EACCES);
    with_interp("./noexec");
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), EACCES);
    with_interp("./text");
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), EIO); // shorter than an ELF header
    put_script("longtext",
               "#! this text is longer than the header of an ELF file, 64 bytes long.\n", 0755);
    with_interp("./longtext");
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), ELIBBAD);
    with_interp("./good");
    elf.ph[1].p_filesz--; // no NUL at the end
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), ENOEXEC);
    with_interp("./good");
    elf.ph[1].p_filesz = 1;
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), ENOEXEC);
    with_interp("./good");
    elf.ph[1].p_filesz = PATH_MAX + 1;
    make("elf", sizeof(elf));
    CHECK_EQ(try_exec1("./elf"), ENOEXEC);
    return done();
}
