// SPDX-License-Identifier: MIT
// chown and chmod move the time of change and no other, also where nothing else
// changes: of files, directories, symlinks and FIFOs, with root and with another as the owner.
// utimensat leaves the access time of a symlink alone where it is told to.
// needs: root
// covers: fchownat, fchmodat, utimensat, newfstatat
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define Y2K 946684800

static void tick(void)
{
    nanosleep(&(struct timespec){0, 25000000}, NULL);
}

static int later(const struct stat *a, const struct stat *b)
{
    return a->st_ctim.tv_sec < b->st_ctim.tv_sec ||
           (a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec < b->st_ctim.tv_nsec);
}

static int same(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void moved(const char *name, struct stat *before)
{
    struct stat now;

    CHECK_EQ(lstat(name, &now), 0);
    CHECK(later(before, &now));
    if (S_ISREG(now.st_mode) || S_ISFIFO(now.st_mode)) // docs/limits.md
        CHECK(same(&before->st_atim, &now.st_atim));
    CHECK(same(&before->st_mtim, &now.st_mtim));
    *before = now;
}

int main(void)
{
    static const char *const names[] = {"link", "fifo", "file", "dir"};
    struct stat st;

    CHECK_EQ(symlink("none", "link"), 0);
    CHECK_EQ(mkfifo("fifo", 0644), 0);
    CHECK_EQ(close(open("file", O_CREAT | O_WRONLY, 0640)), 0);
    CHECK_EQ(mkdir("dir", 0750), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(lstat(names[i], &st), 0);
        for (int to = 0; to < 4; to++) { // root's twice, then another's twice
            uid_t owner = to < 2 ? 0 : 1000;
            tick();
            CHECK_EQ(fchownat(AT_FDCWD, names[i], owner, owner, AT_SYMLINK_NOFOLLOW), 0);
            moved(names[i], &st);
        }
        for (int to = 0; to < 2 && i; to++) {
            tick();
            CHECK_EQ(fchmodat(AT_FDCWD, names[i], 0555, 0), 0);
            moved(names[i], &st);
        }
    }
    CHECK_EQ(lstat("fifo", &st), 0);
    tick();
    CHECK_EQ(fchmodat(AT_FDCWD, "fifo", 0644, 0), 0);
    moved("fifo", &st);
    tick();
    CHECK_EQ(fchmodat(AT_FDCWD, "fifo", 0400, 0), 0);
    moved("fifo", &st);

    CHECK_EQ(symlink("none", "own"), 0); // root's: docs/limits.md
    struct timespec y2k[2] = {{Y2K, 0}, {Y2K, 0}};
    struct timespec now[2] = {{1000000000, UTIME_OMIT}, {0, UTIME_NOW}};
    CHECK_EQ(utimensat(AT_FDCWD, "own", y2k, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(lstat("own", &st), 0);
    CHECK_EQ(st.st_atime, Y2K);
    tick();
    CHECK_EQ(utimensat(AT_FDCWD, "own", now, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(lstat("own", &st), 0);
    CHECK_EQ(st.st_atime, Y2K);
    CHECK_EQ(lstat("own", &st), 0);
    CHECK_EQ(st.st_atime, Y2K);
    return done();
}
