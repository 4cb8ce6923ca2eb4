// SPDX-License-Identifier: MIT
// A directory's number that is closed is EBADF for the second path of a call, too, whatever the
// call holds open for the first one.
// covers: renameat, renameat2, linkat
#include "check.h"

int main(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    closefrom(3);
    for (int up = 0; up < 2; up++) {
        const char *from = up ? "../d/f" : "d/f";
        for (int fd = 3; fd < 8; fd++) {
            CHECK_ERR(renameat(AT_FDCWD, from, fd, "p"), EBADF);
            CHECK_ERR(renameat2(AT_FDCWD, from, fd, "p", RENAME_NOREPLACE), EBADF);
            CHECK_ERR(linkat(AT_FDCWD, from, fd, "p", 0), EBADF);
            CHECK_ERR(linkat(AT_FDCWD, from, fd, "p", AT_SYMLINK_FOLLOW), EBADF);
            CHECK_ERR(renameat(AT_FDCWD, from, fd, "/nosuch/p"), ENOENT);
        }
        CHECK_EQ(chdir(up ? "." : "d"), 0);
    }
    CHECK_EQ(stat_of("f").st_nlink, 1);
    return done();
}
