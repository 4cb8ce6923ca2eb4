// SPDX-License-Identifier: MIT
// `..` out of a directory that is moved between depths meanwhile, from a path and from a held
// descriptor: it never climbs past the root, nor into anything but the directories there are.
// covers: openat, rename, newfstatat, chdir, fchdir
#include "race.h"

static int deep, top;

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat(top, "p/q/r/s/m", top, "m"), 0);
    CHECK_EQ(renameat(top, "m", top, "p/q/r/s/m"), 0);
}

static void lookup(unsigned round)
{
    char up[128] = ".";
    struct stat st;

    for (unsigned i = 0; i <= round % 16; i++)
        strcat(up, "/..");
    race_check(openat(deep, up, O_PATH | O_DIRECTORY), up);
    if (fstatat(deep, up, &st, 0) == 0)
        race_check_stat(&st, up);
    race_check(openat(top, "p/q/r/s/m/d1/d2/../../../../../../../..", O_RDONLY), "from the path");
    race_check(openat(top, "m/d1/d2/../../../../..", O_RDONLY), "from the other path");
    CHECK_EQ(fchdir(deep), 0);
    race_check(open("../../..", O_RDONLY), "from the current directory");
    CHECK_EQ(chdir("../../.."), 0);
    race_check(open("..", O_PATH), "one more");
}

int main(void)
{
    static const char *const dirs[] = {
        "t",         "t/p",         "t/p/q",          "t/p/q/r",
        "t/p/q/r/s", "t/p/q/r/s/m", "t/p/q/r/s/m/d1", "t/p/q/r/s/m/d1/d2"};

    race_know_parents();
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(mkdir(dirs[i], 0755), 0);
        race_know(dirs[i]);
    }
    top = OK(open("t", O_PATH));
    deep = OK(open(dirs[7], O_RDONLY));
    race_run(attack, lookup);
    return done();
}
