// SPDX-License-Identifier: MIT
// copy_file_range copies between files with either offset, stops at the end, and checks its
// files.
// covers: copy_file_range
#include "check.h"

int main(void)
{
    int in, out, p[2];
    loff_t from = 2, to = 4;

    put_file("f", "0123456789");
    in = OK(open("f", O_RDWR));
    out = OK(open("g", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 4, 0), 4);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 4);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 4);
    CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
    CHECK_EQ(from, 5);
    CHECK_EQ(to, 7);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 4);
    CHECK_STR(get_file("g"), "0123234");
    from = 8;
    CHECK_EQ(copy_file_range(in, &from, out, NULL, 100, 0), 2);
    CHECK_STR(get_file("g"), "0123894");
    CHECK_EQ(copy_file_range(in, &from, out, NULL, 100, 0), 0);

    // Within one file, but not onto itself.
    from = 0, to = 10;
    CHECK_EQ(copy_file_range(in, &from, in, &to, 5, 0), 5);
    CHECK_STR(get_file("f"), "012345678901234");
    from = 0, to = 3;
    CHECK_ERR(copy_file_range(in, &from, in, &to, 5, 0), EINVAL);

    CHECK_ERR(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
    CHECK_ERR(copy_file_range(in, NULL, OK(open("g", O_RDONLY)), NULL, 1, 0), EBADF);
    CHECK_ERR(copy_file_range(in, NULL, OK(open("g", O_WRONLY | O_APPEND)), NULL, 1, 0), EBADF);
    CHECK_ERR(copy_file_range(OK(open(".", O_RDONLY)), NULL, out, NULL, 1, 0), EISDIR);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(copy_file_range(p[0], NULL, out, NULL, 1, 0), EINVAL);
    return done();
}
