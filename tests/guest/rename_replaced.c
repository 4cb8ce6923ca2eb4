// SPDX-License-Identifier: MIT
// covers: rename
// A file that this process has made is not what its name means any more: another process has put a
// directory or another's symlink there, and works in what it put there. The rename is that of the
// new thing, and everybody sees it at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int to_child[2], to_parent[2];

static void put(int fd)
{
    CHECK(write(fd, "x", 1) == 1);
}

static void get(int fd)
{
    char c;
    CHECK(read(fd, &c, 1) == 1);
}

static int missing(const char *path)
{
    struct stat st;
    return lstat(path, &st) < 0 && errno == ENOENT;
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    CHECK(fd >= 0);
    CHECK(close(fd) == 0);
}

// Takes the file's place.
static void replace(int i)
{
    struct stat st;
    CHECK(unlink("d/name") == 0);
    if (i & 1) {
        CHECK(symlink("target", "d/name") == 0);
        if (geteuid() == 0)
            CHECK(lchown("d/name", 5, 6) == 0);
        return;
    }
    CHECK(mkdir("d/name", 0755) == 0);
    make_file("d/name/inner");
    for (int n = 0; n < 3; n++) // so that the directory is one that is used often
        CHECK(stat("d/name/inner", &st) == 0);
}

static void look(int i)
{
    struct stat st;
    CHECK(missing("d/name"));
    CHECK(missing("d/name/inner"));
    CHECK(lstat("d/moved", &st) == 0);
    if (i & 1) {
        CHECK(S_ISLNK(st.st_mode));
        CHECK(geteuid() != 0 || (st.st_uid == 5 && st.st_gid == 6));
        CHECK(unlink("d/moved") == 0);
        return;
    }
    CHECK(S_ISDIR(st.st_mode));
    CHECK(stat("d/moved/inner", &st) == 0);
    CHECK(unlink("d/moved/inner") == 0);
    CHECK(rmdir("d/moved") == 0);
}

int main(void)
{
    int status;
    struct stat st;
    CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
    CHECK(mkdir("d", 0755) == 0);
    for (int n = 0; n < 3; n++)
        CHECK(stat("d/.", &st) == 0);
    pid_t child = fork();
    for (int i = 0; child == 0 && i < 40; i++) {
        get(to_child[0]);
        replace(i);
        put(to_parent[1]);
        get(to_child[0]);
        look(i);
        put(to_parent[1]);
    }
    for (int i = 0; child > 0 && i < 40; i++) {
        make_file("d/made");
        CHECK(rename("d/made", "d/name") == 0);
        if (i & 2) { // made, or given its name by a rename
            CHECK(unlink("d/name") == 0);
            make_file("d/name");
        }
        put(to_child[1]);
        get(to_parent[0]);
        CHECK(rename("d/name", "d/moved") == 0);
        put(to_child[1]);
        get(to_parent[0]);
    }
    if (child > 0)
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
