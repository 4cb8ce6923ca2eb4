// SPDX-License-Identifier: MIT
// The auxiliary vector: what it says is true, /proc/self/auxv holds the same, AT_RANDOM differs
// from run to run, and it survives an exec through a script.
// covers: execve
#include "exec.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

extern char _start[];
extern const Elf64_Ehdr __ehdr_start;

static const Elf64_auxv_t *find(const Elf64_auxv_t *av, unsigned long type)
{
    for (; av->a_type != AT_NULL; av++)
        if (av->a_type == type)
            return av;
    return NULL;
}

int main(int argc, char **argv)
{
    static const unsigned long must[] = {
        AT_SYSINFO_EHDR, AT_HWCAP,  AT_PAGESZ, AT_CLKTCK, AT_PHDR,     AT_PHENT,      AT_PHNUM,
        AT_BASE,         AT_FLAGS,  AT_ENTRY,  AT_UID,    AT_EUID,     AT_GID,        AT_EGID,
        AT_SECURE,       AT_RANDOM, AT_HWCAP2, AT_EXECFN, AT_PLATFORM, AT_MINSIGSTKSZ};
    static Elf64_auxv_t file[64];
    extern char **environ;
    unsigned char mine[16], theirs[16];
    const Elf64_auxv_t *av;
    char **e = environ;
    int fd, p[2];
    ssize_t n;
    pid_t pid;

    CHECK(getauxval(AT_RANDOM));
    memcpy(mine, (void *)getauxval(AT_RANDOM), 16);
    if (argc > 1 && strcmp(argv[1], "random") == 0) {
        CHECK(write(3, mine, 16) == 16);
        return 0;
    }
    while (*e)
        e++;
    av = (const Elf64_auxv_t *)(e + 1);
    for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
        if (!find(av, must[i])) {
            dprintf(2, "no entry %lu\n", must[i]);
            return 1;
        }
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK_EQ(getauxval(AT_PHNUM), __ehdr_start.e_phnum);
    CHECK_EQ(getauxval(AT_PHDR), (unsigned long)&__ehdr_start + __ehdr_start.e_phoff);
    CHECK_EQ(getauxval(AT_ENTRY), (unsigned long)_start);
    CHECK_EQ(getauxval(AT_BASE), 0); // static: no interpreter
    CHECK_EQ(getauxval(AT_FLAGS), 0);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK_STR((char *)getauxval(AT_PLATFORM), "x86_64");
    CHECK(memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4) == 0);
    CHECK(getauxval(AT_MINSIGSTKSZ) >= 1000 && getauxval(AT_MINSIGSTKSZ) < 65536);
    // The name as it was given to execve, at the end of the stack.
    CHECK((char *)getauxval(AT_EXECFN) > (char *)e);

    fd = OK(open("/proc/self/auxv", O_RDONLY));
    n = read(fd, file, sizeof(file));
    close(fd);
    CHECK(n >= (ssize_t)(sizeof(must) / sizeof(must[0]) + 1) * 16 && n % 16 == 0);
    CHECK(memcmp(file, av, n - 16) == 0 && file[n / 16 - 1].a_type == AT_NULL);

    if (argc == 1) {
        CHECK(pipe(p) == 0);
        for (int i = 0; i < 3; i++) {
            pid = OK(fork());
            if (pid == 0) {
                dup2(p[1], 3);
                execl("/proc/self/exe", argv[0], "random", NULL);
                _exit(1);
            }
            wait_ok(pid);
            CHECK(read(p[0], theirs, 16) == 16 && memcmp(mine, theirs, 16) != 0);
        }
        copy_self("prog", 0755);
        put_script("script", "#!./prog x\n", 0755);
        execl("./script", "zero", NULL);
    }
    // By way of the script: its name, the interpreter's program.
    CHECK_STR((char *)getauxval(AT_EXECFN), "./script");
    CHECK_STR(argv[0], "./prog");
    CHECK_STR(argv[2], "./script");
    return done();
}
