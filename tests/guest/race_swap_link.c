// SPDX-License-Identifier: MIT
// A name is exchanged with a link to a file again and again: it always leads to one of two files,
// so what is asked of it never fails.
// covers: chmod, chown, truncate, open, stat, access, utimensat, statfs, link
#include "race.h"
#include <sys/syscall.h>
#include <sys/vfs.h>

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat2(AT_FDCWD, "name", AT_FDCWD, "other", RENAME_EXCHANGE), 0);
}

static void lookup(unsigned round)
{
    struct statfs fs;
    struct stat st;
    int fd;

    CHECK_EQ(chmod("name", round % 2 ? 0644 : 0640), 0);
    CHECK_EQ(chown("name", -1, getgid()), 0);
    CHECK_EQ(truncate("name", round % 10), 0);
    CHECK_EQ(stat("name", &st), 0);
    CHECK_EQ(st.st_mode & S_IFMT, S_IFREG);
    CHECK_EQ(access("name", R_OK | W_OK), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "name", NULL, 0), 0);
    CHECK_EQ(statfs("name", &fs), 0);
    fd = OK(open("name", O_RDWR));
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(linkat(AT_FDCWD, "name", AT_FDCWD, "new", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(unlink("new"), 0);
    race_hits++;
}

int main(void)
{
    put_file("name", "");
    put_file("file", "");
    CHECK_EQ(symlink("file", "other"), 0);
    race_run(attack, lookup);
    return done();
}
