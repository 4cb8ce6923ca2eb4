// SPDX-License-Identifier: MIT
// A path goes on from /proc/self/fd/N in the directory that the descriptor is open on, whatever
// another thread gives its name to meanwhile.
// covers: open, stat, chdir, mkdirat
// trap: not overlay there a directory is known by its path, by all descriptors
#include "race_names.h"

#define ROUNDS 600

static const char *names[] = {"d", "e", NULL};

static void directory(int i)
{
    char path[64], below[80];
    struct stat st;
    int fd = OK(open(i & 1 ? "d" : "e", O_PATH | O_DIRECTORY)), again;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snprintf(below, sizeof below, "%s/made%d", path, i);
    CHECK_EQ(mkdir(below, 0700), 0);
    CHECK_EQ(fstatat(fd, below + strlen(path) + 1, &st, 0), 0);
    again = OK(open(path, O_RDONLY | O_DIRECTORY));
    CHECK(inode(again) == inode(fd));
    CHECK_EQ(chdir(path), 0);
    CHECK_EQ(stat(".", &st), 0);
    CHECK(st.st_ino == inode(fd));
    CHECK_EQ(fchdir(top) | rmdir(below) | close(again) | close(fd), 0);
}

int main(void)
{
    pthread_t thread;
    top = OK(open(".", O_PATH));
    CHECK_EQ(mkdir("d", 0755) | mkdir("e", 0755), 0);
    CHECK_EQ(pthread_create(&thread, NULL, exchange, names), 0);
    for (int i = 0; i < ROUNDS || swaps < ROUNDS; i++)
        directory(i);
    stop = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    return done();
}
