// SPDX-License-Identifier: MIT
// truncate and ftruncate cut and extend with zeros; which objects and descriptors they refuse.
// covers: truncate, ftruncate
#include "check.h"

int main(void)
{
    char text[8];
    int fd, p[2];

    put_file("f", "abcdef");
    CHECK_EQ(symlink("f", "s"), 0);
    CHECK_EQ(truncate("s", 3), 0);
    CHECK_STR(get_file("f"), "abc");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(ftruncate(fd, 6), 0);
    CHECK_EQ(pread(fd, text, 8, 0), 6);
    CHECK(memcmp(text, "abc\0\0\0", 6) == 0);
    CHECK_EQ(ftruncate(fd, 1), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(read(fd, text, 8), 0);
    CHECK_EQ(ftruncate(fd, 1l << 33), 0);
    CHECK_EQ(stat_of("f").st_size, 1l << 33);

    CHECK_ERR(truncate("f", -1), EINVAL);
    CHECK_ERR(ftruncate(fd, -1), EINVAL);
    CHECK_ERR(truncate(".", 0), EISDIR);
    CHECK_ERR(truncate("missing", 0), ENOENT);
    CHECK_ERR(truncate("f/x", 0), ENOTDIR);
    CHECK_ERR(truncate("", 0), ENOENT);
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_ERR(truncate("fifo", 0), EINVAL);
    CHECK_ERR(ftruncate(OK(open("f", O_RDONLY)), 0), EINVAL);
    CHECK_ERR(ftruncate(OK(open(".", O_RDONLY)), 0), EINVAL);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(ftruncate(p[1], 0), EINVAL);
    CHECK_ERR(ftruncate(-1, 0), EBADF);

    // A descriptor opened for writing keeps its right after chmod and unlink.
    CHECK_EQ(chmod("f", 0), 0);
    CHECK_EQ(unlink("f"), 0);
    CHECK_EQ(ftruncate(fd, 2), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 2);
    return done();
}
