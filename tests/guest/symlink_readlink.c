// SPDX-License-Identifier: MIT
// symlink stores any text up to PATH_MAX - 1; readlink gives it back without a NUL, cut to the
// buffer.
// covers: symlink, symlinkat, readlink, readlinkat
#include "check.h"

int main(void)
{
    static char target[4097], text[8192];
    int dir;

    CHECK_EQ(syscall(SYS_symlink, "not/there//at all/../", "s"), 0);
    CHECK_EQ(stat_of("s").st_size, 21);
    CHECK_EQ(mode_of("s"), 0777);
    memset(text, '#', sizeof(text));
    CHECK_EQ(syscall(SYS_readlink, "s", text, sizeof(text)), 21);
    CHECK(memcmp(text, "not/there//at all/../#", 22) == 0);
    memset(text, '#', sizeof(text));
    CHECK_EQ(readlink("s", text, 5), 5);
    CHECK(memcmp(text, "not/t#", 6) == 0);
    CHECK_EQ(readlink("s", text, 21), 21);
    CHECK_ERR(readlink("s", text, 0), EINVAL);
    CHECK_ERR(syscall(SYS_readlink, "s", text, -1), EINVAL);
    CHECK_ERR(syscall(SYS_readlink, "s", bad_ptr, 5), EFAULT);

    memset(target, 'x', 4096);
    CHECK_ERR(symlink(target, "long"), ENAMETOOLONG);
    target[4095] = 0;
    CHECK_EQ(symlink(target, "long"), 0);
    CHECK_EQ(readlink("long", text, sizeof(text)), 4095);
    CHECK(memcmp(text, target, 4095) == 0);
    CHECK_EQ(stat_of("long").st_size, 4095);
    CHECK_ERR(open("long", O_RDONLY), ENAMETOOLONG);

    CHECK_ERR(symlink("", "empty"), ENOENT);
    CHECK_ERR(symlink("x", ""), ENOENT);
    CHECK_ERR(symlink("x", "s"), EEXIST);
    CHECK_ERR(symlink("x", "."), EEXIST);
    CHECK_ERR(symlink("x", "missing/s"), ENOENT);
    CHECK_ERR(symlink("x", "new/"), ENOENT);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("f", "");
    dir = OK(open("d", O_PATH));
    CHECK_EQ(symlinkat("../f", dir, "up"), 0);
    CHECK_EQ(readlinkat(dir, "up", text, sizeof(text)), 4);
    CHECK_EQ(access("d/up", F_OK), 0);
    CHECK_ERR(readlink("f", text, sizeof(text)), EINVAL);
    CHECK_ERR(readlink("d", text, sizeof(text)), EINVAL);
    CHECK_ERR(readlink("d/up/", text, sizeof(text)), ENOTDIR);
    CHECK_ERR(readlink("/", text, sizeof(text)), EINVAL);
    CHECK_ERR(readlink("/proc", text, sizeof(text)), EINVAL);
    CHECK_ERR(readlink(".", text, sizeof(text)), EINVAL);
    CHECK_ERR(readlink("missing", text, sizeof(text)), ENOENT);
    CHECK_ERR(readlinkat(dir, "", text, sizeof(text)), ENOENT);
    CHECK_ERR(readlinkat(99, "up", text, sizeof(text)), EBADF);
    CHECK_ERR(symlinkat("x", 99, "y"), EBADF);
    return done();
}
