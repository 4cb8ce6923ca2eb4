// SPDX-License-Identifier: MIT
// Read-only and recursive bind mounts: EROFS holds for the mount, not for the files; mounts
// below the source come along only with MS_REC; MS_MOVE takes a mount elsewhere.
// covers: mount, umount2, open, faccessat2
// needs: root
#include "mountns.h"

int main(void)
{
    int fd;

    own_mounts();
    CHECK_EQ(mkdir("src", 0755) | mkdir("src/m", 0755) | mkdir("a", 0755) | mkdir("b", 0755), 0);
    put_file("src/f", "data");
    CHECK_EQ(mount("none", "src/m", "tmpfs", 0, NULL), 0);
    put_file("src/m/inner", "");

    CHECK_EQ(symlink("f", "src/to_f") | symlink("m", "src/to_m"), 0);
    CHECK_EQ(mount("src", "a", NULL, MS_BIND, NULL), 0);
    CHECK_ERR(access("a/m/inner", F_OK), ENOENT);
    CHECK_EQ(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    fd = OK(open("a/f", O_RDONLY));
    CHECK_STR(get_fd(fd), "data");
    close(fd);
    CHECK_ERR(open("a/f", O_WRONLY), EROFS);
    CHECK_ERR(open("a/new", O_RDWR | O_CREAT, 0600), EROFS);
    CHECK_ERR(open("a/f", O_RDONLY | O_TRUNC), EROFS);
    CHECK_ERR(open("a/f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERR(open("a/f/", O_RDWR), ENOTDIR);
    CHECK_ERR(open("a/f", O_WRONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("a", O_RDWR), EISDIR);
    CHECK_ERR(open("a", O_RDWR | O_TMPFILE, 0600), EROFS);
    CHECK_ERR(open("a/f", O_RDWR | O_TMPFILE, 0600), ENOTDIR);
    CHECK_ERR(open("a/none", O_RDWR | O_TMPFILE, 0600), ENOENT);
    CHECK_ERR(open("a/to_f", O_RDWR | O_TMPFILE, 0600), ENOTDIR);
    CHECK_ERR(open("a/to_m", O_RDWR | O_TMPFILE | O_NOFOLLOW, 0600), ENOTDIR);
    CHECK_ERR(open("a/to_m", O_RDWR | O_TMPFILE, 0600), EROFS);
    CHECK_ERR(open("a", O_WRONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERR(open("a", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERR(open("a/none", O_WRONLY), ENOENT);
    CHECK_ERR(chmod("a/none", 0600), ENOENT);
    CHECK_ERR(chown("a/none", 0, 0), ENOENT);
    CHECK_ERR(chmod("a/f/", 0600), ENOTDIR);
    CHECK_ERR(utimensat(AT_FDCWD, "a/none", NULL, 0), ENOENT);
    CHECK_ERR(utimensat(AT_FDCWD, "a/f/", NULL, 0), ENOTDIR);
    CHECK_ERR(setxattr("a/none", "user.x", "1", 1, 0), ENOENT);
    CHECK_ERR(mkdir("a/d", 0700), EROFS);
    CHECK_ERR(unlink("a/f"), EROFS);
    CHECK_ERR(rename("a/f", "a/g"), EROFS);
    CHECK_ERR(chmod("a/f", 0600), EROFS);
    CHECK_ERR(chown("a/f", 0, 0), EROFS);
    CHECK_ERR(truncate("a/f", 0), EROFS);
    CHECK_ERR(symlink("x", "a/s"), EROFS);
    CHECK_ERR(utimensat(AT_FDCWD, "a/f", NULL, 0), EROFS);
    CHECK_ERR(access("a/f", W_OK), EROFS);
    CHECK_EQ(access("a/f", R_OK), 0);
    put_file("src/f", "changed");
    CHECK_STR(get_file("a/f"), "changed");

    CHECK_EQ(mount("src", "b", NULL, MS_BIND | MS_REC, NULL), 0);
    CHECK_EQ(access("b/m/inner", F_OK), 0);
    CHECK_EQ(mkdir("c", 0755), 0);
    CHECK_EQ(mount("b", "c", NULL, MS_MOVE, NULL), 0);
    CHECK_EQ(access("c/m/inner", F_OK), 0);
    CHECK_ERR(access("b/f", F_OK), ENOENT);

    CHECK_ERR(umount2("c", 0), EBUSY); // a mount below
    CHECK_EQ(umount2("c/m", 0) | umount2("c", 0), 0);
    CHECK_EQ(umount2("a", 0) | umount2("src/m", 0), 0);
    CHECK_ERR(access("src/m/inner", F_OK), ENOENT);
    return done();
}
