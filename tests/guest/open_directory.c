// SPDX-License-Identifier: MIT
// O_DIRECTORY accepts directories only, also behind a symlink, and is the way to a dirfd.
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
    return done();
}
