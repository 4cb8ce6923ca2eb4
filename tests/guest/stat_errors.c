// SPDX-License-Identifier: MIT
// The errors of the stat family, and AT_ flags that are refused.
// covers: stat, lstat, fstat, newfstatat, statx
#include "check.h"

int main(void)
{
    struct statx stx;
    struct stat st;

    put_file("f", "");
    CHECK_EQ(symlink("nowhere", "dangling"), 0);
    CHECK_ERR(stat("missing", &st), ENOENT);
    CHECK_ERR(stat("", &st), ENOENT);
    CHECK_ERR(lstat("", &st), ENOENT);
    CHECK_ERR(stat("f/x", &st), ENOTDIR);
    CHECK_ERR(stat("f/", &st), ENOTDIR);
    CHECK_ERR(lstat("f/", &st), ENOTDIR);
    CHECK_ERR(stat("missing/x", &st), ENOENT);
    CHECK_ERR(stat("dangling", &st), ENOENT);
    CHECK_EQ(lstat("dangling", &st), 0);
    CHECK_ERR(lstat("dangling/", &st), ENOENT);
    CHECK_ERR(syscall(SYS_stat, bad_ptr, &st), EFAULT);
    CHECK_ERR(syscall(SYS_stat, "f", bad_ptr), EFAULT);
    CHECK_ERR(syscall(SYS_lstat, "f", bad_ptr), EFAULT);
    CHECK_ERR(syscall(SYS_fstat, 0, bad_ptr), EFAULT);
    CHECK_ERR(syscall(SYS_newfstatat, AT_FDCWD, "f", bad_ptr, 0), EFAULT);
    CHECK_ERR(fstat(-1, &st), EBADF);
    CHECK_ERR(fstat(99, &st), EBADF);
    CHECK_ERR(syscall(SYS_fstat, AT_FDCWD, &st), EBADF);

    CHECK_ERR(fstatat(99, "f", &st, 0), EBADF);
    CHECK_ERR(fstatat(99, "", &st, AT_EMPTY_PATH), EBADF);
    CHECK_ERR(fstatat(AT_FDCWD, "", &st, 0), ENOENT);
    CHECK_EQ(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_ERR(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 1 << 20), EINVAL);
    CHECK_ERR(fstatat(OK(open("f", O_RDONLY)), "x", &st, 0), ENOTDIR);
    CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, AT_NO_AUTOMOUNT), 0);

    CHECK_ERR(statx(AT_FDCWD, "missing", 0, STATX_ALL, &stx), ENOENT);
    CHECK_ERR(statx(AT_FDCWD, "", 0, STATX_ALL, &stx), ENOENT);
    CHECK_ERR(statx(AT_FDCWD, "f", 1 << 20, STATX_ALL, &stx), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "f", AT_STATX_SYNC_TYPE, STATX_ALL, &stx), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "f", 0, 1u << 31, &stx), EINVAL);
    CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_ALL, bad_ptr), EFAULT);
    CHECK_ERR(statx(99, "f", 0, STATX_ALL, &stx), EBADF);
    return done();
}
