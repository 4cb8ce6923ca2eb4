// SPDX-License-Identifier: MIT
// rename over a name is atomic: while it is replaced again and again, an open never fails, reads
// one whole version, and stat sees one whole set of owner and mode.
// covers: rename, open, stat, read, chmod
#include "race.h"

static void attack(unsigned round)
{
    char text[65];
    int fd = OK(open("new", O_RDWR | O_CREAT | O_EXCL, 0600));

    memset(text, 'a' + round % 26, 64);
    CHECK_EQ(write(fd, text, 64), 64);
    CHECK_EQ(fchmod(fd, round % 2 ? 0640 : 0604), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(rename("new", "f"), 0);
}

static void lookup(unsigned round)
{
    char text[65];
    struct stat st;
    int fd = OK(open("f", O_RDONLY));

    (void)round;
    CHECK_EQ(read(fd, text, 65), 64);
    for (int i = 1; i < 64; i++)
        CHECK_EQ(text[i], text[0]);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode & 07777, (text[0] - 'a') % 2 ? 0640 : 0604);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(stat("f", &st), 0);
    CHECK(st.st_size == 64 && (st.st_mode == (S_IFREG | 0640) || st.st_mode == (S_IFREG | 0604)));
    race_hits++;
}

int main(void)
{
    attack(0);
    race_run(attack, lookup);
    return done();
}
