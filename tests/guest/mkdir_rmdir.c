// SPDX-License-Identifier: MIT
// mkdir and rmdir: modes, link counts, special names, and who is in the way.
// covers: mkdir, mkdirat, rmdir, unlinkat
#include "check.h"

int main(void)
{
    int dir;

    umask(027);
    CHECK_EQ(mkdir("t", 0755), 0);
    CHECK_EQ(chdir("t"), 0);
    CHECK_EQ(syscall(SYS_mkdir, "d", 0777), 0);
    CHECK_EQ(mode_of("d"), 0750);
    CHECK_EQ(mkdir("sticky", 01777), 0);
    CHECK_EQ(mode_of("sticky"), 01750);
    // The set-id bits of the argument are ignored.
    CHECK_EQ(mkdir("setid", 06777), 0);
    CHECK_EQ(mode_of("setid"), 0750);
    CHECK_EQ(mkdir("slashes///", 0700), 0);
    CHECK_EQ(mkdirat(OK(open("d", O_PATH)), "sub", 0700), 0);
    CHECK_EQ(stat_of("d").st_nlink, 3);

    put_file("f", "");
    CHECK_EQ(symlink("missing", "dangling"), 0);
    CHECK_EQ(symlink("d", "link"), 0);
    CHECK_ERR(mkdir("d", 0700), EEXIST);
    CHECK_ERR(mkdir("f", 0700), EEXIST);
    CHECK_ERR(mkdir("dangling", 0700), EEXIST);
    CHECK_ERR(mkdir(".", 0700), EEXIST);
    CHECK_ERR(mkdir("..", 0700), EEXIST);
    CHECK_ERR(mkdir("d/.", 0700), EEXIST);
    CHECK_ERR(mkdir("/", 0700), EEXIST);
    CHECK_ERR(mkdir("", 0700), ENOENT);
    CHECK_ERR(mkdir("missing/d", 0700), ENOENT);
    CHECK_ERR(mkdir("f/d", 0700), ENOTDIR);
    CHECK_ERR(mkdirat(99, "x", 0700), EBADF);

    CHECK_ERR(rmdir("d"), ENOTEMPTY);
    CHECK_ERR(rmdir("f"), ENOTDIR);
    CHECK_ERR(rmdir("link"), ENOTDIR);
    CHECK_ERR(rmdir("link/"), ENOTDIR);
    CHECK_ERR(rmdir("missing"), ENOENT);
    CHECK_ERR(rmdir(""), ENOENT);
    CHECK_ERR(rmdir("d/sub/."), EINVAL);
    CHECK_ERR(rmdir("d/sub/.."), ENOTEMPTY);
    CHECK_ERR(rmdir("."), EINVAL);
    CHECK_ERR(rmdir("/"), EBUSY);
    CHECK_EQ(rmdir("link/sub/"), 0);
    CHECK_EQ(stat_of("d").st_nlink, 2);

    // A removed directory that is still open is empty for good.
    dir = OK(open("d", O_RDONLY));
    CHECK_EQ(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), 0);
    CHECK_EQ(fchdir(dir), 0);
    CHECK_ERR(mkdir("new", 0700), ENOENT);
    CHECK_ERR(open("new", O_RDWR | O_CREAT, 0600), ENOENT);
    CHECK_ERR(symlink("x", "new"), ENOENT);
    CHECK_EQ(access(".", F_OK), 0);
    CHECK_EQ(access("../f", F_OK), 0);
    return done();
}
