// SPDX-License-Identifier: MIT
// An O_PATH descriptor is a place, not an open file: which calls take it and which say EBADF.
// covers: open, openat, fstat, newfstatat, fcntl, dup, fstatfs, fchdir, fchownat, linkat
#include "check.h"
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

int main(void)
{
    struct statfs fs;
    struct stat st;
    char name[32], c;
    int fd, dir, copy;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    // Permission on the object does not matter, and no flag but these few stays.
    CHECK_EQ(chmod("d/f", 0), 0);
    fd = OK(open("d/f", O_PATH | O_RDWR | O_TRUNC | O_APPEND));
    CHECK_EQ(chmod("d/f", 0644), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_PATH);
    CHECK_EQ(stat_of("d/f").st_size, 4);

    CHECK_ERR(read(fd, &c, 1), EBADF);
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK_ERR(pread(fd, &c, 1, 0), EBADF);
    CHECK_ERR(lseek(fd, 0, SEEK_SET), EBADF);
    CHECK_ERR(ftruncate(fd, 0), EBADF);
    CHECK_ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
    CHECK_ERR(syscall(SYS_fchown, fd, -1, -1), EBADF);
    CHECK_ERR(fgetxattr(fd, "user.x", &c, 1), EBADF);
    CHECK_ERR(fsync(fd), EBADF);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EBADF);
    CHECK_ERR(fcntl(fd, F_SETFL, O_NONBLOCK), EBADF);
    CHECK_ERR(flock(fd, LOCK_EX), EBADF);

    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_size, 4);
    CHECK_EQ(fstatat(fd, "", &st, AT_EMPTY_PATH), 0);
    CHECK_EQ(fstatfs(fd, &fs), 0);
    CHECK_EQ(fchownat(fd, "", -1, -1, AT_EMPTY_PATH), 0);
    CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    copy = OK(dup(fd));
    CHECK_EQ(fcntl(copy, F_GETFL) & ~0100000, O_PATH);
    CHECK_EQ(close(copy), 0);

    // The way back to an open file; the name may have changed meanwhile.
    CHECK_EQ(rename("d/f", "d/g"), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    CHECK_STR(get_file(name), "data");
    CHECK_EQ(chmod(name, 0600), 0);
    CHECK_EQ(mode_of("d/g"), 0600);
    CHECK_EQ(linkat(AT_FDCWD, name, AT_FDCWD, "h", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(stat_of("h").st_nlink, 2);

    dir = OK(open("d", O_PATH));
    fd = OK(openat(dir, "g", O_RDONLY));
    CHECK_STR(get_fd(fd), "data");
    CHECK_ERR(syscall(SYS_getdents64, dir, name, sizeof(name)), EBADF);
    CHECK_EQ(fchdir(dir), 0);
    CHECK_EQ(access("g", F_OK), 0);
    CHECK_EQ(close(dir), 0);
    return done();
}
