// SPDX-License-Identifier: MIT
// statfs and fstatfs: sane numbers, the same by path and descriptor, magic of /proc, errors.
// covers: statfs, fstatfs
#include "check.h"
#include <linux/magic.h>
#include <sys/statfs.h>

int main(void)
{
    struct statfs a, b;
    int fd, p[2];

    put_file("f", "");
    CHECK_EQ(symlink("f", "s"), 0);
    CHECK_EQ(syscall(SYS_statfs, ".", &a), 0);
    CHECK_EQ(a.f_namelen, 255);
    CHECK(a.f_bsize >= 512 && a.f_blocks > 0);
    CHECK(a.f_bfree <= a.f_blocks && a.f_bavail <= a.f_bfree);
    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(syscall(SYS_fstatfs, fd, &b), 0);
    CHECK_EQ(a.f_type, b.f_type);
    CHECK_EQ(a.f_blocks, b.f_blocks);
    CHECK_EQ(statfs("s", &b), 0);
    CHECK_EQ(a.f_type, b.f_type);
    CHECK_EQ(fstatfs(OK(open("f", O_PATH)), &b), 0);
    CHECK_EQ(a.f_bsize, b.f_bsize);

    CHECK_EQ(statfs("/proc", &b), 0);
    CHECK_EQ(b.f_type, PROC_SUPER_MAGIC);
    CHECK_EQ(statfs("/proc/self/status", &b), 0);
    CHECK_EQ(b.f_type, PROC_SUPER_MAGIC);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(fstatfs(p[0], &b), 0);
    CHECK_EQ(b.f_type, PIPEFS_MAGIC);

    CHECK_ERR(statfs("missing", &b), ENOENT);
    CHECK_ERR(statfs("f/x", &b), ENOTDIR);
    CHECK_ERR(statfs("", &b), ENOENT);
    CHECK_ERR(fstatfs(99, &b), EBADF);
    CHECK_ERR(syscall(SYS_statfs, ".", bad_ptr), EFAULT);
    return done();
}
