// SPDX-License-Identifier: MIT
// A character node made by mknod works as the device it names: 1:3 null, 1:5 zero, 1:7 full.
// covers: mknod, open, read, write
// needs: root
// trap: not overlay Linux makes no node 0:0 in one, which is a whiteout
#include "check.h"
#include <sys/sysmacros.h>

int main(void)
{
    char text[4] = "abc";
    int fd;

    CHECK_EQ(mknod("null", S_IFCHR | 0666, makedev(1, 3)), 0);
    CHECK_EQ(mknod("zero", S_IFCHR | 0666, makedev(1, 5)), 0);
    CHECK_EQ(mknod("full", S_IFCHR | 0666, makedev(1, 7)), 0);
    CHECK_EQ(mknod("nothing", S_IFCHR | 0666, makedev(0, 0)), 0);
    fd = OK(open("null", O_RDWR | O_TRUNC));
    CHECK_EQ(write(fd, "text", 4), 4);
    CHECK_EQ(read(fd, text, 4), 0);
    CHECK_EQ(stat_of("null").st_size, 0);
    fd = OK(open("zero", O_RDWR));
    CHECK_EQ(read(fd, text, 3), 3);
    CHECK_EQ(text[0] | text[1] | text[2], 0);
    fd = OK(open("full", O_WRONLY));
    CHECK_ERR(write(fd, "x", 1), ENOSPC);
    CHECK_ERR(open("nothing", O_RDONLY), ENXIO);
    return done();
}
