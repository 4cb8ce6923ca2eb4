// SPDX-License-Identifier: MIT
// Bind mounts: the same objects at another place, single files too, apart for rename and link,
// and `..` and getcwd follow the place.
// covers: mount, umount2, rename, link, getcwd, unlink
// needs: root
// trap: not overlay no file out of an overlay is mounted elsewhere
#include "mountns.h"

int main(void)
{
    char cwd[4096];
    int dir;

    own_mounts();
    CHECK_EQ(mkdir("src", 0755) | mkdir("src/sub", 0755) | mkdir("dst", 0755), 0);
    put_file("src/f", "source");
    put_file("src/sub/g", "deep");
    put_file("dst/hidden", "");
    put_file("file", "old");
    CHECK_EQ(mount("src", "dst", NULL, MS_BIND, NULL), 0);
    CHECK_STR(get_file("dst/f"), "source");
    CHECK_EQ(stat_of("dst/f").st_ino, stat_of("src/f").st_ino);
    CHECK_EQ(stat_of("dst").st_dev, stat_of("src").st_dev);
    put_file("dst/new", "through");
    CHECK_STR(get_file("src/new"), "through");
    CHECK_EQ(chmod("dst/f", 0600), 0);
    CHECK_EQ(mode_of("src/f"), 0600);

    // One file system, two mounts.
    CHECK_ERR(rename("src/f", "dst/x"), EXDEV);
    CHECK_ERR(link("src/f", "dst/x"), EXDEV);
    CHECK_ERR(rename("dst/f", "x"), EXDEV);
    CHECK_EQ(rename("dst/f", "dst/sub/f"), 0);
    CHECK_STR(get_file("src/sub/f"), "source");
    // A name that is a mount point here is in use.
    CHECK_ERR(rmdir("dst"), EBUSY);

    CHECK_EQ(stat_of("dst/..").st_ino, stat_of(".").st_ino);
    CHECK_EQ(chdir("dst/sub"), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_STR(cwd + strlen(cwd) - 8, "/dst/sub");
    CHECK_EQ(access("../../file", F_OK), 0);
    CHECK_EQ(chdir("../.."), 0);

    // A file over a file.
    CHECK_EQ(mount("src/sub/g", "file", NULL, MS_BIND, NULL), 0);
    CHECK_STR(get_file("file"), "deep");
    CHECK_ERR(unlink("file"), EBUSY);
    CHECK_EQ(umount2("file", 0), 0);
    CHECK_STR(get_file("file"), "old");
    CHECK_ERR(mount("src", "file", NULL, MS_BIND, NULL), ENOTDIR);

    // Unmounted lazily: what holds it goes on, new lookups do not see it.
    dir = OK(open("dst", O_PATH));
    CHECK_EQ(umount2("dst", MNT_DETACH), 0);
    CHECK_EQ(access("dst/hidden", F_OK), 0);
    CHECK_EQ(faccessat(dir, "new", F_OK, 0), 0);
    CHECK_EQ(faccessat(dir, "sub/f", F_OK, 0), 0);
    return done();
}
