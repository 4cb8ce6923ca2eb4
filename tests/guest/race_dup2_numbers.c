// SPDX-License-Identifier: MIT
// One thread uses every high descriptor number (dup2, close, close_range) while the other makes
// calls by path: neither disturbs the other, whatever descriptors a layer opens in between.
// covers: dup2, close, close_range, open, stat, chmod, getcwd
#include "race.h"

static struct stat marker;
static int source;

static void attack(unsigned round)
{
    struct stat st;

    for (int n = 1023; n > 700; n -= 1 + round % 3) {
        CHECK_EQ(dup2(source, n), n);
        CHECK_EQ(fstat(n, &st), 0);
        CHECK_EQ(st.st_ino, marker.st_ino);
        if (round % 4)
            CHECK_EQ(close(n), 0);
    }
    if (round % 4 == 0)
        CHECK_EQ(close_range(600, ~0u, 0), 0);
    if (round % 64 == 0)
        CHECK_EQ(close_range(1000, 1023, CLOSE_RANGE_CLOEXEC), 0);
}

static void lookup(unsigned round)
{
    char cwd[4096];
    struct stat st;
    int fd;

    fd = OK(open("d/s/../s/./f", O_RDWR));
    CHECK(fd < 100);
    CHECK_STR(get_fd(fd), "data");
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(stat("d/s/link", &st), 0);
    CHECK_EQ(st.st_size, 4);
    CHECK_EQ(chmod("d/s/f", 0600 + round % 8), 0);
    CHECK_EQ(rename("d/s/f", "d/g"), 0);
    CHECK_EQ(rename("d/g", "d/s/f"), 0);
    CHECK_EQ(mkdir("d/new", 0700), 0);
    CHECK_EQ(rmdir("d/new"), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    race_hits++;
}

int main(void)
{
    CHECK_EQ(mkdir("d", 0755) | mkdir("d/s", 0755) | symlink("../s/f", "d/s/link"), 0);
    put_file("d/s/f", "data");
    put_file("marker", "");
    marker = stat_of("marker");
    source = OK(open("marker", O_RDONLY));
    race_run(attack, lookup);
    return done();
}
