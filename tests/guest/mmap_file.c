// SPDX-License-Identifier: MIT
// File mappings: shared ones are the file, private ones are copies, offsets select pages, and
// they outlive descriptor and name.
// covers: mmap, munmap, msync, mprotect
#include "check.h"
#include <sys/mman.h>

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

static char *map_of(int fd, int prot, int flags, off_t off)
{
    char *map = mmap(NULL, 4096, prot, flags, fd, off);

    CHECK(map != MAP_FAILED);
    return map;
}

int main(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), ro, p[2];
    char *shared, *private, *second, text[8] = "";

    CHECK_EQ(ftruncate(fd, 3 * 4096), 0);
    CHECK_EQ(pwrite(fd, "second", 6, 4096), 6);
    shared = map_of(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    private = map_of(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    second = map_of(fd, PROT_READ, MAP_SHARED_VALIDATE, 4096);
    CHECK_STR(second, "second");
    strcpy(shared, "shared");
    CHECK_STR(private, "shared");
    CHECK_EQ(pread(fd, text, 6, 0), 6);
    CHECK_STR(text, "shared");
    strcpy(private, "mine");
    CHECK_STR(shared, "shared");
    CHECK_EQ(pwrite(fd, "written", 8, 0), 8);
    CHECK_STR(shared, "written");
    CHECK_STR(private, "mine");

    ro = OK(open("f", O_RDONLY));
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
    second = map_of(ro, PROT_READ, MAP_SHARED, 0);
    CHECK_ERR(mprotect(second, 4096, PROT_READ | PROT_WRITE), EACCES);
    map_of(ro, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0)[0] = 'x';
    ro = OK(open("f", O_WRONLY));
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ro, 0) == MAP_FAILED && errno == EACCES);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 100) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, 0, fd, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 1 << 23, fd, 0) == MAP_FAILED);
    CHECK_EQ(errno, EOPNOTSUPP);
    CHECK_EQ(pipe(p), 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED && errno == ENODEV);
    ro = OK(open(".", O_RDONLY));
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ro, 0) == MAP_FAILED && errno == ENODEV);

    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("f"), 0);
    CHECK_STR(shared, "written");
    CHECK_EQ(munmap(shared, 4096), 0);
    CHECK_STR(second, "written");
    return done();
}
