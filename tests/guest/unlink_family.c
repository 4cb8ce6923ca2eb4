// SPDX-License-Identifier: MIT
// unlink removes the name, not the open file; directories need AT_REMOVEDIR; links are not
// followed.
// covers: unlink, unlinkat
#include "check.h"

int main(void)
{
    struct stat st;
    int fd, dir;

    put_file("f", "data");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(syscall(SYS_unlink, "f"), 0);
    CHECK_ERR(access("f", F_OK), ENOENT);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(pwrite(fd, "more", 4, 4), 4);
    CHECK_STR(get_fd(fd), "datamore");
    CHECK_EQ(fchmod(fd, 0600), 0);
    // The name is free for another file.
    put_file("f", "second");
    CHECK_STR(get_fd(fd), "datamore");
    CHECK_STR(get_file("f"), "second");

    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(symlink("f", "s"), 0);
    CHECK_EQ(symlink("d", "dlink"), 0);
    CHECK_EQ(unlink("s"), 0);
    CHECK_EQ(access("f", F_OK), 0);
    CHECK_ERR(unlink("d"), EISDIR);
    CHECK_ERR(unlink("d/"), EISDIR);
    CHECK_ERR(unlink("."), EISDIR);
    CHECK_ERR(unlink(".."), EISDIR);
    CHECK_ERR(unlink("/"), EISDIR);
    CHECK_ERR(unlink("dlink/"), ENOTDIR);
    CHECK_ERR(unlink("f/"), ENOTDIR);
    CHECK_ERR(unlink("missing"), ENOENT);
    CHECK_ERR(unlink(""), ENOENT);
    CHECK_ERR(unlink("f/x"), ENOTDIR);
    CHECK_ERR(unlink("missing/x"), ENOENT);

    dir = OK(open("d", O_PATH));
    put_file("d/f", "");
    CHECK_ERR(unlinkat(dir, "f", AT_REMOVEDIR), ENOTDIR);
    CHECK_EQ(unlinkat(dir, "f", 0), 0);
    CHECK_ERR(unlinkat(dir, "", 0), ENOENT);
    CHECK_ERR(unlinkat(dir, "f", 1 << 20), EINVAL);
    CHECK_ERR(unlinkat(99, "f", 0), EBADF);
    CHECK_ERR(unlinkat(AT_FDCWD, "d", 0), EISDIR);
    CHECK_EQ(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), 0);
    CHECK_EQ(unlink("dlink"), 0);
    return done();
}
