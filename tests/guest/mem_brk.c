// SPDX-License-Identifier: MIT
// brk: grows and shrinks by bytes, fresh pages are zero, impossible requests give the old break,
// the heap is named in /proc/self/maps, a fork has its own, execve starts a new one, RLIMIT_DATA
// counts.
// covers: brk
#include "exec.h"
#include <sys/mman.h>

static char *brk_to(void *to)
{
    return (char *)syscall(SYS_brk, to);
}

static int heap_line(unsigned long *from, unsigned long *to)
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    int found = 0;

    CHECK(f);
    while (fgets(line, sizeof(line), f))
        if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx rw-p", from, to) == 2)
            found++;
    fclose(f);
    return found;
}

int main(int argc, char **argv)
{
    char *start = brk_to(0), *end;
    unsigned long from, to;
    struct rlimit lim;
    pid_t pid;

    (void)argc;
    CHECK(start > (char *)sbrk && start == sbrk(0));
    CHECK(brk_to((char *)8) == start);
    CHECK(brk_to((char *)-1) == start);
    CHECK(brk_to((char *)(1ul << 62)) == start);
    CHECK(brk_to(start + 1) == start + 1);
    CHECK(brk_to(start + 100) == start + 100);
    memset(start, 1, 100);
    end = brk_to(start + 100000);
    CHECK(end == start + 100000);
    for (char *p = start + 100; p < end; p++)
        CHECK(*p == 0);
    memset(start, 2, 100000);
    CHECK(heap_line(&from, &to) == 1);
    CHECK(from <= (unsigned long)start && to >= (unsigned long)end &&
          to < (unsigned long)end + 8192);
    CHECK(brk_to(start + 4096) == start + 4096);
    CHECK(start[4095] == 2);
    CHECK(brk_to(end) == end);
    CHECK(start[4095] == 2 && start[12288] == 0 && end[-1] == 0); // given back, then fresh

    pid = OK(fork());
    if (pid == 0) {
        CHECK(brk_to(0) == end);
        start[0] = 7;
        CHECK(brk_to(end + 8192) == end + 8192);
        end[8000] = 1;
        _exit(0);
    }
    wait_ok(pid);
    CHECK(brk_to(0) == end && start[0] == 2);

    // Nothing may lie in the way.
    char *page = (char *)(((unsigned long)end + 65536) & -4096ul);
    CHECK(mmap(page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
          page);
    CHECK(brk_to(page + 1) == end);
    CHECK(brk_to(page - 8192) == page - 8192);
    CHECK(munmap(page, 4096) == 0);
    CHECK(brk_to(page + 8192) == page + 8192);

    CHECK(getrlimit(RLIMIT_DATA, &lim) == 0);
    lim.rlim_cur = 1 << 20;
    CHECK(setrlimit(RLIMIT_DATA, &lim) == 0);
    CHECK(brk_to(start + (4 << 20)) == page + 8192);
    CHECK_ERR((long)sbrk(4 << 20), ENOMEM);
    lim.rlim_cur = lim.rlim_max;
    CHECK(setrlimit(RLIMIT_DATA, &lim) == 0);
    CHECK(brk_to(start + (16 << 20)) == start + (16 << 20));
    start[(16 << 20) - 1] = 1;
    if (argc == 1) {
        execl("/proc/self/exe", argv[0], "again", NULL);
        CHECK(!"execl");
    }
    return done();
}
