// SPDX-License-Identifier: MIT
// A dynamic, position-independent program: AT_BASE is the interpreter, AT_PHDR and AT_ENTRY the
// program; text, data, heap, libraries and stack lie in the kernel's order; addresses differ from
// run to run; threads with thread-local data of a library.
// covers: execve, mmap, brk
// link: dynamic
#include "exec.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

static int objects, has_libc;

static int object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size, (void)arg;
    objects++;
    has_libc |= strstr(info->dlpi_name, "libc.so") != NULL;
    return 0;
}

static void *thread(void *arg)
{
    CHECK(&errno != arg);
    CHECK_ERR(close(-1), EBADF);
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned long base = getauxval(AT_BASE), phdr = getauxval(AT_PHDR), entry = getauxval(AT_ENTRY);
    unsigned long heap = (unsigned long)sbrk(0), mine[4], theirs[4];
    const Elf64_Phdr *ph = (const Elf64_Phdr *)phdr;
    pthread_t th;
    int p[2], interp = 0, differ = 0;
    pid_t pid;

    CHECK(base && base % 4096 == 0 && memcmp((void *)base, ELFMAG, 4) == 0);
    CHECK(memcmp((void *)(phdr & -4096ul), ELFMAG, 4) == 0);
    CHECK((unsigned long)main - (phdr & -4096ul) < 1 << 20 && entry - (phdr & -4096ul) < 1 << 20);
    for (size_t i = 0; i < getauxval(AT_PHNUM); i++)
        if (ph[i].p_type == PT_INTERP)
            interp = 1;
    CHECK(interp);
    CHECK(heap > (unsigned long)&objects && base > heap && (unsigned long)&heap > base);
    CHECK((unsigned long)printf > heap);
    dl_iterate_phdr(object, NULL);
    CHECK(objects >= 3 && has_libc); // program, libc, ld.so (and the vDSO)
    mine[0] = (unsigned long)main, mine[1] = base, mine[2] = heap, mine[3] = (unsigned long)&heap;
    if (argc > 1) {
        CHECK(write(3, mine, sizeof(mine)) == sizeof(mine));
        return 0;
    }
    CHECK(pipe(p) == 0);
    for (int i = 0; i < 4; i++) {
        pid = OK(fork());
        if (pid == 0) {
            dup2(p[1], 3);
            execl("/proc/self/exe", argv[0], "again", NULL);
            _exit(1);
        }
        wait_ok(pid);
        CHECK(read(p[0], theirs, sizeof(theirs)) == sizeof(theirs));
        for (int k = 0; k < 4; k++)
            differ |= (mine[k] != theirs[k]) << k;
    }
    CHECK_EQ(differ, 15);
    CHECK(pthread_create(&th, NULL, thread, &errno) == 0 && pthread_join(th, NULL) == 0);
    return done();
}
