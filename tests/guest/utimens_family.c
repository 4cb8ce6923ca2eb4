// SPDX-License-Identifier: MIT
// utime, utimes, futimesat, utimensat: chosen times, now, omit, links, descriptors, bad values.
// covers: utime, utimes, futimesat, utimensat
#include "check.h"
#include <sys/time.h>
#include <time.h>
#include <utime.h>

static void times_are(const char *path, long asec, long ansec, long msec, long mnsec)
{
    struct stat st = stat_of(path);

    CHECK_EQ(st.st_atim.tv_sec, asec);
    CHECK_EQ(st.st_atim.tv_nsec, ansec);
    CHECK_EQ(st.st_mtim.tv_sec, msec);
    CHECK_EQ(st.st_mtim.tv_nsec, mnsec);
}

int main(void)
{
    struct timespec ts[2] = {{1000, 123456789}, {2000, 987654321}};
    struct timeval tv[2] = {{3000, 5}, {4000, 6}};
    struct utimbuf ub = {5000, 6000};
    struct timespec before;
    int fd, dir;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    CHECK_EQ(symlink("f", "d/s"), 0);
    dir = OK(open("d", O_PATH));
    fd = OK(open("d/f", O_RDONLY));
    CHECK_EQ(syscall(SYS_utimensat, dir, "f", ts, 0), 0);
    times_are("d/f", 1000, 123456789, 2000, 987654321);
    CHECK_EQ(syscall(SYS_utimes, "d/s", tv), 0);
    times_are("d/f", 3000, 5000, 4000, 6000);
    CHECK_EQ(syscall(SYS_utime, "d/f", &ub), 0);
    times_are("d/f", 5000, 0, 6000, 0);
    CHECK_EQ(syscall(SYS_futimesat, dir, "f", tv), 0);
    times_are("d/f", 3000, 5000, 4000, 6000);
    CHECK_EQ(syscall(SYS_utimensat, fd, NULL, ts, 0), 0);
    times_are("d/f", 1000, 123456789, 2000, 987654321);

    ts[0].tv_nsec = UTIME_OMIT;
    ts[1] = (struct timespec){7000, 7};
    CHECK_EQ(utimensat(dir, "f", ts, 0), 0);
    times_are("d/f", 1000, 123456789, 7000, 7);
    // The link itself.
    ts[0] = (struct timespec){8000, 8};
    CHECK_EQ(utimensat(dir, "s", ts, AT_SYMLINK_NOFOLLOW), 0);
    times_are("d/s", 8000, 8, 7000, 7);
    times_are("d/f", 1000, 123456789, 7000, 7);

    CHECK_EQ(clock_gettime(CLOCK_REALTIME_COARSE, &before), 0);
    ts[0].tv_nsec = UTIME_OMIT;
    ts[1].tv_nsec = UTIME_NOW;
    CHECK_EQ(utimensat(dir, "f", ts, 0), 0);
    CHECK_EQ(stat_of("d/f").st_atim.tv_sec, 1000);
    CHECK(stat_of("d/f").st_mtim.tv_sec >= before.tv_sec);
    CHECK_EQ(utimensat(dir, "f", NULL, 0), 0);
    CHECK(stat_of("d/f").st_atim.tv_sec >= before.tv_sec);
    CHECK_EQ(syscall(SYS_utime, "d", NULL), 0);
    ts[0] = (struct timespec){-5, 0};
    ts[1] = (struct timespec){1l << 32, 0};
    CHECK_EQ(utimensat(AT_FDCWD, "d", ts, 0), 0);
    times_are("d", -5, 0, 1l << 32, 0);

    ts[0].tv_nsec = 1000000000;
    CHECK_ERR(utimensat(dir, "f", ts, 0), EINVAL);
    tv[0].tv_usec = 1000000;
    CHECK_ERR(syscall(SYS_utimes, "d/f", tv), EINVAL);
    CHECK_ERR(utimensat(dir, "missing", NULL, 0), ENOENT);
    CHECK_ERR(utimensat(dir, "f", NULL, 1 << 20), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, 99, NULL, NULL, 0), EBADF);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), EFAULT);
    CHECK_ERR(syscall(SYS_utimes, bad_ptr, NULL), EFAULT);
    // Both omitted: nothing is looked at, not even the path.
    ts[0].tv_nsec = ts[1].tv_nsec = UTIME_OMIT;
    CHECK_EQ(syscall(SYS_utimensat, AT_FDCWD, "missing", ts, 0), 0);
    // Times that cannot be: said after what the way to the file says, before anything else.
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    int path = OK(open("d/f", O_PATH));
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "missing", bad, 0), ENOENT);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "d/f/x", bad, 0), ENOTDIR);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "d/f", bad, 0), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, NULL, bad, 0), EFAULT);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, 8, bad, 0), EFAULT);
    CHECK_ERR(syscall(SYS_utimensat, -5, NULL, bad, 0), EBADF);
    CHECK_ERR(syscall(SYS_utimensat, path, NULL, bad, 0), EBADF);
    CHECK_ERR(syscall(SYS_utimensat, fd, NULL, bad, 0), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, -5, NULL, NULL, AT_EMPTY_PATH), EINVAL);
    return done();
}
