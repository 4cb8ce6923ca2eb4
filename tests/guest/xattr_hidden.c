// SPDX-License-Identifier: MIT
// The layer's own attribute (user.containers.override_stat) is not the guest's to see: whatever
// chmod and chown store, listings stay empty and the name has no value.
// covers: listxattr, llistxattr, flistxattr, getxattr, removexattr, chmod, chown
// needs: root
#include "hidden.h"

int main(void)
{
    char list[64];
    int fd;

    CHECK_EQ(mkdir("d", 0700), 0);
    put_file("f", "");
    CHECK_EQ(chmod("f", 04711), 0);
    CHECK_EQ(chown("f", 10, 20), 0);
    CHECK_EQ(chmod("d", 02555), 0);
    CHECK_EQ(chown("d", 30, 40), 0);
    nothing("f");
    nothing("d");
    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(flistxattr(fd, list, sizeof(list)), 0);
    CHECK_ERR(fgetxattr(fd, own, list, sizeof(list)), ENODATA);
    CHECK_ERR(removexattr("f", own), ENODATA);
    CHECK_EQ(mode_of("f"), 0711);

    // Beside the guest's own attributes the size of the list is exact.
    CHECK_EQ(setxattr("f", "user.a", "1", 1, 0), 0);
    CHECK_EQ(listxattr("f", NULL, 0), 7);
    CHECK_EQ(listxattr("f", list, 7), 7);
    CHECK_STR(list, "user.a");
    CHECK_EQ(stat_of("f").st_uid, 10);
    return done();
}
