// SPDX-License-Identifier: MIT
// A trailing slash asks for a directory and makes a link at the end be followed; what each call
// says to it. Also repeated slashes and dots.
// covers: open, stat, lstat, link, linkat, mkdir, unlink, rmdir, rename, mknod, chdir
#include <limits.h>

#include "check.h"

int main(void)
{
    struct stat st;
    char path[PATH_MAX];

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    CHECK_EQ(symlink("d", "dlink") | symlink("d/f", "flink") | symlink("d/", "dslash"), 0);
    CHECK_EQ(symlink("missing", "dead"), 0);
    OK(getcwd(path, sizeof(path) - 8));
    strcat(path, "/d");
    CHECK_EQ(symlink(path, "absolute"), 0);
    strcat(path, "/f");
    CHECK_EQ(symlink(path, "afile"), 0);

    CHECK_STR(get_file(".//d///f"), "data");
    CHECK_STR(get_file("d/./../d/.//f"), "data");
    CHECK_STR(get_file("dslash/f"), "data");
    CHECK_ERR(open("d/f/", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("d/f/.", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("d/f/..", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("flink/", O_RDONLY), ENOTDIR);
    OK(open("d/", O_RDONLY));
    OK(open("dlink/", O_RDONLY));
    OK(open("d/.", O_RDONLY));
    CHECK_ERR(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
    CHECK_ERR(open("d/f/", O_RDWR | O_CREAT, 0600), EISDIR);
    CHECK_ERR(open("missing/", O_RDONLY), ENOENT);

    CHECK_EQ(lstat("dlink/", &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_EQ(lstat("dlink/.", &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_EQ(lstat("dslash", &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_ERR(lstat("flink/", &st), ENOTDIR);
    CHECK_ERR(lstat("dead/", &st), ENOENT);
    CHECK_EQ(chdir("dlink//"), 0);
    CHECK_EQ(chdir("..//."), 0);

    CHECK_ERR(mkdir("dead/", 0700), EEXIST);
    CHECK_ERR(mkdir("dlink/", 0700), EEXIST);
    CHECK_ERR(mkdir("d/f/", 0700), EEXIST);
    CHECK_ERR(mknod("new/", S_IFIFO | 0600, 0), ENOENT);
    CHECK_ERR(unlink("d/f/"), ENOTDIR);
    CHECK_ERR(unlink("flink/"), ENOTDIR);
    CHECK_ERR(rmdir("dlink/"), ENOTDIR);
    CHECK_ERR(rename("d/f", "new/"), ENOTDIR);
    CHECK_ERR(rename("d/f/", "new"), ENOTDIR);
    CHECK_ERR(chmod("flink/", 0600), ENOTDIR);
    CHECK_ERR(chmod("flink/.", 0600), ENOTDIR);
    CHECK_EQ(chmod("dlink/.", 0755), 0);
    CHECK_EQ(chmod("absolute/.", 0755), 0);
    CHECK_ERR(link("flink/.", "new"), ENOTDIR);
    CHECK_ERR(link("afile/.", "new"), ENOTDIR);
    CHECK_ERR(linkat(AT_FDCWD, "afile/.", AT_FDCWD, "new", AT_SYMLINK_FOLLOW), ENOTDIR);
    CHECK_ERR(link("absolute/.", "new"), EPERM);
    CHECK_ERR(truncate("d/f/", 0), ENOTDIR);
    CHECK_ERR(access("d/f/", F_OK), ENOTDIR);
    CHECK_STR(get_file("d/f"), "data");
    CHECK_EQ(rename("d/", "e"), 0);
    CHECK_EQ(rename("e", "g/"), 0);
    CHECK_STR(get_file("g/f"), "data");
    return done();
}
