// SPDX-License-Identifier: MIT
// chmod, fchmod, fchmodat, fchmodat2: all twelve bits are stored and seen by every stat, through
// links and descriptors, and the type stays.
// covers: chmod, fchmod, fchmodat, fchmodat2, stat
#include "check.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int main(void)
{
    static const int modes[] = {0,    0400, 0200,  0100,  0644,  0755,
                                0070, 0007, 01777, 02750, 04711, 06777};
    int fd, dir, link;

    umask(077);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    CHECK_EQ(symlink("f", "d/s"), 0);
    dir = OK(open("d", O_RDONLY));
    fd = OK(open("d/f", O_RDONLY));
    for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct stat st;

        CHECK_EQ(syscall(SYS_chmod, "d/f", modes[i]), 0);
        CHECK_EQ(mode_of("d/f"), modes[i]);
        CHECK_EQ(fstat(fd, &st), 0);
        CHECK_EQ(st.st_mode, S_IFREG | modes[i]);
    }
    CHECK_EQ(fchmod(fd, 0604), 0);
    CHECK_EQ(mode_of("d/f"), 0604);
    CHECK_EQ(chmod("d/s", 0640), 0);
    CHECK_EQ(mode_of("d/f"), 0640);
    CHECK_EQ(mode_of("d/s"), 0777);
    CHECK_EQ(syscall(SYS_fchmodat, dir, "f", 0600), 0);
    CHECK_EQ(mode_of("d/f"), 0600);
    // Bits above 07777 are dropped.
    CHECK_EQ(chmod("d/f", 0170644), 0);
    CHECK_EQ(stat_of("d/f").st_mode, S_IFREG | 0644);
    CHECK_EQ(fchmod(dir, 03777), 0);
    CHECK_EQ(stat_of("d").st_mode, S_IFDIR | 03777);
    CHECK_EQ(chmod("d", 0700), 0);
    CHECK_EQ(mode_of("d"), 0700);
    CHECK_STR(get_file("d/f"), "data");

    CHECK_ERR(chmod("missing", 0), ENOENT);
    CHECK_ERR(chmod("d/f/x", 0), ENOTDIR);
    CHECK_ERR(chmod("", 0), ENOENT);
    CHECK_ERR(fchmod(99, 0), EBADF);
    CHECK_ERR(syscall(SYS_fchmodat, 99, "f", 0), EBADF);
    CHECK_ERR(syscall(SYS_chmod, bad_ptr, 0), EFAULT);

    // Linux 6.6.
    if (syscall(SYS_fchmodat2, dir, "s", 0640, 0) != 0) {
        CHECK_EQ(errno, ENOSYS);
        printf("no fchmodat2\n");
        return done();
    }
    CHECK_EQ(mode_of("d/f"), 0640);
    CHECK_EQ(syscall(SYS_fchmodat2, dir, "f", 0604, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(syscall(SYS_fchmodat2, fd, "", 0606, AT_EMPTY_PATH), 0);
    CHECK_EQ(mode_of("d/f"), 0606);
    CHECK_ERR(syscall(SYS_fchmodat2, dir, "s", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    link = OK(open("d/s", O_PATH | O_NOFOLLOW));
    CHECK_ERR(syscall(SYS_fchmodat2, link, "", 0600, AT_EMPTY_PATH), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_fchmodat2, fd, "", 0600, 0), ENOENT);
    CHECK_ERR(syscall(SYS_fchmodat2, dir, "f", 0600, 1 << 20), EINVAL);
    CHECK_ERR(fchmod(AT_FDCWD, 0755), EBADF); // no descriptor
    CHECK_ERR(fchown(AT_FDCWD, -1, -1), EBADF);
    return done();
}
