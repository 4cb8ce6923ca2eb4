// SPDX-License-Identifier: MIT
// F_GETFL shows how a file was opened; F_SETFL changes only the flags that may change.
// covers: fcntl, open, openat
// trap: not old: O_NOFOLLOW is not shown there (fs/openwalk.c)
#include "check.h"
#include <sys/ioctl.h>

#define LARGEFILE 0100000

int main(void)
{
    int fd, p[2], on = 1;

    put_file("f", "");
    fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_APPEND));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR | O_APPEND);
    CHECK_EQ(fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_CREAT | O_EXCL), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_SETFL, O_NOATIME), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR | O_NOATIME);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR);

    fd = OK(open("f", O_WRONLY | O_SYNC));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_WRONLY | O_SYNC);
    // O_SYNC cannot be changed afterwards.
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_WRONLY | O_SYNC);
    fd = OK(open("f", O_RDONLY | O_DSYNC | O_NONBLOCK));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDONLY | O_DSYNC | O_NONBLOCK);
    fd = OK(open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_DIRECTORY | O_NOFOLLOW);

    // As they were given, however the path is written.
    static const char *const paths[] = {".",    "d",     "d/",     "d/.", "/",
                                        "/tmp", "/proc", "/proc/", "f",   "d/f"};
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        int flags[] = {0, O_NOFOLLOW, O_PATH, O_NOFOLLOW | O_PATH, O_DIRECTORY};
        for (size_t j = 0; j < sizeof(flags) / sizeof(*flags) - (i >= 8); j++) {
            fd = OK(open(paths[i], flags[j] | O_CLOEXEC));
            CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, flags[j]);
            close(fd);
        }
    }
    // Through the link of a descriptor.
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        char path[32];
        int held = OK(open(paths[i], O_PATH | O_CLOEXEC));
        snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
        fd = OK(open(path, O_PATH | O_CLOEXEC));
        CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_PATH);
        close(fd);
        strcat(path, "/");
        if (i < 8) {
            fd = OK(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
            CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_NOFOLLOW);
            close(fd);
            fd = OK(open(path, O_RDONLY | O_CLOEXEC));
            CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDONLY);
            close(fd);
        } else {
            CHECK_ERR(open(path, O_RDONLY | O_CLOEXEC), ENOTDIR);
        }
        close(held);
    }
    fd = OK(open("d/f", O_RDWR | O_CREAT, 0644));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR);
    fd = OK(open("d/g", O_RDWR | O_CREAT | O_EXCL, 0644));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR);
    CHECK_EQ(symlink("g", "d/l"), 0);
    CHECK_ERR(open("d/l", O_RDWR | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open("d/l", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_ERR(open("d/f/", O_RDONLY), ENOTDIR);
    fd = OK(open("d/l", O_RDWR));
    CHECK_EQ(fcntl(fd, F_GETFL) & ~LARGEFILE, O_RDWR);

    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY);
    CHECK_EQ(ioctl(p[0], FIONBIO, &on), 0);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    CHECK_ERR(read(p[0], &on, 1), EAGAIN);
    CHECK_EQ(ioctl(p[0], FIOCLEX), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(ioctl(p[0], FIONCLEX), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), 0);
    CHECK_EQ(fcntl(p[0], F_SETFD, 0xffe), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), 0);
    return done();
}
