// SPDX-License-Identifier: MIT
// A tmpfs over a directory: covers it, is another file system, keeps owners and special files,
// is busy while in use, and goes with umount.
// covers: mount, umount2, statfs, rename, link, rmdir
// needs: root
#include "mountns.h"
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

int main(void)
{
    struct statfs fs;
    char cwd[4096], line[8192];
    dev_t below;
    int fd;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    put_file("m/under", "covered");
    put_file("out", "outside");
    below = stat_of("m").st_dev;
    CHECK_EQ(mount("none", "m", "tmpfs", MS_NOSUID, "mode=0750,uid=5,gid=6"), 0);
    CHECK_ERR(access("m/under", F_OK), ENOENT);
    CHECK(stat_of("m").st_dev != below);
    CHECK_EQ(mode_of("m"), 0750);
    CHECK_EQ(stat_of("m").st_uid, 5);
    CHECK_EQ(stat_of("m").st_gid, 6);
    CHECK_EQ(statfs("m", &fs), 0);
    CHECK_EQ(fs.f_type, TMPFS_MAGIC);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(line, sizeof(line), " %s/m tmpfs ", cwd);
    // The new mount is the last line.
    fd = OK(open("/proc/self/mounts", O_RDONLY));
    static char mounts[1 << 20];
    for (size_t n = 0, got; (got = OK(read(fd, mounts + n, sizeof(mounts) - 1 - n))) > 0;)
        n += got;
    CHECK(strstr(mounts, line) != NULL);
    close(fd);

    put_file("m/f", "on tmpfs");
    CHECK_EQ(chown("m/f", 10, 20), 0);
    CHECK_EQ(chmod("m/f", 04711), 0);
    CHECK_EQ(stat_of("m/f").st_uid, 10);
    CHECK_EQ(mode_of("m/f"), 04711);
    CHECK_EQ(mkdir("m/d", 0700) | symlink("../out", "m/s") | mkfifo("m/p", 0600), 0);
    CHECK_EQ(mknod("m/c", S_IFCHR | 0600, makedev(1, 3)), 0);
    CHECK_EQ(stat_of("m/c").st_rdev, makedev(1, 3));
    CHECK_STR(get_file("m/s"), "outside");
    CHECK_STR(get_file("m/d/../../out"), "outside");
    CHECK_ERR(rename("out", "m/out"), EXDEV);
    CHECK_ERR(rename("m/f", "f"), EXDEV);
    CHECK_ERR(link("m/f", "f"), EXDEV);
    CHECK_EQ(rename("m/f", "m/d/g"), 0);
    CHECK_ERR(rmdir("m"), EBUSY);
    CHECK_ERR(rename("m", "n"), EBUSY);

    fd = OK(open("m/d/g", O_RDONLY));
    CHECK_ERR(umount2("m", 0), EBUSY);
    CHECK_EQ(chdir("m/d"), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERR(umount2("..", 0), EBUSY);
    CHECK_EQ(chdir("../.."), 0);
    CHECK_EQ(access("out", F_OK), 0);
    CHECK_EQ(umount2("m", 0), 0);
    CHECK_STR(get_file("m/under"), "covered");
    CHECK_EQ(stat_of("m").st_dev, below);
    CHECK_ERR(umount2("m", 0), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "huge=sometimes"), EINVAL);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "huge=never"), 0);
    CHECK_EQ(umount2("m", 0), 0);
    return done();
}
