// SPDX-License-Identifier: MIT
// Who opens, looks at or changes a name of an overlay while another thread removes it and makes it
// again finds it or not: no whiteout shows, as a device that is not there or may not be opened.
// covers: open, stat, chmod, truncate, unlink
// needs: root
#include "overlay.h"
#include "race.h"

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(unlink("f"), 0);
    close(OK(open("f", O_CREAT | O_EXCL | O_WRONLY, 0644)));
}

static void there_or_not(long r)
{
    CHECK(r >= 0 || errno == ENOENT);
}

static void lookup(unsigned round)
{
    static const int flags[] = {O_RDONLY, O_RDWR, O_PATH, O_RDONLY | O_NONBLOCK,
                                O_WRONLY | O_TRUNC};
    struct stat st;
    int fd = open("f", flags[round % 5]);
    there_or_not(fd);
    if (fd >= 0) {
        CHECK_EQ(fstat(fd, &st), 0);
        CHECK(S_ISREG(st.st_mode));
        close(fd);
    }
    int r = stat("f", &st);
    there_or_not(r);
    CHECK(r < 0 || S_ISREG(st.st_mode));
    there_or_not(chmod("f", 0600 + round % 64));
    there_or_not(truncate("f", round % 100));
    race_hits += fd >= 0;
}

int main(void)
{
    overlay_layers();
    put_file("l1/f", "low");
    overlay_mount();
    CHECK_EQ(chdir("m"), 0);
    race_run(attack, lookup);
    return done();
}
