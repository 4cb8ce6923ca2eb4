// SPDX-License-Identifier: MIT
// /proc/self/fd/N and /dev/fd/N as paths: they open the very object, pass through directories,
// and are followed by calls that follow links.
// covers: open, openat, stat, chmod, truncate, readlink, unlink
#include "check.h"
#include <sys/socket.h>

static char path[64];

static const char *proc(const char *fmt, int fd)
{
    snprintf(path, sizeof(path), fmt, fd);
    return path;
}

int main(void)
{
    struct stat st;
    char text[8] = "";
    int fd, dir, other, p[2];

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    fd = OK(open("d/f", O_RDWR));
    dir = OK(open("d", O_RDONLY));
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    other = OK(open(proc("/proc/self/fd/%d", fd), O_RDONLY));
    CHECK_EQ(read(other, text, 4), 4); // an open file of its own
    CHECK_STR(text, "data");
    CHECK_STR(get_file(proc("/dev/fd/%d", fd)), "data");
    CHECK_STR(get_file(proc("/proc/self/fd/%d/f", dir)), "data");
    CHECK_STR(get_file(proc("/proc/self/fd/%d/../d/f", dir)), "data");
    CHECK_STR(get_file(proc("/proc/thread-self/fd/%d/f", dir)), "data");

    CHECK_EQ(rename("d/f", "d/g"), 0);
    CHECK_EQ(chmod(proc("/proc/self/fd/%d", fd), 0600), 0);
    CHECK_EQ(mode_of("d/g"), 0600);
    CHECK_EQ(unlink("d/g"), 0);
    CHECK_EQ(stat(proc("/proc/self/fd/%d", fd), &st), 0);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_STR(get_file(path), "data");
    CHECK_EQ(truncate(path, 1), 0);
    CHECK_STR(get_fd(fd), "d");
    OK(open(path, O_RDWR | O_TRUNC));
    CHECK_STR(get_fd(fd), "");

    CHECK_EQ(lstat(path, &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_EQ(st.st_mode & 0777, 0700); // as the descriptor may be used
    CHECK_EQ(lstat(proc("/proc/self/fd/%d", dir), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0500);
    CHECK_ERR(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open(proc("/proc/self/fd/%d/x", fd), O_RDONLY), ENOTDIR);
    CHECK_ERR(open("/proc/self/fd/999", O_RDONLY), ENOENT);
    CHECK_ERR(open("/proc/self/fd/-1", O_RDONLY), ENOENT);
    CHECK_ERR(open("/proc/self/fd/x", O_RDONLY), ENOENT);

    // A pipe's other end can be had this way, a socket not.
    CHECK_EQ(pipe(p), 0);
    other = OK(open(proc("/proc/self/fd/%d", p[0]), O_WRONLY));
    CHECK_EQ(write(other, "p", 1), 1);
    CHECK_EQ(read(p[0], text, 1), 1);
    CHECK_ERR(open(proc("/proc/self/fd/%d", OK(socket(AF_UNIX, SOCK_STREAM, 0))), O_RDONLY), ENXIO);
    return done();
}
