// SPDX-License-Identifier: MIT
// An ordinary user's paths through a directory, and through one below it, that a process exchanges
// with a link to another of the same names: each leads to one of the two, whichever it is.
// covers: stat, open, chdir, renameat2
// needs: root
#include "race.h"

static const char *const paths[] = {"x/f", "x/sub/f", "./x/sub/../f", "x/sub/./deep/f"};

static void attack(void)
{
    CHECK_EQ(renameat2(AT_FDCWD, "link", AT_FDCWD, "x", RENAME_EXCHANGE), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static void lookup(unsigned round)
{
    const char *path = paths[round % 4];
    struct stat st;
    int fd;

    CHECK_EQ(stat(path, &st), 0);
    fd = OK(open(path, O_RDONLY));
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(access(path, R_OK), 0);
    CHECK_EQ(chdir("x/sub"), 0);
    CHECK_EQ(chdir("../.."), 0);
}

int main(void)
{
    CHECK_EQ(mkdir("x", 0755) | mkdir("other", 0755), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(chdir(i ? "other" : "x"), 0);
        CHECK_EQ(mkdir("sub", 0755) | mkdir("sub/deep", 0755), 0);
        put_file("f", "");
        put_file("sub/f", "");
        put_file("sub/deep/f", "");
        CHECK_EQ(chdir(".."), 0);
    }
    CHECK_EQ(symlink("other", "link") | chmod(".", 0755), 0);
    pid_t names = OK(fork());
    while (!names)
        attack();
    pid_t user = OK(fork());
    if (!user) {
        become(1000, 1000);
        long end = race_ms() + RACE_MS;
        for (unsigned round = 0; race_ms() < end; round++)
            lookup(round);
        return 0;
    }
    wait_ok(user);
    CHECK_EQ(kill(names, SIGKILL), 0);
    CHECK_EQ(waitpid(names, NULL, 0), names);
    return done();
}
