// SPDX-License-Identifier: MIT
// Named pipes: opens meet each other, O_NONBLOCK and O_RDWR do not wait, data passes by the
// inode.
// covers: open, openat, mknod, mknodat, read, write
#include "check.h"

int main(void)
{
    char text[8] = "";
    int rd, wr;

    umask(022);
    CHECK_EQ(mkfifo("f", 0666), 0);
    CHECK(S_ISFIFO(stat_of("f").st_mode));
    CHECK_EQ(mode_of("f"), 0644);
    CHECK_EQ(link("f", "g"), 0);
    CHECK_ERR(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
    rd = OK(open("f", O_RDONLY | O_NONBLOCK));
    CHECK_EQ(read(rd, text, 1), 0);
    wr = OK(open("g", O_WRONLY | O_NONBLOCK));
    CHECK_ERR(read(rd, text, 1), EAGAIN);
    CHECK_EQ(write(wr, "data", 4), 4);
    CHECK_EQ(rename("f", "h"), 0);
    CHECK_EQ(read(rd, text, sizeof(text)), 4);
    CHECK_STR(text, "data");
    CHECK_EQ(close(wr), 0);
    CHECK_EQ(read(rd, text, 1), 0);
    CHECK_EQ(close(rd), 0);

    // Blocking opens wait for each other, in whatever order they come.
    pid_t pid = fork();
    if (pid == 0) {
        wr = OK(open("h", O_WRONLY));
        CHECK_EQ(write(wr, "met", 4), 4);
        _exit(0);
    }
    rd = OK(open("g", O_RDONLY));
    CHECK_EQ(read(rd, text, sizeof(text)), 4);
    CHECK_STR(text, "met");
    wait_ok(pid);
    CHECK_EQ(close(rd), 0);

    rd = OK(open("h", O_RDWR | O_TRUNC | O_CREAT, 0600));
    CHECK_EQ(write(rd, "self", 4), 4);
    CHECK_EQ(unlink("h"), 0);
    CHECK_EQ(unlink("g"), 0);
    CHECK_EQ(read(rd, text, 4), 4);
    CHECK_ERR(lseek(rd, 0, SEEK_SET), ESPIPE);
    return done();
}
