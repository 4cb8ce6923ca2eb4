// SPDX-License-Identifier: MIT
// rename of directories: onto empty ones only, never below itself, `.` and `..` refused, `..` of
// the moved one and link counts follow.
// covers: rename, renameat
// trap: not overlay: the root is another mount than the working directory there (EXDEV)
#include "check.h"

int main(void)
{
    ino_t ino;

    CHECK_EQ(mkdir("a", 0755) | mkdir("a/sub", 0755) | mkdir("b", 0755) | mkdir("full", 0755), 0);
    put_file("a/f", "data");
    put_file("full/g", "");
    put_file("file", "");
    CHECK_EQ(symlink("a", "link"), 0);
    ino = stat_of("a").st_ino;
    CHECK_ERR(rename("a", "full"), ENOTEMPTY);
    CHECK_ERR(rename("a", "file"), ENOTDIR);
    CHECK_ERR(rename("file", "b"), EISDIR);
    CHECK_ERR(rename("a", "a/sub/x"), EINVAL);
    CHECK_ERR(rename("a", "a/x"), EINVAL);
    CHECK_ERR(rename("a/sub", "a"), ENOTEMPTY);
    CHECK_ERR(rename("a/.", "x"), EBUSY);
    CHECK_ERR(rename("a/sub/..", "x"), EBUSY);
    CHECK_ERR(rename("b", "a/."), EBUSY);
    CHECK_ERR(rename(".", "x"), EBUSY);
    CHECK_ERR(rename("/", "x"), EBUSY);
    CHECK_ERR(rename("a", "link"), ENOTDIR);
    CHECK_ERR(rename("link/", "x"), ENOTDIR);
    CHECK_EQ(rename("a", "a"), 0);

    CHECK_EQ(rename("a", "b"), 0);
    CHECK_EQ(stat_of("b").st_ino, ino);
    CHECK_STR(get_file("b/f"), "data");
    CHECK_EQ(rename("b/", "c/"), 0);

    // Into another directory: `..` and both link counts change.
    CHECK_EQ(stat_of("full").st_nlink, 2);
    CHECK_EQ(rename("c/sub", "full/sub"), 0);
    CHECK_EQ(stat_of("full").st_nlink, 3);
    CHECK_EQ(stat_of("c").st_nlink, 2);
    CHECK_EQ(stat_of("full/sub/..").st_ino, stat_of("full").st_ino);
    CHECK_EQ(access("full/sub/../g", F_OK), 0);
    // The current directory itself.
    CHECK_EQ(chdir("full/sub"), 0);
    CHECK_EQ(rename("../../full", "../../moved"), 0);
    CHECK_EQ(access("../g", F_OK), 0);
    CHECK_EQ(access("../../moved/sub", F_OK), 0);
    CHECK_EQ(rename("../sub", "../../c/sub"), 0);
    CHECK_STR(get_file("../f"), "data");
    return done();
}
