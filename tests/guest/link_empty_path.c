// SPDX-License-Identifier: MIT
// linkat with AT_EMPTY_PATH gives an open file another name (root, or since 6.10 its opener).
// covers: linkat
// needs: root
#include "check.h"

int main(void)
{
    int fd, path;

    put_file("f", "data");
    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH), 0);
    CHECK_EQ(stat_of("g").st_ino, stat_of("f").st_ino);
    path = OK(open("f", O_PATH));
    CHECK_EQ(linkat(path, "", AT_FDCWD, "h", AT_EMPTY_PATH), 0);
    CHECK_EQ(stat_of("f").st_nlink, 3);
    CHECK_ERR(linkat(fd, "", AT_FDCWD, "i", 0), ENOENT);
    CHECK_ERR(linkat(OK(open(".", O_RDONLY)), "", AT_FDCWD, "i", AT_EMPTY_PATH), EPERM);
    // A file whose last name is gone cannot come back.
    CHECK_EQ(unlink("f") | unlink("g") | unlink("h"), 0);
    CHECK_ERR(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH), ENOENT);

    fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
    CHECK_EQ(write(fd, "tmp", 3), 3);
    CHECK_EQ(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH), 0);
    CHECK_STR(get_file("named"), "tmp");
    return done();
}
