// SPDX-License-Identifier: MIT
// mmap and munmap: hints, MAP_FIXED over what is there, MAP_FIXED_NOREPLACE, file offsets, private
// and shared, holes cut by munmap, MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE, MAP_STACK, MAP_32BIT,
// MAP_GROWSDOWN, zero length, and the errors.
// covers: mmap, munmap
#include "sig.h"
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void *map(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
    return mmap(at, len, prot, flags, fd, off);
}

static int mapped(char *p)
{
    unsigned char v;

    return mincore(p, 4096, &v) == 0;
}

static char *ok(void *p)
{
    CHECK(p != MAP_FAILED && (uintptr_t)p % 4096 == 0);
    return p;
}

int main(void)
{
    int fd = OK(open("file", O_RDWR | O_CREAT, 0600)), ro, wo, dir;
    char *p, *q, buf[8192];

    CHECK_ERR(map(NULL, 0, RW, ANON, -1, 0), EINVAL);
    CHECK_ERR(map(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0), EINVAL); // neither private nor shared
    CHECK_ERR(map(NULL, 4096, RW, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERR(map(NULL, 4096, RW, MAP_PRIVATE, fd, 100), EINVAL);
    CHECK_ERR(map((void *)100, 4096, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERR(map(NULL, 1ul << 60, RW, ANON, -1, 0), ENOMEM);
    CHECK_ERR(map(NULL, -1ul, RW, ANON, -1, 0), ENOMEM);
    CHECK_ERR(map((void *)(1ul << 50), 4096, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERR(map(NULL, 4096, RW, MAP_SHARED, fd, 0x7ffffffffffff000), EOVERFLOW);
    ro = OK(open("file", O_RDONLY));
    wo = OK(open("file", O_WRONLY));
    dir = OK(open(".", O_RDONLY));
    CHECK_ERR(map(NULL, 4096, RW, MAP_SHARED, ro, 0), EACCES);
    CHECK_ERR(map(NULL, 4096, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
    CHECK_ERR(map(NULL, 4096, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    CHECK_ERR(map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);

    // Fresh memory is zero and of whole pages.
    p = ok(map(NULL, 5000, RW, ANON, -1, 12345 * 4096));
    for (int i = 0; i < 8192; i++)
        CHECK(p[i] == 0);
    memset(p, 1, 8192);
    // A hint: taken where free, passed over where not.
    q = ok(map(p, 4096, RW, ANON, -1, 0));
    CHECK(q != p && p[0] == 1);
    CHECK(munmap(q, 4096) == 0);
    q = ok(map(q, 4096, RW, ANON, -1, 0));
    // Fixed: replaces; not replacing: EEXIST.
    CHECK(map(p + 4096, 4096, RW, ANON | MAP_FIXED, -1, 0) == p + 4096);
    CHECK(p[0] == 1 && p[4096] == 0);
    CHECK_ERR(map(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_ERR(map(p - 4096, 8192, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK(munmap(p, 8192) == 0 && munmap(p, 8192) == 0); // nothing there is no error
    CHECK(map(p, 8192, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p);

    // Holes.
    p = ok(map(NULL, 5 * 4096, RW, ANON, -1, 0));
    for (int i = 0; i < 5; i++)
        p[i * 4096] = i;
    CHECK(munmap(p + 4096, 4096) == 0 && munmap(p + 3 * 4096, 1) == 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(mapped(p + i * 4096), i != 1 && i != 3);
        if (i != 1 && i != 3)
            CHECK_EQ(p[i * 4096], i);
    }
    CHECK_ERR(munmap(p + 1, 4096), EINVAL);
    CHECK_ERR(munmap(p, 0), EINVAL);
    CHECK_ERR(munmap((void *)(1ul << 62), 4096), EINVAL);

    // Files: private copies, shared writes, offsets, the tail of the last page.
    for (size_t i = 0; i < sizeof(buf); i++)
        buf[i] = (char)(i / 4096 + 'a');
    CHECK(write(fd, buf, 6000) == 6000);
    p = ok(map(NULL, 8192, RW, MAP_PRIVATE, fd, 0));
    q = ok(map(NULL, 8192, RW, MAP_SHARED, fd, 0));
    CHECK(p[0] == 'a' && p[5999] == 'b' && p[6000] == 0);
    p[0] = 'P';
    q[1] = 'S';
    CHECK(pread(fd, buf, 2, 0) == 2 && buf[0] == 'a' && buf[1] == 'S');
    CHECK(q[0] == 'a' && p[1] == 'a'); // copied before the write
    CHECK(pwrite(fd, "W", 1, 4096) == 1 && q[4096] == 'W' && p[4096] == 'W');
    close(fd); // the mapping stays
    q[2] = 'T';
    CHECK(pread(ro, buf, 3, 0) == 3 && buf[2] == 'T');
    p = ok(map(NULL, 4096, PROT_READ, MAP_SHARED, ro, 4096));
    CHECK(p[0] == 'W');

    // Flags that change nothing one can see here.
    p = ok(map(NULL, 65536, RW, ANON | MAP_POPULATE | MAP_NORESERVE | MAP_STACK, -1, 0));
    p[65535] = 1;
    p = ok(map(NULL, 4096, RW, ANON | MAP_LOCKED, -1, 0));
    p[0] = 1;
    p = ok(map(NULL, 4096, RW, ANON | MAP_32BIT, -1, 0));
    CHECK((uintptr_t)p < 1ul << 32);
    p = ok(map(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(p[0] == 0);
    p = ok(map(NULL, 4096, PROT_NONE, ANON, -1, 0));
    // Grows down on a touch just below, as stacks do.
    p = ok(map(NULL, 1 << 20, PROT_NONE, ANON, -1, 0));
    CHECK(munmap(p, 1 << 20) == 0);
    q = p + (1 << 20) - 4096;
    CHECK(map(q, 4096, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) == q);
    for (int i = 1; i < 20; i++)
        q[-i * 4096] = 5;
    CHECK(q[-19 * 4096] == 5 && mapped(q - 4096));
    return done();
}
