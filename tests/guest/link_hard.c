// SPDX-License-Identifier: MIT
// Hard links: one inode under several names; symlinks themselves can be linked, directories not.
// covers: link, linkat, unlink
#include "check.h"

int main(void)
{
    struct stat st;
    int dir;

    put_file("f", "data");
    CHECK_EQ(syscall(SYS_link, "f", "g"), 0);
    st = stat_of("f");
    CHECK_EQ(st.st_nlink, 2);
    CHECK_EQ(stat_of("g").st_ino, st.st_ino);
    CHECK_EQ(chmod("g", 0604), 0);
    CHECK_EQ(mode_of("f"), 0604);
    put_file("g", "changed");
    CHECK_STR(get_file("f"), "changed");
    CHECK_EQ(unlink("f"), 0);
    CHECK_EQ(stat_of("g").st_nlink, 1);
    CHECK_STR(get_file("g"), "changed");

    // link does not follow, linkat does when told.
    CHECK_EQ(symlink("g", "s"), 0);
    CHECK_EQ(link("s", "s2"), 0);
    CHECK(S_ISLNK(stat_of("s2").st_mode));
    CHECK_EQ(stat_of("s2").st_ino, stat_of("s").st_ino);
    CHECK_EQ(stat_of("s").st_nlink, 2);
    CHECK_EQ(linkat(AT_FDCWD, "s", AT_FDCWD, "g2", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(stat_of("g2").st_ino, stat_of("g").st_ino);
    CHECK_EQ(mkdir("d", 0755), 0);
    dir = OK(open("d", O_PATH));
    CHECK_EQ(linkat(AT_FDCWD, "g", dir, "x", 0), 0);
    CHECK_EQ(linkat(dir, "x", dir, "y", 0), 0);
    CHECK_EQ(stat_of("g").st_nlink, 4);
    CHECK_EQ(mkfifo("p", 0600), 0);
    CHECK_EQ(link("p", "d/p"), 0);
    CHECK_EQ(stat_of("p").st_nlink, 2);

    CHECK_ERR(link("g", "g2"), EEXIST);
    CHECK_ERR(link("g", "d"), EEXIST);
    CHECK_ERR(link("d", "dd"), EPERM);
    char name[257];
    memset(name, 'n', 256);
    name[256] = 0;
    CHECK_ERR(link("d", name), ENAMETOOLONG);
    CHECK_ERR(link("missing", "x"), ENOENT);
    CHECK_ERR(link("g", "missing/x"), ENOENT);
    CHECK_ERR(link("g/x", "y"), ENOTDIR);
    CHECK_ERR(link("g", "new/"), ENOENT);
    CHECK_ERR(link("g/", "new"), ENOTDIR);
    CHECK_ERR(link("", "new"), ENOENT);
    CHECK_ERR(linkat(AT_FDCWD, "g", AT_FDCWD, "n", 1 << 20), EINVAL);
    CHECK_ERR(linkat(99, "g", AT_FDCWD, "n", 0), EBADF);
    CHECK_ERR(link("/proc/self/status", "n"), EXDEV);
    return done();
}
