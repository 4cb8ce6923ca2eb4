// SPDX-License-Identifier: MIT
// lseek: the three classic origins, limits, directories and devices; SEEK_DATA and SEEK_HOLE.
// covers: lseek
#include "check.h"

#define MIB (1 << 20)

int main(void)
{
    int fd, p[2];
    off_t data, hole;

    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
    CHECK_EQ(lseek(fd, -2, SEEK_CUR), 5);
    CHECK_ERR(lseek(fd, -6, SEEK_CUR), EINVAL);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
    CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
    CHECK_EQ(stat_of("f").st_size, 10);
    CHECK_ERR(lseek(fd, 0, 77), EINVAL);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);

    // 1 MiB of hole, 1 MiB of data. A file system without holes says it is all data.
    CHECK_EQ(ftruncate(fd, 0), 0);
    for (int i = 0; i < 16; i++) {
        static char block[MIB / 16] = "x";
        CHECK_EQ(pwrite(fd, block, sizeof(block), MIB + i * (MIB / 16)), MIB / 16);
    }
    data = lseek(fd, 0, SEEK_DATA);
    CHECK(data == MIB || data == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), data);
    hole = lseek(fd, 0, SEEK_HOLE);
    CHECK_EQ(hole, data ? 0 : 2 * MIB);
    CHECK_EQ(lseek(fd, MIB + 5, SEEK_DATA), MIB + 5);
    CHECK_EQ(lseek(fd, MIB + 5, SEEK_HOLE), 2 * MIB);
    CHECK_ERR(lseek(fd, 2 * MIB, SEEK_DATA), ENXIO);
    CHECK_ERR(lseek(fd, 2 * MIB + 5, SEEK_HOLE), ENXIO);
    CHECK_ERR(lseek(fd, -1, SEEK_DATA), ENXIO);

    fd = OK(open(".", O_RDONLY));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    fd = OK(open("/dev/null", O_RDWR));
    CHECK_EQ(lseek(fd, 55, SEEK_SET), 0);
    return done();
}
