// SPDX-License-Identifier: MIT
// While another process replaces a file by rename, and removes it and makes it anew, stat sees
// size and mode of one and the same file: those that belong together, or the ones of a new file
// that is still empty.
// covers: rename, unlink, stat, open, ftruncate
#include "race.h"
#include <sys/wait.h>

// Neither mode is what the host's file can have for its owner.
static const struct {
    mode_t mode;
    off_t size;
} kinds[2] = {{0461, 1000}, {0246, 2000}};

static void make(const char *name, unsigned round)
{
    int fd = OK(open(name, O_RDWR | O_CREAT | O_EXCL, kinds[round % 2].mode));
    CHECK_EQ(ftruncate(fd, kinds[round % 2].size), 0);
    CHECK_EQ(close(fd), 0);
}

static void attack(unsigned round)
{
    make("new", round);
    CHECK_EQ(rename("new", "f"), 0);
    if (round % 3)
        return;
    CHECK_EQ(unlink("f"), 0);
    make("f", round / 3);
}

static int belongs(const struct stat *st)
{
    for (int i = 0; i < 2; i++)
        if ((st->st_mode & 07777) == kinds[i].mode)
            return st->st_size == kinds[i].size || !st->st_size;
    return 0;
}

int main(void)
{
    struct stat st;
    long end = race_ms() + RACE_MS;

    umask(0);
    make("f", 0);
    pid_t pid = OK(fork());
    if (!pid) {
        for (unsigned round = 0; race_ms() < end; round++)
            attack(round);
        _exit(0);
    }
    while (race_ms() < end) {
        if (stat("f", &st) != 0) {
            CHECK_EQ(errno, ENOENT);
            continue;
        }
        CHECK(belongs(&st));
        race_hits++;
    }
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK(race_hits > 0);
    return done();
}
