// SPDX-License-Identifier: MIT
// A directory of the path is exchanged with a symlink to /, upwards or away again and again:
// every lookup ends inside, or fails.
// covers: openat, open, stat, renameat2, symlink, readlink, openat2
#include "race.h"
#include <linux/openat2.h>

static int top;

static void attack(unsigned round)
{
    static const char *const to[] = {
        "/", "..", "../../..", "../../../../../../../..", "/proc/self/root", "../real/../../.."};

    unlinkat(top, "a/link", 0);
    CHECK_EQ(symlinkat(to[round % 6], top, "a/link"), 0);
    CHECK_EQ(renameat2(top, "a/link", top, "a/x", RENAME_EXCHANGE), 0);
    CHECK_EQ(renameat2(top, "a/x", top, "a/link", RENAME_EXCHANGE), 0);
}

static void lookup(unsigned round)
{
    struct open_how beneath = {.flags = O_PATH, .resolve = RESOLVE_BENEATH};
    struct stat st;
    int fd;

    race_check(open("t/a/x", O_RDONLY | O_DIRECTORY), "x");
    race_check(open("t/a/x/..", O_PATH), "x/..");
    race_check(open("t/a/x/../../..", O_RDONLY), "x/../../..");
    race_check(openat(top, "a/x/sub/..", O_PATH | O_DIRECTORY), "x/sub/..");
    if (stat("t/a/x/.", &st) == 0)
        race_check_stat(&st, "stat of x/.");
    race_check(syscall(SYS_openat2, top, "a/x/sub", &beneath, sizeof(beneath)), "beneath");
    fd = open("t/a/x/secret", O_RDONLY);
    if (fd >= 0)
        CHECK_STR(get_fd(fd), "inside");
    race_check(fd, "x/secret");
    if (round % 8 == 0 && chdir("t/a/x") == 0) {
        race_check(open(".", O_PATH), "current directory");
        CHECK_EQ(fchdir(top), 0);
        CHECK_EQ(chdir(".."), 0);
    }
}

int main(void)
{
    CHECK_EQ(mkdir("t", 0755) | mkdir("t/a", 0755) | mkdir("t/a/x", 0755), 0);
    CHECK_EQ(mkdir("t/a/x/sub", 0755) | mkdir("t/a/real", 0755), 0);
    put_file("t/a/x/secret", "inside");
    top = OK(open("t", O_PATH));
    race_know_parents();
    race_know("t");
    race_know("t/a");
    race_know("t/a/x");
    race_know("t/a/real");
    race_know("t/a/x/sub");
    race_know("t/a/x/secret");
    race_run(attack, lookup);
    return done();
}
