// SPDX-License-Identifier: MIT
// Of /proc's files most know no end to seek to; the sysctls' have none of a size. Staying where one
// is reads nothing anew.
// covers: lseek, fstat
#include "check.h"

static void without_end(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    struct stat st;
    char c[2];

    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(read(fd, c, 2), 2);
    CHECK_ERR(lseek(fd, 0, SEEK_END), EINVAL);
    CHECK_ERR(lseek(fd, 1, SEEK_END), EINVAL);
    CHECK_ERR(lseek(fd, 0, SEEK_DATA), EINVAL);
    CHECK_ERR(lseek(fd, 1, SEEK_HOLE), EINVAL);
    CHECK_ERR(lseek(fd, 0, 7), EINVAL);
    CHECK_ERR(lseek(fd, -3, SEEK_CUR), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_EQ(lseek(fd, -1, SEEK_CUR), 1);
    CHECK_EQ(lseek(fd, 100000, SEEK_SET), 100000);
    CHECK_EQ(read(fd, c, 1), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, c, 1), 1);
    CHECK_EQ(close(fd), 0);
}

static void of_no_size(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    char c;

    CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
    CHECK_ERR(lseek(fd, -1, SEEK_END), EINVAL);
    CHECK_EQ(lseek(fd, 5, SEEK_END), 5);
    CHECK_ERR(lseek(fd, 0, SEEK_DATA), ENXIO);
    CHECK_ERR(lseek(fd, 3, SEEK_HOLE), ENXIO);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(close(fd), 0);
}

int main(void)
{
    static const char *const files[] = {"status", "stat",   "maps",   "mounts", "mountinfo",
                                        "smaps",  "limits", "cgroup", "uid_map"};
    char path[64];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/self/%s", files[i]);
        without_end(path);
    }
    without_end("/proc/filesystems");
    without_end("/proc/version");
    without_end("/proc/sysvipc/shm");
    without_end("/proc/net/unix");
    of_no_size("/proc/sys/kernel/hostname");
    of_no_size("/proc/sys/kernel/osrelease");
    return done();
}
