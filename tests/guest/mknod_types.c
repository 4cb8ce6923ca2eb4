// SPDX-License-Identifier: MIT
// mknod makes files, fifos, sockets and, as root, device nodes: type, mode and numbers are kept.
// covers: mknod, mknodat, stat, chmod, chown, rename
// needs: root
#include "check.h"
#include <sys/sysmacros.h>

static void is(const char *path, unsigned mode, unsigned major, unsigned minor)
{
    struct statx stx;
    struct stat st = stat_of(path);

    CHECK_EQ(st.st_mode, mode);
    CHECK_EQ(st.st_rdev, makedev(major, minor));
    CHECK_EQ(st.st_size, 0);
    if (S_ISCHR(mode) || S_ISBLK(mode))
        CHECK_EQ(st.st_blocks, 0);
    CHECK_EQ(st.st_nlink, 1);
    CHECK_EQ(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx), 0);
    CHECK_EQ(stx.stx_mode, mode);
    CHECK_EQ(stx.stx_rdev_major, major);
    CHECK_EQ(stx.stx_rdev_minor, minor);
    if (S_ISCHR(mode) || S_ISBLK(mode))
        CHECK_EQ(stx.stx_blocks, 0);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode, mode);
}

int main(void)
{
    int dir;

    umask(022);
    CHECK_EQ(mkdir("d", 0755), 0);
    dir = OK(open("d", O_RDONLY));
    CHECK_EQ(syscall(SYS_mknod, "fifo", S_IFIFO | 0666, 0), 0);
    is("fifo", S_IFIFO | 0644, 0, 0);
    CHECK_EQ(syscall(SYS_mknod, "sock", S_IFSOCK | 0777, 0), 0);
    is("sock", S_IFSOCK | 0755, 0, 0);
    CHECK_EQ(syscall(SYS_mknod, "file", S_IFREG | 0600, 0), 0);
    is("file", S_IFREG | 0600, 0, 0);
    CHECK_EQ(syscall(SYS_mknod, "file2", 0640, 0), 0);
    is("file2", S_IFREG | 0640, 0, 0);
    CHECK_EQ(syscall(SYS_mknod, "chr", S_IFCHR | 0660, makedev(5, 1)), 0);
    is("chr", S_IFCHR | 0640, 5, 1);
    CHECK_EQ(syscall(SYS_mknodat, dir, "blk", S_IFBLK | 0600, makedev(259, 70000)), 0);
    is("d/blk", S_IFBLK | 0600, 259, 70000);
    CHECK_ERR(open("sock", O_RDONLY), ENXIO);

    CHECK_EQ(chmod("chr", 0666), 0);
    CHECK_EQ(chown("chr", 3, 4), 0);
    CHECK_EQ(rename("chr", "d/chr"), 0);
    is("d/chr", S_IFCHR | 0666, 5, 1);
    CHECK_EQ(stat_of("d/chr").st_uid, 3);
    CHECK_EQ(link("d/chr", "chr2"), 0);
    CHECK_EQ(stat_of("chr2").st_rdev, makedev(5, 1));
    CHECK_EQ(stat_of("chr2").st_nlink, 2);
    CHECK_EQ(unlink("d/chr"), 0);
    CHECK_EQ(unlink("d/blk"), 0);
    CHECK_EQ(unlink("sock"), 0);

    CHECK_ERR(mknod("file", S_IFREG | 0600, 0), EEXIST);
    CHECK_ERR(mknod("fifo", S_IFCHR | 0600, 0), EEXIST);
    CHECK_ERR(mknod("x", S_IFDIR | 0700, 0), EPERM);
    CHECK_ERR(mknod("x", S_IFLNK | 0700, 0), EINVAL);
    CHECK_ERR(mknod("x", 0030000, 0), EINVAL);
    CHECK_ERR(mknod("missing/x", S_IFIFO, 0), ENOENT);
    CHECK_ERR(mknod("new/", S_IFREG | 0600, 0), ENOENT);
    CHECK_ERR(mknodat(99, "x", S_IFIFO, 0), EBADF);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(chmod(".", 0777), 0);
        become(1000, 1000);
        CHECK_ERR(mknod("dev", S_IFCHR | 0600, makedev(1, 3)), EPERM);
        CHECK_ERR(mknod("dev", S_IFBLK | 0600, makedev(7, 0)), EPERM);
        CHECK_EQ(mknod("users", S_IFIFO | 0600, 0), 0);
        CHECK_EQ(mknod("users file", S_IFREG | 0600, 0), 0);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
