// SPDX-License-Identifier: MIT
// `..` is the parent of the directory reached, not of the text: through links, from dirfds,
// after moves, at the root, and never without a directory before it.
// covers: open, openat, stat, chdir, mkdir, rename
#include "check.h"

static ino_t ino_at(int dir, const char *path)
{
    struct stat st;

    CHECK_EQ(fstatat(dir, path, &st, 0), 0);
    return st.st_ino;
}

int main(void)
{
    char up[1024] = "", cwd[4096], path[8192];
    int dir;

    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("x", 0755) | mkdir("x/y", 0755), 0);
    put_file("a/f", "in a");
    put_file("x/f", "in x");
    CHECK_EQ(symlink("../x/y", "a/link"), 0);
    CHECK_STR(get_file("a/b/../f"), "in a");
    CHECK_STR(get_file("a/link/../f"), "in x");
    CHECK_STR(get_file("a/b/../link/../../a/f"), "in a");
    CHECK_ERR(open("a/missing/../f", O_RDONLY), ENOENT);
    CHECK_ERR(open("a/f/../f", O_RDONLY), ENOTDIR);
    CHECK_EQ(symlink("..", "a/b/up"), 0);
    CHECK_STR(get_file("a/b/up/f"), "in a");
    CHECK_STR(get_file("a/b/up/../x/f"), "in x");
    CHECK_EQ(mkdir("a/b/../new", 0700), 0);
    CHECK_EQ(access("a/new", F_OK), 0);

    dir = OK(open("a/b", O_PATH));
    CHECK_EQ(ino_at(dir, ".."), ino_at(AT_FDCWD, "a"));
    CHECK_EQ(ino_at(dir, "../.."), ino_at(AT_FDCWD, "."));
    CHECK_EQ(rename("a/b", "x/y/b"), 0);
    CHECK_EQ(ino_at(dir, ".."), ino_at(AT_FDCWD, "x/y"));
    CHECK_EQ(ino_at(dir, "../../f"), ino_at(AT_FDCWD, "x/f"));
    CHECK_EQ(rename("x", "a/x"), 0);
    CHECK_EQ(ino_at(dir, "../../../f"), ino_at(AT_FDCWD, "a/f"));

    // From the working directory as well; then removed: `..` still works.
    CHECK_EQ(fchdir(dir), 0);
    CHECK_EQ(ino_at(AT_FDCWD, "../../f"), ino_at(AT_FDCWD, "../../../x/f"));
    CHECK_EQ(unlink("up") | rmdir("../b"), 0);
    CHECK_EQ(ino_at(dir, "../../f"), ino_at(AT_FDCWD, "../../../x/f"));
    CHECK_EQ(chdir("../../../.."), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);

    // The root is its own parent, however often.
    CHECK_EQ(stat_of("/..").st_ino, stat_of("/").st_ino);
    for (int i = 0; i < 300; i++)
        strcat(up, "../");
    CHECK_EQ(ino_at(AT_FDCWD, up), stat_of("/").st_ino);
    snprintf(path, sizeof(path), "%s%s/a/f", up, cwd);
    CHECK_STR(get_file(path), "in a");
    CHECK_EQ(access("/../..", X_OK), 0);
    dir = OK(open("/", O_PATH));
    CHECK_EQ(ino_at(dir, "../../.."), stat_of("/").st_ino);
    return done();
}
