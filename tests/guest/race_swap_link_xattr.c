// SPDX-License-Identifier: MIT
// A name is exchanged with a link to a file again and again: it always leads to one of two files,
// so their attributes are found, set and removed by it, and never the link's.
// covers: setxattr, getxattr, listxattr, removexattr
#include "race.h"
#include <sys/xattr.h>

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat2(AT_FDCWD, "name", AT_FDCWD, "other", RENAME_EXCHANGE), 0);
}

static void lookup(unsigned round)
{
    char value[8], list[256];
    (void)round;

    CHECK_EQ(setxattr("name", "user.a", "1", 1, 0), 0);
    CHECK_EQ(getxattr("name", "user.always", value, sizeof value), 1);
    CHECK(listxattr("name", list, sizeof list) >= 12);
    if (removexattr("name", "user.a") != 0)
        CHECK_EQ(errno, ENODATA); // the other file's
    if (geteuid() == 0) {
        CHECK_EQ(setxattr("name", "trusted.a", "1", 1, 0), 0);
        if (removexattr("name", "trusted.a") != 0)
            CHECK_EQ(errno, ENODATA);
    }
    race_hits++;
}

int main(void)
{
    put_file("name", "");
    put_file("file", "");
    CHECK_EQ(setxattr("name", "user.always", "1", 1, 0), 0);
    CHECK_EQ(setxattr("file", "user.always", "1", 1, 0), 0);
    CHECK_EQ(symlink("file", "other"), 0);
    race_run(attack, lookup);
    if (geteuid() == 0)
        for (int i = 0; i < 2; i++)
            CHECK_EQ(lgetxattr(i ? "other" : "name", "trusted.a", NULL, 0) >= 0 &&
                         readlink(i ? "other" : "name", (char[8]){0}, 8) > 0,
                     0);
    return done();
}
