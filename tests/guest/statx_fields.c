// SPDX-License-Identifier: MIT
// statx: which fields the mask promises, attributes, birth time, and the sync flags.
// covers: statx
// trap: not overlay: the working directory is the root of a mount there
#include "check.h"
#include <sys/sysmacros.h>

int main(void)
{
    struct statx stx, named;
    struct stat st;
    int fd;

    umask(022);
    put_file("f", "data");
    CHECK_EQ(symlink("f", "s"), 0);
    st = stat_of("f");
    CHECK_EQ(statx(AT_FDCWD, "s", 0, STATX_BASIC_STATS | STATX_BTIME, &stx), 0);
    CHECK_EQ(stx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    CHECK_EQ(stx.stx_mode, S_IFREG | 0644);
    CHECK_EQ(stx.stx_size, 4);
    CHECK_EQ(makedev(stx.stx_dev_major, stx.stx_dev_minor), st.st_dev);
    CHECK_EQ(stx.stx_blksize, st.st_blksize);
    CHECK_EQ(stx.stx_ctime.tv_sec, st.st_ctim.tv_sec);
    CHECK_EQ(stx.stx_ctime.tv_nsec, st.st_ctim.tv_nsec);
    if (stx.stx_mask & STATX_BTIME)
        CHECK(stx.stx_btime.tv_sec <= stx.stx_mtime.tv_sec);
    CHECK_EQ(statx(AT_FDCWD, "s", AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &stx), 0);
    CHECK(S_ISLNK(stx.stx_mode));
    CHECK_EQ(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_SIZE, &stx), 0);
    CHECK_EQ(stx.stx_size, 4);
    CHECK_EQ(statx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, 0, &stx), 0);

    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &stx), 0);
    CHECK_EQ(stx.stx_ino, st.st_ino);
    // Attributes are told whatever the mask, and by a descriptor as by name.
    CHECK_EQ(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &named), 0);
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx), 0);
    CHECK_EQ(stx.stx_attributes_mask, named.stx_attributes_mask);
    CHECK_EQ(stx.stx_attributes, named.stx_attributes);
    CHECK_EQ(statx(AT_FDCWD, ".", 0, STATX_ALL, &stx), 0);
    CHECK(S_ISDIR(stx.stx_mode));
    CHECK_EQ(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT, 0);
    CHECK_EQ(statx(AT_FDCWD, "/", 0, STATX_ALL, &stx), 0);
    CHECK(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
    CHECK(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    CHECK_EQ(statx(AT_FDCWD, "/dev/null", 0, STATX_ALL, &stx), 0);
    CHECK(S_ISCHR(stx.stx_mode));
    CHECK_EQ(stx.stx_rdev_major, 1);
    CHECK_EQ(stx.stx_rdev_minor, 3);
    return done();
}
