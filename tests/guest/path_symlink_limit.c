// SPDX-License-Identifier: MIT
// Forty links on the way are followed, the forty-first is ELOOP; loops are found; links count
// also in the middle of a path.
// covers: open, stat, chdir, readlink
#include "check.h"

int main(void)
{
    char from[16], to[16], path[512] = "";
    struct stat st;

    put_file("f", "reached");
    CHECK_EQ(symlink("f", "l1"), 0);
    for (int i = 2; i <= 41; i++) {
        snprintf(to, sizeof(to), "l%d", i - 1);
        snprintf(from, sizeof(from), "l%d", i);
        CHECK_EQ(symlink(to, from), 0);
    }
    CHECK_STR(get_file("l40"), "reached");
    CHECK_ERR(open("l41", O_RDONLY), ELOOP);
    CHECK_ERR(stat("l41", &st), ELOOP);
    CHECK_EQ(lstat("l41", &st), 0);
    CHECK_ERR(access("l41", F_OK), ELOOP);
    CHECK_ERR(chmod("l41", 0600), ELOOP);
    CHECK_ERR(open("l41", O_RDWR | O_CREAT, 0600), ELOOP);
    CHECK(readlink("l41", path, sizeof(path)) == 3);

    // In the middle: each passage through the same link counts again.
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(symlink(".", "d/here"), 0);
    put_file("d/f", "there");
    strcpy(path, "d");
    for (int i = 0; i < 40; i++)
        strcat(path, "/here");
    strcat(path, "/f");
    CHECK_STR(get_file(path), "there");
    strcpy(path + strlen(path) - 1, "here/f");
    CHECK_ERR(open(path, O_RDONLY), ELOOP);

    CHECK_EQ(symlink("self", "self"), 0);
    CHECK_EQ(symlink("b", "a") | symlink("a", "b"), 0);
    CHECK_EQ(symlink("in/x", "in"), 0);
    CHECK_ERR(open("self", O_RDONLY), ELOOP);
    CHECK_ERR(stat("a", &st), ELOOP);
    CHECK_ERR(open("self/x", O_RDONLY), ELOOP);
    CHECK_ERR(stat("in", &st), ELOOP);
    CHECK_ERR(rename("self/x", "y"), ELOOP);
    CHECK_ERR(mkdir("a/x", 0700), ELOOP);
    CHECK_EQ(rename("a", "c"), 0);
    CHECK_ERR(stat("b", &st), ENOENT);
    CHECK_EQ(unlink("self"), 0);
    return done();
}
