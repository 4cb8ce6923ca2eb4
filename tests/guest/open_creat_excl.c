// SPDX-License-Identifier: MIT
// O_CREAT, O_CREAT|O_EXCL and creat: who makes the file, who must find it absent, and links on
// the way.
// covers: open, creat, openat
#include "check.h"

int main(void)
{
    int fd = OK(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));

    CHECK_EQ(write(fd, "1234", 4), 4);
    CHECK_EQ(close(fd), 0);
    CHECK_ERR(open("new", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    CHECK_STR(get_file("new"), "1234");
    CHECK_ERR(open(".", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);

    // Without O_EXCL an existing file is opened as it is and keeps its mode.
    CHECK_EQ(chmod("new", 0640), 0);
    fd = OK(open("new", O_RDWR | O_CREAT, 0777));
    CHECK_STR(get_fd(fd), "1234");
    CHECK_EQ(mode_of("new"), 0640);

    // A symlink: O_EXCL never follows it, plain O_CREAT makes the target of a dangling one.
    CHECK_EQ(symlink("target", "link"), 0);
    CHECK_ERR(open("link", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERR(open("link", O_RDWR), ENOENT);
    CHECK_ERR(access("target", F_OK), ENOENT);
    OK(open("link", O_RDWR | O_CREAT, 0600));
    CHECK(S_ISREG(stat_of("target").st_mode));
    CHECK(S_ISLNK(stat_of("link").st_mode));
    CHECK_EQ(symlink("nodir/x", "bad"), 0);
    CHECK_ERR(open("bad", O_RDWR | O_CREAT, 0600), ENOENT);

    // creat is O_WRONLY|O_CREAT|O_TRUNC; a mode without write permission binds later opens only.
    fd = OK(syscall(SYS_creat, "new", 0600));
    CHECK_EQ(stat_of("new").st_size, 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    fd = OK(syscall(SYS_creat, "readonly", 0444));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(mode_of("readonly"), 0444);
    CHECK_ERR(syscall(SYS_creat, "nodir/f", 0600), ENOENT);
    return done();
}
