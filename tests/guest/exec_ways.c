// SPDX-License-Identifier: MIT
// What a path of a program leads to is asked anew each time: links on the way that are replaced,
// removed or put in a directory's place, directories that are exchanged.
// covers: execve, rename, renameat2, unlink, symlink
#include "exec.h"

enum { A = 3, B = 4 };

// Scripts cannot be told apart by what ran: two programs are, by what they end with.
static int run(const char *path)
{
    int st;
    pid_t pid = OK(fork());
    if (pid == 0) {
        execve(path, (char *[]){(char *)path, NULL}, (char *[]){"WHO=1", NULL});
        _exit(errno);
    }
    CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st));
    return WEXITSTATUS(st);
}

static void link_over(const char *to, const char *name)
{
    CHECK(symlink(to, "new") == 0 && rename("new", name) == 0);
}

int main(int argc, char **argv)
{
    char path[4096], direct[4200], by_dir[4200];

    (void)argc;
    if (getenv("WHO")) { // the copy says by its directory's name which one it is
        char exe[4096];
        ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
        CHECK(n > 0);
        exe[n] = 0;
        _exit(strstr(exe, "/a/") ? A : strstr(exe, "/b/") ? B : 1);
    }
    (void)argv;
    CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    copy_self("a/prog", 0755);
    copy_self("b/prog", 0755);
    CHECK(getcwd(path, sizeof(path)) != NULL);
    snprintf(direct, sizeof(direct), "%s/link", path);
    snprintf(by_dir, sizeof(by_dir), "%s/dir/prog", path);

    // A link at the end, and one on the way, each replaced by rename.
    for (int i = 0; i < 6; i++) {
        link_over(i & 1 ? "b/prog" : "a/prog", "link");
        link_over(i & 1 ? "b" : "a", "dir");
        for (int k = 0; k < 2; k++) {
            CHECK_EQ(run(direct), i & 1 ? B : A);
            CHECK_EQ(run(by_dir), i & 1 ? B : A);
        }
    }
    // Removed, and made anew.
    CHECK(unlink("link") == 0 && unlink("dir") == 0);
    CHECK_EQ(run(direct), ENOENT);
    CHECK_EQ(run(by_dir), ENOENT);
    CHECK(symlink("a/prog", "link") == 0 && symlink("b", "dir") == 0);
    CHECK_EQ(run(direct), A);
    CHECK_EQ(run(by_dir), B);
    // Moved away: nothing is there.
    CHECK(rename("link", "elsewhere") == 0);
    CHECK_EQ(run(direct), ENOENT);
    CHECK(rename("elsewhere", "link") == 0);
    CHECK_EQ(run(direct), A);
    // A link takes the place of the file, and a directory that of a link.
    CHECK(link("b/prog", "b/keep") == 0 && unlink("b/prog") == 0);
    CHECK_EQ(run(by_dir), ENOENT);
    CHECK(symlink("../a/prog", "b/prog") == 0);
    CHECK_EQ(run(by_dir), A);
    CHECK(unlink("b/prog") == 0 && rename("b/keep", "b/prog") == 0);
    CHECK_EQ(run(by_dir), B);
    CHECK(unlink("dir") == 0 && rename("a", "dir") == 0 && mkdir("a", 0755) == 0);
    CHECK_EQ(run(by_dir), 1); // neither a nor b
    CHECK_EQ(run(direct), ENOENT);
    CHECK(rmdir("a") == 0 && rename("dir", "a") == 0 && symlink("b", "dir") == 0);
    CHECK_EQ(run(by_dir), B);
    // Two directories exchanged.
    CHECK_EQ(run(direct), A);
    CHECK(renameat2(AT_FDCWD, "dir", AT_FDCWD, "link", RENAME_EXCHANGE) == 0);
    CHECK_EQ(run(by_dir), ENOTDIR);
    CHECK_EQ(run(direct), EACCES);
    CHECK(renameat2(AT_FDCWD, "dir", AT_FDCWD, "link", RENAME_EXCHANGE) == 0);
    CHECK_EQ(run(by_dir), B);
    CHECK_EQ(run(direct), A);
    // What is not executable any more, and what is no file.
    CHECK(chmod("a/prog", 0644) == 0);
    CHECK_EQ(run(direct), EACCES);
    CHECK(chmod("a/prog", 0755) == 0);
    CHECK_EQ(run(direct), A);
    CHECK(unlink("a/prog") == 0 && mkfifo("a/prog", 0755) == 0);
    CHECK_EQ(run(direct), EACCES);
    CHECK(unlink("a/prog") == 0 && link("b/prog", "a/prog") == 0);
    CHECK_EQ(run(direct), A);
    // By a descriptor of their directory, in which no owner is kept by name: what goes need not be
    // looked at.
    int here = OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK(unlinkat(here, "dir", 0) == 0 && unlinkat(here, "link", 0) == 0);
    for (int i = 0; i < 6; i++) {
        CHECK(symlinkat(i & 1 ? "b" : "a", here, "dir") == 0);
        CHECK(symlinkat("b/prog", here, "link") == 0);
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(run(by_dir), i & 1 ? B : A);
            CHECK_EQ(run(direct), B);
        }
        CHECK(link("b/prog", "file") == 0 && renameat(here, "file", here, "link") == 0);
        CHECK_EQ(run(direct), 1); // neither in a nor in b
        CHECK(unlinkat(here, "dir", 0) == 0 && unlinkat(here, "link", 0) == 0);
        CHECK_EQ(run(by_dir), ENOENT);
        CHECK_EQ(run(direct), ENOENT);
    }
    puts("ways ok");
    return 0;
}
