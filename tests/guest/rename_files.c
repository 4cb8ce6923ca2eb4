// SPDX-License-Identifier: MIT
// rename of files: replacing, hard links of one inode, links themselves, open files, slashes.
// covers: rename, renameat
#include "check.h"

int main(void)
{
    int fd, dir;
    ino_t ino;

    put_file("a", "A");
    put_file("b", "B");
    ino = stat_of("a").st_ino;
    fd = OK(open("b", O_RDONLY));
    CHECK_EQ(syscall(SYS_rename, "a", "b"), 0);
    CHECK_ERR(access("a", F_OK), ENOENT);
    CHECK_EQ(stat_of("b").st_ino, ino);
    CHECK_STR(get_fd(fd), "B");
    CHECK_STR(get_file("b"), "A");

    // Two names of one inode: nothing happens, both stay.
    CHECK_EQ(link("b", "c"), 0);
    CHECK_EQ(rename("b", "c"), 0);
    CHECK_EQ(stat_of("b").st_nlink, 2);
    CHECK_EQ(stat_of("c").st_ino, stat_of("b").st_ino);
    CHECK_EQ(rename("b", "b"), 0);

    CHECK_EQ(symlink("c", "s"), 0);
    CHECK_EQ(rename("s", "t"), 0);
    CHECK(S_ISLNK(stat_of("t").st_mode));
    put_file("u", "U");
    CHECK_EQ(rename("u", "t"), 0);
    CHECK(S_ISREG(stat_of("t").st_mode));
    CHECK_STR(get_file("c"), "A");

    CHECK_EQ(mkdir("d", 0755), 0);
    dir = OK(open("d", O_PATH));
    CHECK_EQ(syscall(SYS_renameat, AT_FDCWD, "t", dir, "x"), 0);
    CHECK_STR(get_file("d/x"), "U");
    CHECK_EQ(renameat(dir, "x", dir, "y"), 0);
    CHECK_EQ(mkfifo("p", 0600), 0);
    CHECK_EQ(rename("p", "d/y"), 0);
    CHECK(S_ISFIFO(stat_of("d/y").st_mode));

    CHECK_ERR(rename("missing", "x"), ENOENT);
    CHECK_ERR(rename("c", "missing/x"), ENOENT);
    CHECK_ERR(rename("", "x"), ENOENT);
    CHECK_ERR(rename("c", ""), ENOENT);
    CHECK_ERR(rename("c/x", "y"), ENOTDIR);
    CHECK_ERR(rename("c", "c/x"), ENOTDIR);
    CHECK_ERR(rename("c", "d"), EISDIR);
    CHECK_ERR(rename("c", "new/"), ENOTDIR);
    CHECK_ERR(rename("c/", "new"), ENOTDIR);
    CHECK_ERR(renameat(99, "c", dir, "x"), EBADF);
    CHECK_ERR(renameat(AT_FDCWD, "c", 99, "x"), EBADF);
    CHECK_ERR(rename("c", "/proc/x"), EXDEV);
    return done();
}
