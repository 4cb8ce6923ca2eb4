// SPDX-License-Identifier: MIT
// O_NOFOLLOW refuses a symlink as the last component only; with O_PATH it opens the link itself.
// covers: open, openat, fstat, readlinkat
#include "check.h"

int main(void)
{
    char text[16] = "";
    struct stat st;
    int fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    CHECK_EQ(symlink("d/f", "flink"), 0);
    CHECK_EQ(symlink("d", "dlink"), 0);
    CHECK_EQ(symlink("nowhere", "dangling"), 0);

    CHECK_ERR(open("flink", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open("dangling", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open("dangling", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP);
    CHECK_ERR(open("dlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    CHECK_STR(get_file("flink"), "data");
    fd = OK(open("dlink/f", O_RDONLY | O_NOFOLLOW));
    CHECK_STR(get_fd(fd), "data");
    // A trailing slash makes the link a directory in the middle of the path.
    fd = OK(open("dlink/", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISDIR(st.st_mode));

    fd = OK(open("dangling", O_PATH | O_NOFOLLOW));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_EQ(st.st_size, 7);
    CHECK_EQ(readlinkat(fd, "", text, sizeof(text)), 7);
    CHECK_STR(text, "nowhere");
    CHECK_ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
    CHECK_ERR(fchdir(fd), ENOTDIR);
    return done();
}
