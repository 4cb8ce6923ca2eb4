// SPDX-License-Identifier: MIT
// Owner and mode of symlinks and special files stay with them over rename, hard link and exec.
// covers: lchown, chown, chmod, rename, link, mknod, execve
// needs: root
#include "owner.h"

static void all(void)
{
    is("d/p", 103, 104, S_IFIFO | 0660);
    is("d/s", 105, 106, S_IFLNK | 0777);
    is("d/c", 107, 108, S_IFCHR | 0604);
    is("d/sock", 109, 110, S_IFSOCK | 0711);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        all();
        return done();
    }
    umask(0);
    CHECK_EQ(mkdir("d", 0755) | symlink("f", "s") | mkfifo("p", 0660), 0);
    CHECK_EQ(mknod("c", S_IFCHR | 0600, 0x501) | mknod("sock", S_IFSOCK | 0777, 0), 0);
    CHECK_EQ(chown("p", 103, 104) | lchown("s", 105, 106), 0);
    CHECK_EQ(chown("c", 107, 108) | chown("sock", 109, 110), 0);
    CHECK_EQ(chmod("c", 0604) | chmod("sock", 0711), 0);
    CHECK_EQ(rename("p", "d/p") | rename("s", "d/s") | link("c", "d/c"), 0);
    CHECK_EQ(rename("sock", "d/sock"), 0);
    all();
    CHECK_EQ(stat_of("d/c").st_nlink, 2);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execve came back");
}
