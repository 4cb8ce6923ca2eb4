// SPDX-License-Identifier: MIT
// A directory that is missing on the way is ENOENT only where those before it may be searched, is
// seen as soon as it is made, and what was permitted before an execve is asked anew where it has
// changed since.
// covers: stat, open, mkdir, mkdirat, chmod, execve, setresuid
// needs: root
#include "exec.h"

enum { ASK = 50, ANSWER = 51 }; // the descriptors

static void have(char what)
{
    CHECK_EQ(write(ASK, &what, 1), 1);
    CHECK_EQ(read(ANSWER, &what, 1), 1);
}

static void root_does(char what)
{
    if (what == 'm')
        CHECK_EQ(mkdir("a/b/missing", 0755) | mkdir("a/b/missing/c", 0755), 0);
    if (what == 'r')
        CHECK_EQ(rmdir("a/b/missing/c") | rmdir("a/b/missing"), 0);
    if (what == '0')
        CHECK_EQ(chmod("a/b", 0700), 0);
    if (what == '1')
        CHECK_EQ(chmod("a/b", 0755), 0);
}

// All of them, and from the second time on as from the first: 0 or errno.
static int uses(const char *rel)
{
    char absolute[4200];
    struct stat st;
    int first = 0;
    int dir = open("a", O_PATH | O_DIRECTORY);

    OK(getcwd(absolute, sizeof(absolute) - 100));
    strcat(strcat(absolute, "/"), rel);
    for (int i = 0; i < 12; i++) {
        const char *path = i % 2 ? rel : absolute;
        int fd, e = stat(path, &st) ? errno : 0;

        if (!i)
            first = e;
        CHECK_EQ(e, first);
        CHECK_EQ(fstatat(dir, rel + 2, &st, 0) ? errno : 0, first);
        fd = open(path, O_RDONLY);
        CHECK_EQ(fd < 0 ? errno : 0, first);
        if (fd >= 0)
            close(fd);
        if (first)
            CHECK_ERR(mkdir(path, 0755), first);
    }
    close(dir);
    return first;
}

static void again(const char *as)
{
    execl("/proc/self/exe", "again", as, NULL);
    CHECK(!"execve");
}

static void user(const char *as)
{
    if (!strcmp(as, "first")) {
        CHECK_EQ(setresgid(1001, 1001, 1001) | setresuid(1000, 1000, 1000), 0);
        CHECK_EQ(uses("a/b/missing/c/x"), ENOENT);
        CHECK_EQ(uses("a/b/file/c/x"), ENOTDIR);
        CHECK_EQ(uses("a/b/link/c/x"), ENOENT);
        CHECK_EQ(uses("a/closed/missing/x"), EACCES);
        CHECK_EQ(uses("a/b/c/missing/x"), ENOENT);
        have('m');
        CHECK_EQ(uses("a/b/missing/c"), 0);
        have('r');
        CHECK_EQ(uses("a/b/missing/c"), ENOENT);
        have('0');
        again("closed");
    }
    if (!strcmp(as, "closed")) {
        CHECK_EQ(uses("a/b/c/d"), EACCES);
        CHECK_EQ(uses("a/b/missing/c"), EACCES);
        have('1');
        again("open");
    }
    CHECK_EQ(uses("a/b/c/d"), 0);
    CHECK_EQ(uses("a/b/missing/c"), ENOENT);
}

int main(int argc, char **argv)
{
    int to_root[2], from_root[2], status;
    char what;

    if (argc > 1) {
        user(argv[1]);
        return done();
    }
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755), 0);
    CHECK_EQ(mkdir("a/b/c/d", 0755) | mkdir("a/closed", 0700) | symlink("nowhere", "a/b/link"), 0);
    put_file("a/b/file", "data");
    CHECK_EQ(pipe(to_root) | pipe(from_root), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(dup2(to_root[1], ASK) == ASK && dup2(from_root[0], ANSWER) == ANSWER, 1);
        for (int i = 0; i < 2; i++)
            close(to_root[i]), close(from_root[i]);
        again("first");
    }
    close(to_root[1]);
    while (read(to_root[0], &what, 1) == 1) {
        root_does(what);
        CHECK_EQ(write(from_root[1], &what, 1), 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return done();
}
