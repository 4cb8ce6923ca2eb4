// SPDX-License-Identifier: MIT
// O_TRUNC empties what it opens; O_APPEND writes at the end wherever the offset is, pwrite too.
// covers: open, write, pwrite64, lseek
#include "check.h"

int main(void)
{
    int fd, other;

    put_file("f", "0123456789");
    fd = OK(open("f", O_WRONLY | O_TRUNC));
    CHECK_EQ(stat_of("f").st_size, 0);
    CHECK_EQ(write(fd, "abc", 3), 3);

    // Linux truncates for a reader as well.
    OK(open("f", O_RDONLY | O_TRUNC));
    CHECK_EQ(stat_of("f").st_size, 0);
    // The writer's offset stays: its next write leaves a hole.
    CHECK_EQ(write(fd, "d", 1), 1);
    CHECK_EQ(stat_of("f").st_size, 4);

    put_file("f", "base");
    fd = OK(open("f", O_RDWR | O_APPEND));
    other = OK(open("f", O_WRONLY | O_APPEND));
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(write(fd, "1", 1), 1);
    CHECK_EQ(write(other, "22", 2), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(write(fd, "3", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
    // A Linux peculiarity (pwrite(2), BUGS): the offset is ignored.
    CHECK_EQ(pwrite(fd, "4", 1, 0), 1);
    CHECK_STR(get_file("f"), "base12234");

    CHECK_ERR(open("missing", O_WRONLY | O_TRUNC), ENOENT);
    CHECK_ERR(open(".", O_RDONLY | O_TRUNC), EISDIR);
    // Access mode 3: for ioctl alone, but it cuts.
    put_file("three", "text");
    fd = OK(open("three", O_ACCMODE | O_TRUNC));
    CHECK_EQ(stat_of("three").st_size, 0);
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK_ERR(ftruncate(fd, 0), EINVAL);
    return done();
}
