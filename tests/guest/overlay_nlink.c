// SPDX-License-Identifier: MIT
// The links of an overlay's directories: 1 where several layers have it, else as in the one that
// does.
// covers: mount, stat, fstat, statx, mkdir, rmdir
// needs: root
#include "overlay.h"

static unsigned links(const char *path)
{
    int fd = OK(open(path, O_RDONLY | O_DIRECTORY));
    struct stat st, at;
    struct statx stx;

    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(fstatat(fd, ".", &at, 0), 0);
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx), 0);
    close(fd);
    CHECK_EQ(st.st_nlink, at.st_nlink);
    CHECK_EQ(st.st_nlink, stx.stx_nlink);
    CHECK_EQ(st.st_nlink, stat_of(path).st_nlink);
    return st.st_nlink;
}

int main(void)
{
    overlay_layers();
    CHECK_EQ(mkdir("l1/both", 0755) | mkdir("l1/both/s1", 0755) | mkdir("l2/both", 0755), 0);
    CHECK_EQ(mkdir("l2/low", 0755) | mkdir("l2/low/sub", 0755) | mkdir("up/own", 0755), 0);
    overlay_mount();
    CHECK_EQ(links("m"), 1);
    CHECK_EQ(links("m/both"), 1);
    CHECK_EQ(links("m/both/s1"), 2);
    CHECK_EQ(links("m/low"), 3);
    CHECK_EQ(links("m/own"), 2);
    CHECK_EQ(mkdir("m/own/sub", 0755), 0);
    CHECK_EQ(links("m/own"), 3);
    CHECK_EQ(mkdir("m/low/new", 0755), 0); // copied up
    CHECK_EQ(links("m/low"), 1);
    CHECK_EQ(links("m/low/sub"), 2);
    CHECK_EQ(links("m/low/new"), 2);
    CHECK_EQ(rmdir("m/low/new") | rmdir("m/low/sub") | rmdir("m/low"), 0);
    CHECK_EQ(mkdir("m/low", 0755) | mkdir("m/low/sub", 0755),
             0); // another, which hides the old one
    CHECK_EQ(links("m/low"), 3);
    overlay_end();
    return done();
}
