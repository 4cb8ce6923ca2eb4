// SPDX-License-Identifier: MIT
// The owner and mode that stat tells are those of the file that it tells the number of, while
// another process exchanges its name with another's, there and back.
// covers: stat, renameat2
// needs: root
#include "race.h"

int main(void)
{
    struct stat one, two, st;
    unsigned looks = 0;
    int fd[2];

    put_file("one", "");
    put_file("two", "");
    CHECK_EQ(chown("one", 1001, 2001) | chown("two", 1002, 2002), 0);
    CHECK_EQ(chmod("one", 0601) | chmod("two", 0602), 0);
    one = stat_of("one");
    two = stat_of("two");
    fd[0] = OK(open("one", O_RDWR));
    fd[1] = OK(open("two", O_RDWR));
    pid_t others[3];
    for (int i = 0; i < 3; i++) {
        others[i] = OK(fork());
        for (unsigned n = 0; !others[i]; n++)
            if (i < 2)
                CHECK_EQ(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE), 0);
            else // what is known of them no longer counts
                CHECK_EQ(fchmod(fd[n % 2], (n & 2 ? 0601 : 0641) + n % 2), 0);
    }
    for (long end = race_ms() + 2 * RACE_MS; race_ms() < end; looks++) {
        CHECK_EQ(stat("one", &st), 0);
        const struct stat *is = st.st_ino == one.st_ino ? &one : &two;
        CHECK_EQ(st.st_ino, is->st_ino);
        CHECK_EQ(st.st_uid, is->st_uid);
        CHECK_EQ(st.st_gid, is->st_gid);
        CHECK_EQ(st.st_mode & 7, st.st_ino == one.st_ino ? 1 : 2);
    }
    CHECK(looks > 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(kill(others[i], SIGKILL), 0);
        CHECK_EQ(waitpid(others[i], NULL, 0), others[i]);
    }
    return done();
}
