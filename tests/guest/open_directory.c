// SPDX-License-Identifier: MIT
// O_DIRECTORY accepts directories only, also behind a symlink, and is the way to a dirfd. What
// O_CREAT says of a directory comes before what O_DIRECT does. /proc has files neither for that nor
// O_TMPFILE.
// covers: open, openat, fstat
#include "check.h"

int main(void)
{
    struct stat st;
    int fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("f", "");
    CHECK_EQ(symlink("d", "dlink"), 0);
    CHECK_EQ(symlink("f", "flink"), 0);
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("flink", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("f", O_PATH | O_DIRECTORY), ENOTDIR);
    // Refused before the open could wait for a writer.
    CHECK_ERR(open("fifo", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("missing", O_RDONLY | O_DIRECTORY), ENOENT);
    CHECK_ERR(open("d", O_WRONLY | O_DIRECTORY), EISDIR);
    fd = OK(open("dlink", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_ino, stat_of("d").st_ino);
    OK(openat(fd, "inside", O_WRONLY | O_CREAT, 0600));
    CHECK(S_ISREG(stat_of("d/inside").st_mode));
    CHECK_ERR(open("d", O_RDONLY | O_CREAT | O_DIRECT, 0644), EISDIR);
    CHECK_ERR(open("dlink", O_RDONLY | O_CREAT | O_DIRECT, 0644), EISDIR);
    CHECK_ERR(open("d/.", O_RDONLY | O_CREAT | O_DIRECT, 0644), EISDIR);
    CHECK_ERR(open("/", O_RDONLY | O_CREAT | O_DIRECT, 0644), EISDIR);
    CHECK_ERR(open("d", O_RDONLY | O_DIRECT), EINVAL);
    CHECK_ERR(open("d", O_RDONLY | O_CREAT | O_DIRECTORY, 0644), EINVAL);
    CHECK_ERR(open("/proc/self/status", O_RDONLY | O_DIRECT), EINVAL);
    CHECK_ERR(open("/proc/self/stat", O_RDONLY | O_DIRECT), EINVAL);
    CHECK_ERR(open("/proc", O_TMPFILE | O_RDWR, 0600), geteuid() ? EACCES : EOPNOTSUPP);
    CHECK_ERR(open("/proc/self", O_TMPFILE | O_RDWR, 0600), EPERM);
    CHECK_ERR(open("/proc/self/fd", O_TMPFILE | O_RDWR, 0600), EOPNOTSUPP);
    return done();
}
