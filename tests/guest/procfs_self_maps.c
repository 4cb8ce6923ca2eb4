// SPDX-License-Identifier: MIT
// /proc/self/maps: parses, in order, with the program's file, stack and heap, and shows what
// mmap and mprotect did; smaps and mem agree.
// covers: open, read, mmap, mprotect, munmap, brk
#include "check.h"
#include <sys/mman.h>

static char maps[1 << 16];

static void load(void)
{
    int fd = OK(open("/proc/self/maps", O_RDONLY));
    size_t len = 0;
    ssize_t n;

    while ((n = OK(read(fd, maps + len, sizeof(maps) - 1 - len))) > 0)
        len += n;
    CHECK_EQ(close(fd), 0);
    maps[len] = 0;
}

// The line of the address, cut out; its permissions and file offset.
static const char *line_of(const void *addr, char perms[5], unsigned long *off)
{
    static char line[8192];
    unsigned long from, to, last = 0, at = (unsigned long)addr;
    const char *found = NULL;

    load();
    for (char *s = maps; *s; s = strchr(s, '\n') + 1) {
        char p[5];
        unsigned long o;

        CHECK_EQ(sscanf(s, "%lx-%lx %4s %lx", &from, &to, p, &o), 4);
        CHECK(from < to && from >= last);
        last = to;
        if (at >= from && at < to) {
            snprintf(line, sizeof(line), "%.*s", (int)strcspn(s, "\n"), s);
            memcpy(perms, p, 5);
            *off = o;
            found = line;
        }
    }
    return found;
}

static int ends(const char *line, const char *with)
{
    size_t a = strlen(line), b = strlen(with);

    return a >= b && strcmp(line + a - b, with) == 0;
}

int main(void)
{
    unsigned long off;
    char perms[5], *map, byte;
    const char *line;
    int fd, mem;

    line = line_of(main, perms, &off);
    CHECK(line && ends(line, "/procfs_self_maps"));
    CHECK_STR(perms, "r-xp");
    line = line_of(&off, perms, &off);
    CHECK(line && ends(line, "[stack]"));
    CHECK_EQ(perms[1], 'w');
    CHECK(sbrk(8192) != (void *)-1);
    line = line_of((char *)sbrk(0) - 1, perms, &off);
    CHECK(line && ends(line, "[heap]"));
    CHECK_STR(perms, "rw-p");

    put_file("mapped", "");
    CHECK_EQ(truncate("mapped", 3 * 4096), 0);
    fd = OK(open("mapped", O_RDWR));
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 8192);
    CHECK(map != MAP_FAILED);
    line = line_of(map, perms, &off);
    CHECK(line && ends(line, "/mapped"));
    CHECK_STR(perms, "rw-s");
    CHECK_EQ(off, 8192);
    CHECK_EQ(unlink("mapped"), 0);
    CHECK_EQ(mprotect(map, 4096, PROT_READ), 0);
    line = line_of(map, perms, &off);
    CHECK(line && ends(line, "/mapped (deleted)"));
    CHECK_STR(perms, "r--s");
    CHECK_EQ(munmap(map, 4096), 0);
    CHECK(line_of(map, perms, &off) == NULL);

    mem = OK(open("/proc/self/mem", O_RDWR));
    CHECK_EQ(pread(mem, &byte, 1, (off_t) "text"), 1);
    CHECK_EQ(byte, 't');
    CHECK_EQ(pwrite(mem, "M", 1, (off_t)&byte), 1);
    CHECK_EQ(byte, 'M');
    CHECK_ERR(pread(mem, &byte, 1, (off_t)map), EIO);
    CHECK_EQ(access("/proc/self/smaps", R_OK), 0);
    return done();
}
