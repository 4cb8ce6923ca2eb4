// SPDX-License-Identifier: MIT
// Search permission that is taken away, given back or depends on another identity holds from the
// next call on, however often the path was used before; so do directories that are moved.
// covers: stat, faccessat2, open, chmod, chown, rename, setresuid, setgroups, capset
// needs: root
#include <sys/xattr.h>

#include "check.h"

static int to_root[2], from_root[2];

// Has root, another process, do something, and waits for it.
static void have(char what)
{
    CHECK_EQ(write(to_root[1], &what, 1), 1);
    CHECK_EQ(read(from_root[0], &what, 1), 1);
}

static void root_does(char what)
{
    // user::rwx group::--- other::---, in the form that access has with a mask.
    static const unsigned char none[] = {2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
                                         255, 255, 4, 0, 0,   0,   255, 255, 255, 255,
                                         32,  0,   0, 0, 255, 255, 255, 255};
    switch (what) {
    case '0':
        CHECK_EQ(chmod("a", 0700), 0);
        break;
    case '1':
        CHECK_EQ(chmod("a", 0755), 0);
        break;
    case 'g':
        CHECK_EQ(chmod("a/b", 0750), 0);
        CHECK_EQ(chown("a/b", 0, 50), 0);
        break;
    case 'o':
        CHECK_EQ(chmod("a/b", 0755), 0);
        break;
    case 'm':
        CHECK_EQ(rename("a", "moved"), 0);
        CHECK_EQ(mkdir("a", 0700), 0);
        break;
    case 'r':
        CHECK_EQ(rmdir("a"), 0);
        CHECK_EQ(rename("moved", "a"), 0);
        break;
    case 'x':
        CHECK_EQ(setxattr("a/b", "system.posix_acl_access", none, sizeof(none), 0), 0);
        break;
    }
}

static char absolute[4200];

// Uses the paths often enough to be known; all must say the same: 0 or errno.
static int uses(void)
{
    struct stat st;
    int first = 0;

    for (int i = 0; i < 20; i++) {
        const char *path = i % 2 ? "a/b/c/f" : absolute;
        int fd, e = stat(path, &st) ? errno : 0;

        if (!i)
            first = e;
        CHECK_EQ(e, first);
        CHECK_EQ(faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) ? errno : 0, first);
        fd = open(path, O_RDONLY);
        CHECK_EQ(fd < 0 ? errno : 0, first);
        if (fd >= 0)
            close(fd);
    }
    return first;
}

static void user(void)
{
    gid_t group = 50, other = 51;

    CHECK_EQ(setgroups(1, &group), 0);
    CHECK_EQ(setresgid(1001, 1001, 1001), 0);
    CHECK_EQ(seteuid(1000), 0);
    CHECK_EQ(uses(), 0);
    have('0');
    CHECK_EQ(uses(), EACCES);
    have('1');
    CHECK_EQ(uses(), 0);
    have('m');
    CHECK_EQ(uses(), EACCES);
    have('r');
    CHECK_EQ(uses(), 0);
    have('g');
    CHECK_EQ(uses(), 0);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(setgroups(1, &other), 0);
    CHECK_EQ(seteuid(1000), 0);
    CHECK_EQ(uses(), EACCES);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(setresgid(-1, 50, -1), 0);
    CHECK_EQ(seteuid(1000), 0);
    CHECK_EQ(uses(), 0);
    have('o');
    CHECK_EQ(uses(), 0);
    have('x');
    CHECK_EQ(uses(), EACCES);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(uses(), 0);
}

int main(void)
{
    char what;
    pid_t pid;

    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755), 0);
    put_file("a/b/c/f", "data");
    CHECK_EQ(chmod("a/b/c/f", 0644), 0);
    OK(getcwd(absolute, sizeof(absolute) - 16));
    strcat(absolute, "/a/b/c/f");
    CHECK_EQ(pipe(to_root) | pipe(from_root), 0);
    pid = OK(fork());
    if (!pid) {
        user();
        exit(done());
    }
    close(to_root[1]);
    while (read(to_root[0], &what, 1) == 1) {
        root_does(what);
        CHECK_EQ(write(from_root[1], &what, 1), 1);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return done();
}
