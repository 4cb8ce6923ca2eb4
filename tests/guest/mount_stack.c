// SPDX-License-Identifier: MIT
// Mounts upon each other: the last covers the others, each umount shows the one before; a
// directory held from below stays what it was; proc can be mounted anywhere.
// covers: mount, umount2, openat, fchdir
// needs: root
#include "mountns.h"

int main(void)
{
    int below, fd;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755) | mkdir("m/sub", 0755), 0);
    put_file("m/f", "bottom");
    below = OK(open("m", O_PATH));
    CHECK_EQ(mount("one", "m", "tmpfs", 0, NULL), 0);
    put_file("m/f", "first");
    CHECK_EQ(mount("two", "m", "tmpfs", 0, NULL), 0);
    put_file("m/f", "second");
    CHECK_STR(get_file("m/f"), "second");
    CHECK_STR(get_file("m/../m/f"), "second");
    fd = OK(openat(below, "f", O_RDONLY));
    CHECK_STR(get_fd(fd), "bottom");
    close(fd);
    // From below, the way up leads past the mounts on this name.
    fd = OK(openat(below, "../m/f", O_RDONLY));
    CHECK_STR(get_fd(fd), "second");
    close(fd);
    CHECK_EQ(umount2("m", 0), 0);
    CHECK_STR(get_file("m/f"), "first");
    CHECK_EQ(umount2("m", 0), 0);
    CHECK_STR(get_file("m/f"), "bottom");

    // One upon a mount that has another in it covers both.
    CHECK_EQ(mount("one", "m/sub", "tmpfs", 0, NULL), 0);
    put_file("m/sub/f", "in sub");
    CHECK_EQ(mount("two", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("m/sub", 0755), 0);
    CHECK_ERR(access("m/sub/f", F_OK), ENOENT);
    CHECK_EQ(umount2("m", 0), 0);
    CHECK_STR(get_file("m/sub/f"), "in sub");
    CHECK_EQ(umount2("m/sub", 0), 0);

    CHECK_EQ(mkdir("p", 0755), 0);
    CHECK_EQ(mount("proc", "p", "proc", 0, NULL), 0);
    CHECK(strstr(get_file("p/self/status"), "Name:\tmount_stack\n") != NULL);
    CHECK_EQ(stat_of("p/self/fd/0").st_mode & S_IFMT, S_IFLNK);
    CHECK_EQ(umount2("p", 0), 0);
    CHECK_ERR(access("p/self", F_OK), ENOENT);
    return done();
}
