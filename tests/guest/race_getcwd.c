// SPDX-License-Identifier: MIT
// getcwd and /proc/self/cwd while the directory's parent is renamed: always one of the two
// names.
// covers: getcwd, readlink, rename
#include "race.h"

static int top;
static char one[4200], two[4200];

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat(top, "one", top, "second"), 0);
    CHECK_EQ(renameat(top, "second", top, "one"), 0);
}

static void lookup(unsigned round)
{
    char got[8192];
    ssize_t n;

    (void)round;
    CHECK(syscall(SYS_getcwd, got, sizeof(got)) > 0);
    if (strcmp(got, one) != 0)
        CHECK_STR(got, two);
    n = OK(readlink("/proc/self/cwd", got, sizeof(got) - 1));
    got[n] = 0;
    if (strcmp(got, one) != 0)
        CHECK_STR(got, two);
    CHECK_EQ(access("../../..", F_OK), 0);
    race_hits++;
}

int main(void)
{
    char cwd[4096];

    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(one, sizeof(one), "%s/one/sub/end", cwd);
    snprintf(two, sizeof(two), "%s/second/sub/end", cwd);
    top = OK(open(".", O_PATH));
    CHECK_EQ(mkdir("one", 0755) | mkdir("one/sub", 0755) | mkdir("one/sub/end", 0755), 0);
    CHECK_EQ(chdir("one/sub/end"), 0);
    race_run(attack, lookup);
    return done();
}
