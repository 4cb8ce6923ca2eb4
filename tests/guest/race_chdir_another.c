// SPDX-License-Identifier: MIT
// The directory that a user enters is one that he may enter, also when another process puts one
// that he may not in its place.
// covers: chdir, renameat2
// needs: root
#include "race.h"

int main(void)
{
    struct stat mine, st;
    int back;

    CHECK_EQ(mkdir("d", 0755) | mkdir("d/mine", 0755) | mkdir("d/roots", 0700), 0);
    CHECK_EQ(chown("d", 1000, 1000) | chown("d/mine", 1000, 1000), 0);
    mine = stat_of("d/mine");
    pid_t names = OK(fork());
    if (!names) {
        become(1000, 1000);
        for (;;)
            renameat2(AT_FDCWD, "d/mine", AT_FDCWD, "d/roots", RENAME_EXCHANGE);
    }
    back = OK(open("d", O_PATH));
    become(1000, 1000);
    for (long end = race_ms() + RACE_MS; race_ms() < end;) {
        CHECK_EQ(fchdir(back), 0);
        if (chdir("mine")) {
            CHECK_EQ(errno, EACCES);
            continue;
        }
        race_hits++;
        CHECK_EQ(stat(".", &st), 0);
        CHECK_EQ(st.st_ino, mine.st_ino);
    }
    CHECK(race_hits > 0);
    CHECK_EQ(kill(names, SIGKILL), 0);
    CHECK_EQ(waitpid(names, NULL, 0), names);
    return done();
}
