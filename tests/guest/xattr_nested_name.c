// SPDX-License-Identifier: MIT
// A guest that uses the layer's attribute name itself (a container tool, or lxrun in lxrun) gets
// a plain attribute of its own: it reads what it wrote, and owner and mode do not move.
// covers: setxattr, getxattr, listxattr, removexattr, stat
// needs: root
#include "check.h"
#include <sys/xattr.h>

int main(void)
{
    static const char name[] = "user.containers.override_stat";
    char text[64] = "", list[128];

    put_file("f", "");
    CHECK_EQ(chmod("f", 0640), 0);
    CHECK_EQ(chown("f", 10, 20), 0);
    CHECK_EQ(setxattr("f", name, "7:8:0100777", 11, XATTR_CREATE), 0);
    CHECK_EQ(getxattr("f", name, text, sizeof(text)), 11);
    CHECK_STR(text, "7:8:0100777");
    CHECK_EQ(listxattr("f", list, sizeof(list)), sizeof(name));
    CHECK_STR(list, name);
    CHECK_EQ(mode_of("f"), 0640);
    CHECK_EQ(stat_of("f").st_uid, 10);
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(getxattr("f", name, text, sizeof(text)), 11);
    CHECK_STR(text, "7:8:0100777");
    CHECK_EQ(removexattr("f", name), 0);
    CHECK_ERR(getxattr("f", name, text, sizeof(text)), ENODATA);
    CHECK_EQ(mode_of("f"), 0600);
    CHECK_EQ(stat_of("f").st_gid, 20);
    return done();
}
