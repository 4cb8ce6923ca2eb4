// SPDX-License-Identifier: MIT
// From where the path is longer than PATH_MAX the way up by ".." is not dear: getcwd(3) goes it,
// and finds the names. Level by level it is a second or two, had each to look for its mount anew,
// minutes.
// covers: openat, getcwd
// timeout: 40
#include "check.h"

#define LEVELS 900
#define NAME "directory"

int main(void)
{
    char *top = getcwd(NULL, 0), *deep;
    size_t n = strlen(top);

    for (int i = 0; i < LEVELS; i++)
        CHECK(mkdir(NAME, 0755) == 0 && chdir(NAME) == 0);
    for (int i = 0; i < 16; i++) {
        CHECK(deep = getcwd(NULL, 0));
        CHECK(!strncmp(deep, top, n) && strlen(deep) == n + LEVELS * sizeof NAME);
        free(deep);
    }
    // The same step by step, back into what has a path again.
    for (int i = 0; i < LEVELS; i++)
        CHECK(chdir("..") == 0 && rmdir(NAME) == 0);
    CHECK_STR(getcwd(NULL, 0), top);
    return 0;
}
