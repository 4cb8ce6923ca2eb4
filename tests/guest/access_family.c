// SPDX-License-Identifier: MIT
// access, faccessat, faccessat2: existence, links, flags and errors.
// covers: access, faccessat, faccessat2
#include "check.h"

static int faccessat2(int dir, const char *path, int mode, int flags)
{
    return syscall(SYS_faccessat2, dir, path, mode, flags);
}

int main(void)
{
    int dir, fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    CHECK_EQ(chmod("d/f", 0644), 0);
    CHECK_EQ(symlink("nowhere", "d/dangling"), 0);
    CHECK_EQ(symlink("f", "d/s"), 0);
    dir = OK(open("d", O_PATH));
    CHECK_EQ(syscall(SYS_access, "d/f", F_OK), 0);
    CHECK_EQ(access("d/f", R_OK | W_OK), 0);
    // Execution needs an x bit somewhere, for root too.
    CHECK_ERR(access("d/f", X_OK), EACCES);
    CHECK_ERR(access("d/f", R_OK | X_OK), EACCES);
    CHECK_EQ(access("d", R_OK | W_OK | X_OK), 0);
    CHECK_EQ(chmod("d/f", 0744), 0);
    CHECK_EQ(access("d/f", X_OK), 0);
    CHECK_EQ(access("d/s", X_OK), 0);
    CHECK_ERR(access("d/dangling", F_OK), ENOENT);
    CHECK_ERR(access("d/missing", F_OK), ENOENT);
    CHECK_ERR(access("d/f/x", F_OK), ENOTDIR);
    CHECK_ERR(access("d/f/", F_OK), ENOTDIR);
    CHECK_ERR(access("", F_OK), ENOENT);
    CHECK_ERR(access("d/f", 8), EINVAL);
    CHECK_ERR(syscall(SYS_access, bad_ptr, F_OK), EFAULT);

    CHECK_EQ(syscall(SYS_faccessat, dir, "f", R_OK), 0);
    // The old call has no fourth argument: what stands in its register is not looked at.
    CHECK_EQ(syscall(SYS_faccessat, dir, "s", R_OK, AT_SYMLINK_NOFOLLOW | 1 << 20), 0);
    CHECK_ERR(syscall(SYS_faccessat, dir, "missing", F_OK), ENOENT);
    CHECK_ERR(syscall(SYS_faccessat, 99, "f", F_OK), EBADF);
    CHECK_EQ(faccessat2(dir, "f", R_OK, AT_EACCESS), 0);
    CHECK_EQ(faccessat2(dir, "dangling", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_ERR(faccessat2(dir, "dangling", F_OK, 0), ENOENT);
    CHECK_EQ(faccessat2(dir, "", X_OK, AT_EMPTY_PATH), 0);
    fd = OK(open("d/f", O_RDONLY));
    CHECK_EQ(faccessat2(fd, "", X_OK, AT_EMPTY_PATH), 0);
    CHECK_EQ(chmod("d/f", 0644), 0);
    CHECK_ERR(faccessat2(fd, "", X_OK, AT_EMPTY_PATH), EACCES);
    CHECK_ERR(faccessat2(dir, "", F_OK, 0), ENOENT);
    CHECK_ERR(faccessat2(fd, "x", F_OK, 0), ENOTDIR);
    CHECK_ERR(faccessat2(dir, "f", F_OK, 1 << 20), EINVAL);
    return done();
}
