// SPDX-License-Identifier: MIT
// openat2 from a directory that a mount lies in: the start is still the end of the way up, and the
// root of links, for who comes out of the mount.
// covers: openat2, mount, umount2
// needs: root
#include "mountns.h"
#include "openat2.h"

static int from(int dir, const char *path, unsigned long resolve)
{
    struct open_how how = {.flags = O_PATH, .resolve = resolve};
    return openat2_again(dir, path, &how);
}

// Does the descriptor show that?
static int is(int fd, const char *path)
{
    struct stat a, b;
    int same = fd >= 0 && !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino &&
               a.st_dev == b.st_dev;
    close(fd);
    return same;
}

static void look(int dir)
{
    CHECK(is(from(dir, "m/abs", RESOLVE_IN_ROOT), "a/b"));
    CHECK(is(from(dir, "m/d/up", RESOLVE_IN_ROOT), "a"));
    CHECK(is(from(dir, "m/d/../../..", RESOLVE_IN_ROOT), "a"));
    CHECK(is(from(dir, "/m/../../b/../..", RESOLVE_IN_ROOT), "a"));
    CHECK(is(from(dir, "m/../../../m/abs/in", RESOLVE_IN_ROOT), "a/b/in"));
    CHECK(is(from(dir, "m/abs/../m/d", RESOLVE_IN_ROOT), "a/m/d"));
    CHECK(is(from(dir, "m/..", RESOLVE_BENEATH), "a"));
    CHECK(is(from(dir, "m/d/../../b", RESOLVE_BENEATH), "a/b"));
    CHECK_ERR(from(dir, "m/../..", RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(from(dir, "m/d/up", RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(from(dir, "m/abs", RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(from(dir, "m/..", RESOLVE_NO_XDEV), EXDEV);
}

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/in", 0755) | mkdir("a/m", 0755), 0);
    CHECK_EQ(mount("none", "a/m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("a/m/d", 0755), 0);
    CHECK_EQ(symlink("/b", "a/m/abs"), 0);
    CHECK_EQ(symlink("../../../..", "a/m/d/up"), 0);
    int a = OK(open("a", O_PATH));
    look(a);
    CHECK_EQ(chdir("a"), 0);
    CHECK(is(from(AT_FDCWD, "m/abs", RESOLVE_IN_ROOT), "b"));
    CHECK_ERR(from(AT_FDCWD, "m/../..", RESOLVE_BENEATH), EXDEV);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(umount("a/m"), 0);
    return done();
}
