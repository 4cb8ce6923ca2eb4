// SPDX-License-Identifier: MIT
// chown, lchown, fchown, fchownat on files and directories: owner and group separately, -1 keeps,
// links are followed, descriptors of any kind.
// covers: chown, lchown, fchown, fchownat, stat
// needs: root
#include "check.h"

static void owner_is(const char *path, unsigned uid, unsigned gid)
{
    struct stat st = stat_of(path);

    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
}

int main(void)
{
    int fd, dir, path;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    CHECK_EQ(symlink("f", "d/s"), 0);
    dir = OK(open("d", O_RDONLY));
    fd = OK(open("d/f", O_RDONLY));
    owner_is("d/f", 0, 0);
    CHECK_EQ(syscall(SYS_chown, "d/f", 11, 22), 0);
    owner_is("d/f", 11, 22);
    CHECK_EQ(chown("d/f", -1, 23), 0);
    owner_is("d/f", 11, 23);
    CHECK_EQ(fchown(fd, 12, -1), 0);
    owner_is("d/f", 12, 23);
    CHECK_EQ(chown("d/f", -1, -1), 0);
    owner_is("d/f", 12, 23);
    CHECK_EQ(chown("d/f", 4000000000u, 65534), 0);
    owner_is("d/f", 4000000000u, 65534);

    CHECK_EQ(chown("d/s", 41, 42), 0);
    owner_is("d/f", 41, 42);
    CHECK_EQ(fchownat(dir, "s", 61, 62, 0), 0);
    owner_is("d/f", 61, 62);
    CHECK_EQ(fchownat(fd, "", 71, 72, AT_EMPTY_PATH), 0);
    owner_is("d/f", 71, 72);
    path = OK(open("d/f", O_PATH));
    CHECK_EQ(fchownat(path, "", 81, 82, AT_EMPTY_PATH), 0);
    owner_is("d/f", 81, 82);
    CHECK_EQ(lchown("d/f", 85, 86), 0);
    owner_is("d/f", 85, 86);
    CHECK_EQ(fchown(dir, 91, 92), 0);
    owner_is("d", 91, 92);

    CHECK_ERR(chown("missing", 0, 0), ENOENT);
    CHECK_ERR(chown("d/f/x", 0, 0), ENOTDIR);
    CHECK_ERR(fchown(99, 0, 0), EBADF);
    CHECK_ERR(fchown(path, 0, 0), EBADF);
    CHECK_ERR(fchownat(dir, "", 0, 0, 0), ENOENT);
    CHECK_ERR(fchownat(dir, "f", 0, 0, 1 << 20), EINVAL);
    CHECK_ERR(fchownat(99, "f", 0, 0, 0), EBADF);
    return done();
}
