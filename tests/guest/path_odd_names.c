// SPDX-License-Identifier: MIT
// Any byte but NUL and slash is a name: control characters, what other systems forbid, broken
// UTF-8, dots, and names that differ in case only.
// covers: open, rename, unlink, getdents64, symlink, getcwd
#include "check.h"
#include <dirent.h>

static const char *const names[] = {
    " ",         "...",         "..a",       ".hidden",      "-",    "a b",   "tab\there",
    "new\nline", "back\\slash", "q?",        "st*r",         "c:on", "<>|\"", "\x7f",
    "\xff\xfe",  "\xc3\xa4",    "a\xcc\x88", "\xef\x80\xba", "name", "NAME",  "Name",
    "con",       "nul.",        "trailing ", "%41",          "~",    "#x#",   "\001",
};
enum { N = sizeof(names) / sizeof(*names) };

static int count(void)
{
    DIR *dir = opendir(".");
    struct dirent *e;
    char seen[N] = {0};
    int n = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        for (int i = 0; i < N; i++)
            if (strcmp(e->d_name, names[i]) == 0) {
                CHECK_EQ(seen[i]++, 0);
                n++;
            }
    closedir(dir);
    return n;
}

int main(void)
{
    char cwd[4096];

    CHECK_EQ(mkdir("t", 0755), 0);
    CHECK_EQ(chdir("t"), 0);
    for (int i = 0; i < N; i++) {
        close(OK(open(names[i], O_WRONLY | O_CREAT | O_EXCL, 0644)));
        put_file(names[i], names[i]);
    }
    CHECK_EQ(count(), N);
    for (int i = 0; i < N; i++) {
        CHECK_STR(get_file(names[i]), names[i]);
        CHECK_EQ(chmod(names[i], 0600 + i % 8), 0);
        CHECK_EQ(symlink(names[i], "link"), 0);
        CHECK_STR(get_file("link"), names[i]);
        CHECK_EQ(unlink("link"), 0);
        CHECK_EQ(rename(names[i], "elsewhere"), 0);
        CHECK_EQ(mkdir(names[i], 0755), 0);
        CHECK_EQ(chdir(names[i]), 0);
        CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
        CHECK_STR(strrchr(cwd, '/') + 1, names[i]);
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(rmdir(names[i]), 0);
        CHECK_EQ(rename("elsewhere", names[i]), 0);
        CHECK_EQ(mode_of(names[i]), 0600 + i % 8);
    }
    for (int i = 0; i < N; i++)
        CHECK_EQ(unlink(names[i]), 0);
    CHECK_EQ(count(), 0);
    return done();
}
