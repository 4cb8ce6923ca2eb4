// SPDX-License-Identifier: MIT
// A symlink has an owner of its own, apart from its target's; so have fifos and sockets.
// covers: lchown, fchownat, chown, lstat
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
    int link;

    put_file("f", "");
    CHECK_EQ(symlink("f", "s") | mkfifo("p", 0600) | mknod("sock", S_IFSOCK | 0600, 0), 0);
    CHECK_EQ(syscall(SYS_lchown, "s", 31, 32), 0);
    owner_is("s", 31, 32);
    owner_is("f", 0, 0);
    CHECK_EQ(chown("s", 41, 42), 0);
    owner_is("s", 31, 32);
    owner_is("f", 41, 42);
    CHECK_EQ(fchownat(AT_FDCWD, "s", 51, 52, AT_SYMLINK_NOFOLLOW), 0);
    owner_is("s", 51, 52);
    link = OK(open("s", O_PATH | O_NOFOLLOW));
    CHECK_EQ(fchownat(link, "", 61, 62, AT_EMPTY_PATH), 0);
    owner_is("s", 61, 62);
    owner_is("f", 41, 42);
    CHECK_STR(get_file("s"), "");

    CHECK_EQ(chown("p", 71, 72), 0);
    owner_is("p", 71, 72);
    CHECK_EQ(chmod("p", 0640), 0);
    CHECK_EQ(stat_of("p").st_mode, S_IFIFO | 0640);
    CHECK_EQ(chown("sock", 81, 82), 0);
    owner_is("sock", 81, 82);
    return done();
}
