// SPDX-License-Identifier: MIT
// pread and pwrite leave the offset alone, read holes as zeros, and refuse what cannot seek.
// covers: pread64, pwrite64, lseek
#include "check.h"

int main(void)
{
    char text[16];
    int fd, p[2];

    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(pwrite(fd, "Z", 1, 10), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(stat_of("f").st_size, 11);
    CHECK_EQ(pread(fd, text, sizeof(text), 0), 11);
    CHECK(memcmp(text, "abc\0\0\0\0\0\0\0Z", 11) == 0);
    CHECK_EQ(pread(fd, text, 4, 9), 2);
    CHECK_EQ(pread(fd, text, 4, 11), 0);
    CHECK_EQ(pread(fd, text, 4, 1l << 40), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_ERR(pread(fd, text, 1, -1), EINVAL);
    CHECK_ERR(pwrite(fd, text, 1, -1), EINVAL);
    CHECK_EQ(pwrite(fd, "far", 3, 1l << 33), 3);
    CHECK_EQ(stat_of("f").st_size, (1l << 33) + 3);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(pread(p[0], text, 1, 0), ESPIPE);
    CHECK_ERR(pwrite(p[1], text, 1, 0), ESPIPE);
    CHECK_ERR(pwrite(OK(open("f", O_RDONLY)), text, 1, 0), EBADF);
    return done();
}
