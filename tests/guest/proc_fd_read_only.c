// SPDX-License-Identifier: MIT
// A removed file or directory that was opened in a read-only mount stays so: nothing is changed by
// its name in /proc/self/fd, nor by the descriptor.
// covers: open, truncate, chmod, chown, utimensat, setxattr, removexattr, fchmod
// needs: root
#include "mountns.h"
#include <sys/xattr.h>

static void stays(int fd, int dir)
{
    char at[40];
    struct stat before, st;

    snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
    CHECK_EQ(stat(at, &before), 0);
    CHECK_EQ(before.st_nlink, 0);
    CHECK_ERR(open(at, O_WRONLY), dir ? EISDIR : EROFS);
    CHECK_ERR(open(at, O_RDWR | O_TRUNC), dir ? EISDIR : EROFS);
    CHECK_ERR(truncate(at, 0), dir ? EISDIR : EROFS);
    CHECK_ERR(chmod(at, 0600), EROFS);
    CHECK_ERR(chown(at, 1, 2), EROFS);
    CHECK_ERR(utimensat(AT_FDCWD, at, NULL, 0), EROFS);
    CHECK_ERR(setxattr(at, "user.x", "1", 1, 0), EROFS);
    CHECK_ERR(removexattr(at, "user.y"), EROFS);
    CHECK_ERR(access(at, W_OK), EROFS);
    CHECK_ERR(fchmod(fd, 0600), EROFS);
    CHECK_ERR(fchown(fd, 1, 2), EROFS);
    CHECK_ERR(futimens(fd, NULL), EROFS);
    CHECK_ERR(fsetxattr(fd, "user.x", "1", 1, 0), EROFS);
    CHECK_EQ(close(OK(open(at, O_RDONLY))), 0);
    CHECK_EQ(stat(at, &st), 0);
    CHECK_EQ(st.st_mode, before.st_mode);
    CHECK_EQ(st.st_size, before.st_size);
    CHECK_EQ(st.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    CHECK_EQ(close(fd), 0);
}

int main(void)
{
    int f, d;

    own_mounts();
    CHECK_EQ(mkdir("d", 0755) | mkdir("ro", 0755), 0);
    CHECK_EQ(mount("d", "ro", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount(NULL, "ro", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    put_file("d/f", "data");
    CHECK_EQ(mkdir("d/e", 0755), 0);
    f = OK(open("ro/f", O_RDONLY));
    d = OK(open("ro/e", O_RDONLY));
    CHECK_EQ(unlink("d/f") | rmdir("d/e"), 0);
    stays(f, 0);
    stays(d, 1);
    CHECK_EQ(umount("ro"), 0);
    return done();
}
