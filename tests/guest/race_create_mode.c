// SPDX-License-Identifier: MIT
// A new file, directory or fifo has its mode and owner from the first moment that anybody can
// see it.
// covers: open, mkdir, mknod, unlink, rmdir, lstat, newfstatat
#include "race.h"

static void attack(unsigned round)
{
    switch (round % 3) {
    case 0:
        close(OK(open("n", O_RDWR | O_CREAT | O_EXCL, 0461)));
        CHECK_EQ(unlink("n"), 0);
        break;
    case 1:
        CHECK_EQ(mkdir("n", 01351), 0);
        CHECK_EQ(rmdir("n"), 0);
        break;
    default:
        CHECK_EQ(mknod("n", S_IFIFO | 0246, 0), 0);
        CHECK_EQ(unlink("n"), 0);
    }
}

static void lookup(unsigned round)
{
    struct stat st;

    (void)round;
    if (lstat("n", &st) != 0) {
        CHECK_EQ(errno, ENOENT);
        return;
    }
    CHECK_EQ(st.st_mode & 07777, S_ISREG(st.st_mode) ? 0461 : S_ISDIR(st.st_mode) ? 01351 : 0246);
    CHECK(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISFIFO(st.st_mode));
    CHECK_EQ(st.st_uid, geteuid());
    race_hits++;
}

int main(void)
{
    umask(0);
    race_run(attack, lookup);
    return done();
}
