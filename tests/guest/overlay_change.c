// SPDX-License-Identifier: MIT
// An overlay mount, changed: files are copied up, removed names leave whiteouts, new directories
// over them are opaque; the lower layers stay as they are.
// covers: mount, open, write, chmod, chown, utimensat, setxattr, truncate, unlink, rmdir, mkdir, mknod, symlink, link, ftruncate, fchmod, fchown, fsetxattr
// needs: root
#include "overlay.h"
#include <sys/sysmacros.h>
#include <sys/time.h>

static void make_lower(void)
{
    char name[32];

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "l2/f%d", i);
        put_file(name, "lower");
    }
    CHECK_EQ(chown("l2/f0", 7, 8) | chmod("l2/f0", 04751), 0);
    CHECK_EQ(setxattr("l2/f0", "user.tag", "kept", 4, 0), 0);
    CHECK_EQ(mkdir("l2/d", 0751) | chown("l2/d", 9, 10) | chmod("l2/d", 02771), 0);
    CHECK_EQ(mkdir("l2/d/e", 0755) | mkdir("l1/d", 0700), 0);
    CHECK_EQ(chown("l1/d", 9, 10) | chmod("l1/d", 02771), 0);
    put_file("l2/d/e/f", "deep");
    put_file("l1/d/over", "over");
    put_file("l2/d/under", "under");
    CHECK_EQ(symlink("d/e/f", "l2/link") | lchown("l2/link", 11, 12), 0);
    CHECK_EQ(mkfifo("l2/fifo", 0640), 0);
    CHECK_EQ(mkdir("l2/empty", 0755) | mkdir("l2/full", 0755), 0);
    put_file("l2/full/x", "x");
}

static void copies(void)
{
    struct timespec ts[2] = {{1000, 5}, {2000, 6}};
    struct stat before = stat_of("m/f0"), st;
    char value[16];
    int fd, old;

    old = OK(open("m/f0", O_RDONLY));
    fd = OK(open("m/f0", O_WRONLY | O_APPEND));
    CHECK_EQ(write(fd, " and more", 9), 9);
    CHECK_EQ(close(fd), 0);
    CHECK_STR(get_file("m/f0"), "lower and more");
    CHECK_STR(get_file("l2/f0"), "lower");
    CHECK_STR(get_file("up/f0"), "lower and more");
    st = stat_of("m/f0");
    CHECK_EQ(st.st_uid, 7);
    CHECK_EQ(st.st_gid, 8);
    CHECK_EQ(st.st_ino, before.st_ino);
    CHECK_EQ(st.st_dev, before.st_dev);
    CHECK_EQ(getxattr("m/f0", "user.tag", value, sizeof(value)), 4);
    close(old);

    CHECK_EQ(chmod("m/f1", 0604), 0);
    CHECK_EQ(mode_of("m/f1"), 0604);
    CHECK_EQ(mode_of("l2/f1"), 0644);
    CHECK_STR(get_file("up/f1"), "lower");
    CHECK_EQ(chown("m/f2", 3, 4), 0);
    CHECK_EQ(stat_of("m/f2").st_uid, 3);
    CHECK_EQ(stat_of("l2/f2").st_uid, 0);
    CHECK_EQ(utimensat(AT_FDCWD, "m/f3", ts, 0), 0);
    CHECK_EQ(stat_of("m/f3").st_mtim.tv_sec, 2000);
    CHECK(stat_of("l2/f3").st_mtim.tv_sec != 2000);
    CHECK_EQ(setxattr("m/f4", "user.new", "v", 1, 0), 0);
    CHECK_EQ(getxattr("m/f4", "user.new", value, sizeof(value)), 1);
    CHECK_ERR(getxattr("l2/f4", "user.new", value, sizeof(value)), ENODATA);
    CHECK_EQ(truncate("m/f5", 2), 0);
    CHECK_STR(get_file("m/f5"), "lo");
    CHECK_STR(get_file("l2/f5"), "lower");
    close(OK(open("m/f6", O_WRONLY | O_TRUNC)));
    CHECK_STR(get_file("m/f6"), "");
    CHECK_STR(get_file("l2/f6"), "lower");
    // What was not changed is not copied; a failed change copies nothing.
    CHECK_ERR(open("m/f7", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERR(removexattr("m/f7", "user.none"), ENODATA);
    close(OK(open("m/f7", O_RDONLY)));
    // By a descriptor that only reads.
    fd = OK(open("m/f8", O_RDONLY));
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(mode_of("m/f8"), 0600);
    CHECK_EQ(mode_of("l2/f8"), 0644);
    CHECK_EQ(fchown(fd, 21, 22), 0);
    CHECK_EQ(stat_of("m/f8").st_uid, 21);
    CHECK_EQ(fsetxattr(fd, "user.x", "y", 1, 0), 0);
    CHECK_EQ(getxattr("m/f8", "user.x", value, sizeof(value)), 1);
    CHECK_EQ(futimens(fd, ts), 0);
    CHECK_EQ(stat_of("m/f8").st_mtim.tv_sec, 2000);
    close(fd);

    // The directories above are copied with what they are.
    before = stat_of("m/d");
    put_file("m/d/e/f", "changed");
    CHECK_STR(get_file("l2/d/e/f"), "deep");
    st = stat_of("up/d");
    CHECK_EQ(st.st_mode & 07777, 02771);
    CHECK_EQ(st.st_uid, 9);
    CHECK_EQ(st.st_gid, 10);
    CHECK_EQ(stat_of("m/d").st_ino, before.st_ino);
    CHECK_STR(names_in("m/d"), "e over under");
    CHECK_STR(names_in("up/d"), "e");
    CHECK_STR(get_file("m/link"), "changed");
    CHECK_EQ(lchown("m/link", 13, 14), 0);
    CHECK_EQ(stat_of("m/link").st_uid, 13);
    CHECK_EQ(stat_of("l2/link").st_uid, 11);
    CHECK_EQ(chmod("m/fifo", 0600), 0);
    CHECK(S_ISFIFO(stat_of("up/fifo").st_mode));
    CHECK_EQ(chmod("m/d/e", 0500), 0);
    CHECK_EQ(mode_of("l2/d/e"), 02755);
}

static void removals(void)
{
    int fd = OK(open("m/f9", O_RDONLY));

    CHECK_EQ(unlink("m/f9"), 0);
    CHECK_ERR(access("m/f9", F_OK), ENOENT);
    CHECK_STR(get_fd(fd), "lower");
    close(fd);
    CHECK(is_whiteout("up/f9"));
    CHECK_STR(get_file("l2/f9"), "lower");
    CHECK_ERR(unlink("m/f9"), ENOENT);
    CHECK_EQ(unlink("m/f0"), 0);
    CHECK(is_whiteout("up/f0"));
    put_file("m/own", "only above");
    CHECK_EQ(unlink("m/own"), 0);
    CHECK_ERR(lstat("up/own", &(struct stat){0}), ENOENT);

    CHECK_ERR(rmdir("m/full"), ENOTEMPTY);
    CHECK_ERR(unlink("m/full"), EISDIR);
    CHECK_ERR(rmdir("m/f10"), ENOTDIR);
    CHECK_EQ(rmdir("m/empty"), 0);
    CHECK(is_whiteout("up/empty"));
    CHECK_EQ(unlink("m/full/x"), 0);
    CHECK_STR(names_in("m/full"), "");
    CHECK_EQ(rmdir("m/full"), 0);
    CHECK(is_whiteout("up/full"));
    CHECK_ERR(access("m/full", F_OK), ENOENT);

    // New names over whiteouts.
    CHECK_EQ(mkdir("m/full", 0700), 0);
    CHECK_STR(names_in("m/full"), "");
    CHECK_EQ(mode_of("m/full"), 0700);
    char value[4] = "";
    CHECK_EQ(getxattr("up/full", "trusted.overlay.opaque", value, sizeof(value)), 1);
    CHECK_STR(value, "y");
    put_file("m/full/x", "another");
    CHECK_STR(get_file("m/full/x"), "another");
    CHECK_STR(get_file("l2/full/x"), "x");
    put_file("m/f9", "new");
    CHECK_STR(get_file("m/f9"), "new");
    CHECK_EQ(symlink("f9", "m/f0"), 0);
    CHECK_STR(get_file("m/f0"), "new");
    CHECK_EQ(unlink("m/f0"), 0);
    CHECK_EQ(mkfifo("m/f0", 0600) | unlink("m/f0"), 0);
    CHECK_EQ(link("m/f9", "m/f0"), 0);
    CHECK_EQ(stat_of("m/f0").st_nlink, 2);
    CHECK_EQ(unlink("m/f0"), 0);
    CHECK(is_whiteout("up/f0"));
    int n = OK(open("m/f0", O_RDWR | O_CREAT | O_EXCL, 0640));
    CHECK_EQ(fchown(n, 31, 32) | close(n), 0);
    CHECK_EQ(stat_of("m/f0").st_uid, 31);
    CHECK_EQ(stat_of("up/f0").st_uid, 31);
    CHECK_ERR(mknod("m/empty", S_IFCHR, makedev(0, 0)), EPERM);
    CHECK_EQ(mknod("m/empty", S_IFCHR | 0600, makedev(1, 3)), 0);
    CHECK_EQ(stat_of("m/empty").st_rdev, makedev(1, 3));
    CHECK_EQ(mkdir("m/d/e/new", 0755), 0);
    CHECK_ERR(mkdir("m/d/over", 0755), EEXIST);
    CHECK_ERR(mkdir("m/d/under", 0755), EEXIST);
    CHECK_ERR(symlink("x", "m/f10"), EEXIST);
    CHECK_ERR(mkdir("m/none/x", 0755), ENOENT);
}

static void links(void)
{
    CHECK_EQ(link("m/f10", "m/linked"), 0);
    put_file("m/linked", "both");
    CHECK_STR(get_file("m/f10"), "both");
    CHECK_EQ(stat_of("m/linked").st_ino, stat_of("m/f10").st_ino);
    CHECK_EQ(stat_of("m/linked").st_nlink, 2);
    CHECK_STR(get_file("l2/f10"), "lower");
    CHECK_ERR(link("m/f10", "m/d/over"), EEXIST);
    CHECK_ERR(link("m/f10", "outside"), EXDEV);
    CHECK_ERR(link("l2/f10", "m/inside"), EXDEV);
}

int main(void)
{
    overlay_layers();
    make_lower();
    overlay_mount();
    copies();
    removals();
    links();
    CHECK_ERR(access("up/f7", F_OK), ENOENT);
    CHECK_EQ(umount("m"), 0);
    // All of it is in the layers.
    overlay_mount();
    CHECK_STR(get_file("m/f9"), "new");
    CHECK_STR(names_in("m/full"), "x");
    CHECK_STR(names_in("m/d"), "e over under");
    CHECK_EQ(mode_of("m/f1"), 0604);
    overlay_end();
    return done();
}
