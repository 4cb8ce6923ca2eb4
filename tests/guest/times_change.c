// SPDX-License-Identifier: MIT
// Which of a file's times each call moves. All times are first set far back, so no clock is
// needed.
// covers: chmod, chown, rename, link, unlink, write, truncate, utimensat, mkdir
#include "check.h"

static void age(const char *path)
{
    struct timespec old[2] = {{1000, 0}, {1000, 0}};

    CHECK_EQ(utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(stat_of(path).st_mtim.tv_sec, 1000);
}

static int modified(const char *path)
{
    struct stat st = stat_of(path);
    int moved = st.st_mtim.tv_sec != 1000;

    CHECK(st.st_ctim.tv_sec > 1000);
    age(path);
    return moved;
}

int main(void)
{
    int fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    age("d");
    age("d/f");
    CHECK_EQ(modified("d"), 0);
    CHECK_EQ(chmod("d/f", 0600), 0);
    CHECK_EQ(chown("d/f", geteuid(), -1), 0);
    CHECK_EQ(modified("d/f"), 0);
    CHECK_EQ(modified("d"), 0);
    CHECK_EQ(link("d/f", "d/g"), 0);
    CHECK_EQ(modified("d"), 1);
    CHECK_EQ(modified("d/f"), 0);
    CHECK_EQ(rename("d/g", "d/h"), 0);
    CHECK_EQ(modified("d"), 1);
    CHECK_EQ(unlink("d/h"), 0);
    CHECK_EQ(modified("d"), 1);
    CHECK_EQ(mkdir("d/sub", 0700), 0);
    CHECK_EQ(modified("d"), 1);
    CHECK_EQ(chmod("d/sub", 0755), 0);
    CHECK_EQ(symlink("x", "d/s"), 0);
    CHECK_EQ(modified("d"), 1);
    CHECK_ERR(open("d/f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    OK(open("d/f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(modified("d"), 0);
    CHECK_EQ(modified("d/f"), 0);

    fd = OK(open("d/f", O_RDWR));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(modified("d/f"), 1);
    CHECK_EQ(ftruncate(fd, 1), 0);
    CHECK_EQ(modified("d/f"), 1);
    CHECK_EQ(truncate("d/f", 0), 0);
    CHECK_EQ(modified("d/f"), 1);
    close(OK(open("d/f", O_WRONLY | O_TRUNC)));
    CHECK_EQ(modified("d/f"), 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(modified("d/f"), 0);
    return done();
}
