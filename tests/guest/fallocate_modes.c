// SPDX-License-Identifier: MIT
// fallocate extends, reserves beyond the end, and punches holes that read as zeros.
// covers: fallocate
#include "check.h"
#include <linux/falloc.h>

int main(void)
{
    static char block[16384], zero[4096];
    int fd, p[2];

    memset(block, 'x', sizeof(block));
    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(fallocate(fd, 0, 0, 8192), 0);
    CHECK_EQ(stat_of("f").st_size, 8192);
    CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8192, 8192), 0);
    CHECK_EQ(stat_of("f").st_size, 8192);
    CHECK_EQ(pwrite(fd, block, sizeof(block), 0), sizeof(block));
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
    CHECK_EQ(pread(fd, block, 4096, 4096), 4096);
    CHECK(memcmp(block, zero, 4096) == 0);
    CHECK_EQ(pread(fd, block, 1, 4095), 1);
    CHECK_EQ(block[0], 'x');
    CHECK_EQ(pread(fd, block, 1, 8192), 1);
    CHECK_EQ(block[0], 'x');
    CHECK_EQ(stat_of("f").st_size, 16384);

    CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERR(fallocate(fd, 0, -1, 1), EINVAL);
    CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096), EOPNOTSUPP);
    CHECK_ERR(fallocate(fd, 1 << 20, 0, 4096), EOPNOTSUPP);
    CHECK_ERR(fallocate(OK(open("f", O_RDONLY)), 0, 0, 1), EBADF);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(fallocate(p[1], 0, 0, 1), ESPIPE);
    CHECK_ERR(fallocate(OK(open("/dev/null", O_RDWR)), 0, 0, 1), ENODEV);
    CHECK_EQ(posix_fallocate(fd, 0, 20000), 0);
    CHECK_EQ(stat_of("f").st_size, 20000);
    return done();
}
