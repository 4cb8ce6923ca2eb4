// SPDX-License-Identifier: MIT
// read and write: short reads, end of file, nothing to do, and bad arguments.
// covers: read, write
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    size_t page = sysconf(_SC_PAGESIZE);
    char text[32] = "", *map;
    int fd, p[2];

    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "hello world", 11), 11);
    CHECK_EQ(read(fd, text, 5), 0);
    CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
    CHECK_EQ(read(fd, text, sizeof(text)), 5);
    CHECK_STR(text, "world");
    CHECK_EQ(read(fd, text, sizeof(text)), 0);
    CHECK_EQ(read(fd, NULL, 0), 0);
    CHECK_EQ(write(fd, NULL, 0), 0);
    CHECK_EQ(stat_of("f").st_size, 11);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERR(read(fd, bad_ptr, 4), EFAULT);
    CHECK_ERR(write(fd, bad_ptr, 4), EFAULT);
    CHECK_ERR(syscall(SYS_read, fd, text, -1l), EFAULT);

    // A buffer that ends in the middle: what fits is transferred.
    map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    CHECK_EQ(munmap(map + page, page), 0);
    CHECK_EQ(pipe(p), 0);
    memset(map, 'x', page);
    CHECK_EQ(write(p[1], map + page - 4, 4), 4);
    CHECK_ERR(write(p[1], map + page, 4), EFAULT);
    CHECK_EQ(read(p[0], map + page - 4, 100), 4);

    // Text mapped read-only cannot take input, and stays as it is.
    CHECK_EQ(mprotect(map, page, PROT_READ), 0);
    CHECK_ERR(read(fd, map, 4), EFAULT);
    CHECK_EQ(map[0], 'x');
    CHECK_ERR(read(OK(open(".", O_RDONLY)), text, 1), EISDIR);
    return done();
}
