// SPDX-License-Identifier: MIT
// A dirfd names a directory, not a path: it follows renames, and only relative paths look at it.
// covers: openat, mkdirat, unlinkat
#include "check.h"

int main(void)
{
    char cwd[4096], path[4200];
    int dir, fd, file;

    CHECK_EQ(mkdir("a", 0755), 0);
    CHECK_EQ(mkdir("b", 0755), 0);
    put_file("a/f", "in a");
    put_file("b/f", "in b");
    dir = OK(open("a", O_RDONLY | O_DIRECTORY));
    file = OK(open("a/f", O_RDONLY));
    fd = OK(openat(dir, "f", O_RDONLY));
    CHECK_STR(get_fd(fd), "in a");
    fd = OK(openat(AT_FDCWD, "b/f", O_RDONLY));
    CHECK_STR(get_fd(fd), "in b");
    fd = OK(openat(dir, "../b/f", O_RDONLY));
    CHECK_STR(get_fd(fd), "in b");

    // An absolute path does not look at the descriptor at all.
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(path, sizeof(path), "%s/b/f", cwd);
    fd = OK(openat(-42, path, O_RDONLY));
    CHECK_STR(get_fd(fd), "in b");
    CHECK_ERR(openat(-42, "f", O_RDONLY), EBADF);
    CHECK_ERR(openat(999, "f", O_RDONLY), EBADF);
    CHECK_ERR(openat(file, "f", O_RDONLY), ENOTDIR);
    CHECK_ERR(openat(dir, "", O_RDONLY), ENOENT);

    CHECK_EQ(rename("a", "b/moved"), 0);
    fd = OK(openat(dir, "f", O_RDONLY));
    CHECK_STR(get_fd(fd), "in a");
    fd = OK(openat(dir, "../f", O_RDONLY));
    CHECK_STR(get_fd(fd), "in b");
    CHECK_EQ(mkdirat(dir, "sub", 0700), 0);
    CHECK(S_ISDIR(stat_of("b/moved/sub").st_mode));

    // A removed directory stays open, and nothing can be made in it.
    CHECK_EQ(unlinkat(dir, "sub", AT_REMOVEDIR), 0);
    CHECK_EQ(unlinkat(dir, "f", 0), 0);
    CHECK_EQ(rmdir("b/moved"), 0);
    CHECK_ERR(openat(dir, "new", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_ERR(mkdirat(dir, "new", 0700), ENOENT);
    return done();
}
