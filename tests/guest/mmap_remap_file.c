// SPDX-License-Identifier: MIT
// Mappings of files can be moved, grown, replaced in the middle and taken apart.
// covers: mremap, mmap, munmap, mincore, madvise, remap_file_pages
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    unsigned char core[4];
    char *map, *at;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pwrite(fd, &"abcd"[i], 1, i * 4096), 1);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    CHECK(map != MAP_FAILED);
    map = mremap(map, 4096, 3 * 4096, MREMAP_MAYMOVE);
    CHECK(map != MAP_FAILED);
    CHECK(map[0] == 'b' && map[4096] == 'c' && map[8192] == 'd');
    CHECK_EQ(mincore(map, 3 * 4096, core), 0);
    CHECK(core[0] & 1 && core[2] & 1);

    // The middle page is replaced by another part of the file.
    at = mmap(map + 4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
    CHECK(at == map + 4096);
    CHECK(map[0] == 'b' && map[4096] == 'a' && map[8192] == 'd');
    CHECK(mmap(map, 4096, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == MAP_FAILED);
    CHECK_EQ(errno, EEXIST);
    CHECK_EQ(munmap(map + 4096, 4096), 0);
    CHECK(map[0] == 'b' && map[8192] == 'd');
    CHECK_ERR(mincore(map, 3 * 4096, core), ENOMEM);

    // To a chosen place.
    at = mremap(map + 8192, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, map + 4096);
    CHECK(at == map + 4096);
    CHECK_EQ(map[4096], 'd');
    map[0] = 'B';
    CHECK_EQ(madvise(map, 4096, MADV_DONTNEED), 0);
    CHECK_EQ(map[0], 'B');
    CHECK_EQ(munmap(map, 2 * 4096), 0);

    // Non-linear order of pages, emulated by the kernel since Linux 4.0.
    map = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_EQ(remap_file_pages(map, 4096, 0, 3, 0), 0);
    CHECK_EQ(remap_file_pages(map + 4096, 4096, 0, 0, 0), 0);
    CHECK(map[0] == 'd' && map[4096] == 'a');
    return done();
}
