// SPDX-License-Identifier: MIT
// getcwd follows renames of the directory and its parents, fails once it is removed, and says
// when the buffer is short.
// covers: getcwd, chdir, fchdir, rename
#include "check.h"

static char top[4096];

static const char *below(void)
{
    static char cwd[8192];
    long n = OK(syscall(SYS_getcwd, cwd, sizeof(cwd)));

    CHECK_EQ(n, strlen(cwd) + 1);
    CHECK(strncmp(cwd, top, strlen(top)) == 0);
    return cwd + strlen(top);
}

int main(void)
{
    char text[8192];
    int dir;

    CHECK(getcwd(top, sizeof(top)) != NULL);
    CHECK_STR(below(), "");
    CHECK_ERR(syscall(SYS_getcwd, text, strlen(top)), ERANGE);
    CHECK_EQ(syscall(SYS_getcwd, text, strlen(top) + 1), strlen(top) + 1);
    CHECK_ERR(syscall(SYS_getcwd, text, 0), ERANGE);
    CHECK_ERR(syscall(SYS_getcwd, bad_ptr, 4096), EFAULT);

    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755) | mkdir("x", 0755), 0);
    CHECK_EQ(symlink("a/b", "s"), 0);
    dir = OK(open("a/b/c", O_PATH));
    CHECK_EQ(chdir("s/c/"), 0);
    CHECK_STR(below(), "/a/b/c");
    CHECK_EQ(rename("../../../a/b", "../../../x/moved"), 0);
    CHECK_STR(below(), "/x/moved/c");
    CHECK_EQ(rename("../../../x", "../../../a/y"), 0);
    CHECK_STR(below(), "/a/y/moved/c");
    CHECK_EQ(chdir(".."), 0);
    CHECK_STR(below(), "/a/y/moved");
    CHECK_EQ(chdir("../.."), 0);
    CHECK_STR(below(), "/a");
    CHECK_EQ(fchdir(dir), 0);
    CHECK_STR(below(), "/a/y/moved/c");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_STR(below(), "/a/y/moved/c");
        CHECK_EQ(chdir(top), 0);
        CHECK_STR(below(), "");
        CHECK_EQ(rename("a/y/moved/c", "a/c"), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_STR(below(), "/a/c");

    CHECK_EQ(rmdir("../c"), 0);
    CHECK_ERR(syscall(SYS_getcwd, text, sizeof(text)), ENOENT);
    CHECK(getcwd(text, sizeof(text)) == NULL && errno == ENOENT);
    CHECK_EQ(access(".", F_OK), 0);
    CHECK_ERR(access("x", F_OK), ENOENT);
    CHECK_EQ(chdir(".."), 0);
    CHECK_STR(below(), "/a");
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(syscall(SYS_getcwd, text, sizeof(text)), 2);
    CHECK_STR(text, "/");
    return done();
}
