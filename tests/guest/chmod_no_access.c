// SPDX-License-Identifier: MIT
// The owner of a file without permission bits may not open it, but may stat, chmod, rename and
// unlink it; descriptors opened before keep working.
// covers: chmod, open, openat, access, unlink
// needs: root
#include "check.h"

static void child(void)
{
    int fd;

    become(1000, 1000);
    put_file("f", "data");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(chmod("f", 0), 0);
    CHECK_EQ(mode_of("f"), 0);
    CHECK_ERR(open("f", O_RDONLY), EACCES);
    CHECK_ERR(open("f", O_WRONLY), EACCES);
    CHECK_ERR(open("f", O_WRONLY | O_CREAT | O_TRUNC, 0600), EACCES);
    CHECK_ERR(truncate("f", 0), EACCES);
    CHECK_ERR(access("f", R_OK), EACCES);
    CHECK_EQ(access("f", F_OK), 0);
    CHECK_STR(get_fd(fd), "data");
    CHECK_EQ(pwrite(fd, "D", 1, 0), 1);
    CHECK_EQ(rename("f", "g"), 0);
    CHECK_EQ(chmod("g", 0200), 0);
    CHECK_ERR(open("g", O_RDONLY), EACCES);
    CHECK_ERR(open("g", O_RDWR), EACCES);
    fd = OK(open("g", O_WRONLY));
    CHECK_EQ(chmod("g", 0444), 0);
    CHECK_ERR(open("g", O_WRONLY), EACCES);
    CHECK_STR(get_file("g"), "Data");
    CHECK_EQ(unlink("g"), 0);

    // A directory: r lists, x passes, w (with x) changes.
    CHECK_EQ(mkdir("sub", 0700), 0);
    put_file("sub/f", "");
    CHECK_EQ(chmod("sub", 0400), 0);
    OK(open("sub", O_RDONLY));
    CHECK_ERR(access("sub/f", F_OK), EACCES);
    CHECK_ERR(chdir("sub"), EACCES);
    CHECK_EQ(chmod("sub", 0100), 0);
    CHECK_ERR(open("sub", O_RDONLY), EACCES);
    CHECK_EQ(access("sub/f", F_OK), 0);
    CHECK_ERR(unlink("sub/f"), EACCES);
    CHECK_ERR(open("sub/new", O_RDWR | O_CREAT, 0600), EACCES);
    CHECK_EQ(chmod("sub", 0300), 0);
    CHECK_EQ(unlink("sub/f"), 0);
    CHECK_EQ(rmdir("sub"), 0);
    _exit(0);
}

int main(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chown("d", 1000, 1000), 0);
    CHECK_EQ(chdir("d"), 0);
    pid_t pid = fork();
    if (pid == 0)
        child();
    wait_ok(pid);

    // None of it stops root.
    put_file("r", "root");
    CHECK_EQ(chmod("r", 0), 0);
    CHECK_STR(get_file("r"), "root");
    OK(open("r", O_RDWR));
    CHECK_EQ(access("r", R_OK | W_OK), 0);
    CHECK_ERR(access("r", X_OK), EACCES);
    return done();
}
