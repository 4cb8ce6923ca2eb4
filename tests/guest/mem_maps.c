// SPDX-License-Identifier: MIT
// /proc/self/maps tells the program's own mappings: names and offsets of files, the stack, the
// heap, the vdso; the permissions after mprotect; deleted files; and no line overlaps another.
// covers: mmap, mprotect, munmap, read
#include "sig.h"
#include <sys/auxv.h>
#include <sys/mman.h>

struct line {
    unsigned long from, to, off;
    char perm[8], name[400];
};

static int find(unsigned long addr, struct line *l)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long last = 0;
    char text[600];
    int found = 0;

    CHECK(f);
    while (fgets(text, sizeof(text), f)) {
        struct line m = {0};
        int n = sscanf(text, "%lx-%lx %7s %lx %*s %*s %399[^\n]", &m.from, &m.to, m.perm, &m.off,
                       m.name);

        CHECK(n == 4 || n == 5);
        CHECK(m.from >= last && m.to > m.from);
        last = m.to;
        if (addr >= m.from && addr < m.to) {
            *l = m;
            found = 1;
        }
    }
    fclose(f);
    return found;
}

static struct line at(const void *p)
{
    struct line l;

    CHECK(find((unsigned long)p, &l));
    return l;
}

int main(void)
{
    int fd = OK(open("file", O_RDWR | O_CREAT, 0600)), local;
    char cwd[4096], exe[4096], want[4200], *p;
    struct line l;
    ssize_t n;

    CHECK(getcwd(cwd, 3000) && (n = readlink("/proc/self/exe", exe, sizeof(exe) - 1)) > 0);
    exe[n] = 0;
    CHECK_STR(at((void *)main).name, exe);
    CHECK_STR(at((void *)main).perm, "r-xp");
    CHECK_STR(at(&local).name, "[stack]");
    CHECK_STR(at(malloc(10)).name, "[heap]");
    CHECK_STR(at((void *)getauxval(AT_SYSINFO_EHDR)).name, "[vdso]");

    CHECK(ftruncate(fd, 16384) == 0);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    CHECK(p != MAP_FAILED);
    snprintf(want, sizeof(want), "%s/file", cwd);
    l = at(p);
    CHECK(l.from == (unsigned long)p && l.to == l.from + 8192 && l.off == 4096);
    CHECK_STR(l.perm, "rw-s");
    CHECK_STR(l.name, want);
    CHECK(mprotect(p + 4096, 4096, PROT_READ) == 0);
    l = at(p + 4096);
    CHECK(l.from == (unsigned long)p + 4096 && l.off == 8192);
    CHECK_STR(l.perm, "r--s");
    CHECK_STR(at(p).perm, "rw-s");
    CHECK(unlink("file") == 0);
    strcat(want, " (deleted)");
    CHECK_STR(at(p).name, want);
    CHECK(munmap(p, 4096) == 0 && !find((unsigned long)p, &l));
    p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_STR(at(p).perm, "---p");
    return done();
}
