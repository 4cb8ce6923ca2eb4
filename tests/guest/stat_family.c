// SPDX-License-Identifier: MIT
// All calls of the stat family tell the same about the same object, whatever the way to it.
// covers: stat, fstat, lstat, newfstatat, statx
#include "check.h"

static void same(const struct stat *a, const struct stat *b)
{
    CHECK_EQ(a->st_dev, b->st_dev);
    CHECK_EQ(a->st_ino, b->st_ino);
    CHECK_EQ(a->st_mode, b->st_mode);
    CHECK_EQ(a->st_nlink, b->st_nlink);
    CHECK_EQ(a->st_uid, b->st_uid);
    CHECK_EQ(a->st_gid, b->st_gid);
    CHECK_EQ(a->st_rdev, b->st_rdev);
    CHECK_EQ(a->st_size, b->st_size);
    CHECK_EQ(a->st_blksize, b->st_blksize);
    CHECK_EQ(a->st_mtim.tv_sec, b->st_mtim.tv_sec);
    CHECK_EQ(a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
    CHECK_EQ(a->st_ctim.tv_nsec, b->st_ctim.tv_nsec);
}

// By each raw call; st is what newfstatat tells.
static void all_ways(const char *path, mode_t type, off_t size)
{
    struct stat st, other;
    struct statx stx;
    int fd, dir = OK(open(".", O_PATH));

    CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(st.st_mode & S_IFMT, type);
    CHECK_EQ(st.st_uid, geteuid());
    CHECK_EQ(st.st_gid, getegid());
    if (size >= 0)
        CHECK_EQ(st.st_size, size);
    CHECK_EQ(syscall(SYS_lstat, path, &other), 0);
    same(&st, &other);
    CHECK_EQ(syscall(SYS_newfstatat, dir, path, &other, AT_SYMLINK_NOFOLLOW), 0);
    same(&st, &other);
    if (type != S_IFLNK) {
        CHECK_EQ(syscall(SYS_stat, path, &other), 0);
        same(&st, &other);
        CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, path, &other, 0), 0);
        same(&st, &other);
    }
    fd = OK(open(path, O_PATH | O_NOFOLLOW));
    CHECK_EQ(syscall(SYS_fstat, fd, &other), 0);
    same(&st, &other);
    CHECK_EQ(syscall(SYS_newfstatat, fd, "", &other, AT_EMPTY_PATH), 0);
    same(&st, &other);
    CHECK_EQ(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx), 0);
    CHECK_EQ(stx.stx_ino, st.st_ino);
    CHECK_EQ(stx.stx_mode, st.st_mode);
    CHECK_EQ(stx.stx_uid, st.st_uid);
    CHECK_EQ(stx.stx_gid, st.st_gid);
    CHECK_EQ(stx.stx_nlink, st.st_nlink);
    CHECK_EQ(stx.stx_size, st.st_size);
    CHECK_EQ(stx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
    close(fd);
    close(dir);
}

int main(void)
{
    umask(022);
    put_file("f", "twelve bytes");
    CHECK_EQ(mkdir("d", 0750), 0);
    CHECK_EQ(symlink("f", "s"), 0);
    CHECK_EQ(symlink("nowhere", "dangling"), 0);
    CHECK_EQ(mkfifo("p", 0640), 0);
    CHECK_EQ(link("f", "hard"), 0);
    all_ways("f", S_IFREG, 12);
    all_ways("hard", S_IFREG, 12);
    all_ways("d", S_IFDIR, -1);
    all_ways("s", S_IFLNK, 1);
    all_ways("dangling", S_IFLNK, 7);
    all_ways("p", S_IFIFO, 0);
    CHECK_EQ(stat_of("f").st_nlink, 2);
    CHECK_EQ(stat_of("d").st_nlink, 2);
    CHECK_EQ(mode_of("d"), 0750);
    CHECK_EQ(mode_of("p"), 0640);
    CHECK_EQ(mode_of("s"), 0777);
    // An attribute change is seen by all of them at once.
    CHECK_EQ(chmod("s", 0604), 0);
    all_ways("f", S_IFREG, 12);
    all_ways("hard", S_IFREG, 12);
    CHECK_EQ(mode_of("hard"), 0604);
    return done();
}
