// SPDX-License-Identifier: MIT
// Another thread puts different objects onto a descriptor number while it serves as dirfd: each
// call uses one of them, wholly.
// covers: dup2, openat, fchdir, newfstatat, mkdirat, unlinkat, readlinkat
#include "race.h"

enum { NR = 30, OBJECTS = 5 };

static int object[OBJECTS];

static void attack(unsigned round)
{
    CHECK_EQ(dup2(object[round % OBJECTS], NR), NR);
    if (round % 16 == 0)
        close(NR);
}

static void lookup(unsigned round)
{
    char text[8] = "", path[64];
    struct stat st;
    int fd;

    race_check(openat(NR, "..", O_PATH | O_DIRECTORY), "..");
    race_check(openat(NR, "../../..", O_RDONLY | O_DIRECTORY), "../../..");
    race_check(openat(NR, "link/..", O_PATH), "link/..");
    if (fstatat(NR, "../..", &st, 0) == 0)
        race_check_stat(&st, "stat of ../..");
    fd = openat(NR, "f", O_RDONLY);
    if (fd >= 0)
        CHECK(read(fd, text, 8) == 1 && (text[0] == 'a' || text[0] == 'b'));
    race_check(fd, "f");
    if (fchdir(NR) == 0) {
        race_check(open(".", O_PATH), "current directory");
        race_check(open("../..", O_PATH), "../.. of it");
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d/..", NR);
    race_check(open(path, O_PATH), path);
    snprintf(path, sizeof(path), "made%u", round % 4);
    if (mkdirat(NR, path, 0755) == 0)
        CHECK(unlinkat(NR, path, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTDIR ||
              errno == EBADF);
}

int main(void)
{
    race_know_parents();
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/a2", 0755) | mkdir("b", 0755) | mkdir("b/b2", 0755), 0);
    CHECK_EQ(mkdir("b/b2/b3", 0755), 0);
    put_file("a/a2/f", "a");
    put_file("b/b2/b3/f", "b");
    CHECK_EQ(symlink("../..", "a/a2/link") | symlink("/", "b/b2/b3/link"), 0);
    race_know("a");
    race_know("a/a2");
    race_know("a/a2/f");
    race_know("b");
    race_know("b/b2");
    race_know("b/b2/b3");
    race_know("b/b2/b3/f");
    object[0] = OK(open("a/a2", O_RDONLY));
    object[1] = OK(open("b/b2/b3", O_PATH));
    object[2] = OK(open("a/a2/f", O_RDONLY));
    object[3] = OK(open("a/a2/link", O_PATH | O_NOFOLLOW));
    object[4] = OK(open("b", O_PATH));
    race_run(attack, lookup);
    return done();
}
