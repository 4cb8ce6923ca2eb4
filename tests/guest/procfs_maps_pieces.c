// SPDX-License-Identifier: MIT
// Text in many mappings: each shows its file and offset, and the list is not made by reading it
// anew for each.
// covers: open, read, madvise
#include "check.h"
#include <sys/mman.h>

static char maps[1 << 20];

static void load(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    size_t len = 0;
    ssize_t n;

    while ((n = OK(read(fd, maps + len, 8192))) > 0)
        len += n;
    CHECK_EQ(close(fd), 0);
    maps[len] = 0;
}

// Read calls that the process has made; -1: the kernel does not count.
static long reads(void)
{
    char text[256];
    int fd = open("/proc/self/io", O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return -1;
    text[n] = 0;
    const char *at = strstr(text, "syscr: ");
    return at ? atol(at + 7) : -1;
}

// What the entry of an address says.
struct entry {
    unsigned long from, to, offset, inode;
};

static struct entry entry_of(unsigned long at)
{
    struct entry e = {0};

    for (char *s = maps; *s; s = strchr(s, '\n') + 1) {
        CHECK_EQ(sscanf(s, "%lx-%lx %*4s %lx %*s %lu", &e.from, &e.to, &e.offset, &e.inode), 4);
        if (at >= e.from && at < e.to)
            return e;
    }
    CHECK(!"it is mapped");
    return e;
}

int main(void)
{
    load("/proc/self/maps");
    struct entry text = entry_of((unsigned long)main);
    for (unsigned long at = text.from; at < text.to; at += 8192)
        CHECK_EQ(madvise((void *)at, 4096, MADV_RANDOM), 0);

    long before = reads();
    load("/proc/self/maps");
    long after = reads();
    CHECK(before < 0 || after - before < 60); // 1 to 10 for each 4 KiB of the list
    for (unsigned long at = text.from; at < text.to; at += 4096) {
        struct entry e = entry_of(at);
        CHECK_EQ(e.from, at);
        CHECK_EQ(e.to, at + 4096);
        CHECK_EQ(e.inode, text.inode);
        CHECK_EQ(e.offset, text.offset + (at - text.from));
    }
    return done();
}
