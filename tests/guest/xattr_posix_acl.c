// SPDX-License-Identifier: MIT
// An access ACL and the mode are one thing: setting either moves the other; only a directory
// takes a default ACL, and new files inherit it.
// covers: setxattr, getxattr, chmod, mkdir, open, removexattr
#include "check.h"
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

struct acl {
    struct posix_acl_xattr_header h;
    struct posix_acl_xattr_entry e[5];
};

static const char access_name[] = "system.posix_acl_access";
static const char default_name[] = "system.posix_acl_default";

int main(void)
{
    struct acl acl = {
        {POSIX_ACL_XATTR_VERSION},
        {{1, 6, -1},
         {2, 7, 77},
         {4, 4, -1},
         {16, 5, -1},
         {32, 0, -1}}, // user, user 77, group, mask
    };
    char got[256];

    umask(0);
    put_file("f", "");
    if (setxattr("f", access_name, &acl, sizeof(acl), 0) != 0) {
        CHECK_EQ(errno, EOPNOTSUPP);
        printf("no ACLs\n");
        return done();
    }
    // The group bits of the mode are the mask.
    CHECK_EQ(mode_of("f"), 0650);
    CHECK_EQ(getxattr("f", access_name, got, sizeof(got)), sizeof(acl));
    CHECK(memcmp(got, &acl, sizeof(acl)) == 0);
    CHECK_EQ(chmod("f", 0604), 0);
    acl.e[3].e_perm = 0, acl.e[4].e_perm = 4;
    CHECK_EQ(getxattr("f", access_name, got, sizeof(got)), sizeof(acl));
    CHECK(memcmp(got, &acl, sizeof(acl)) == 0);
    CHECK_EQ(removexattr("f", access_name), 0);
    CHECK_ERR(getxattr("f", access_name, got, sizeof(got)), ENODATA);
    CHECK_ERR(setxattr("f", default_name, &acl, sizeof(acl), 0), EACCES);
    acl.e[1].e_tag = 99;
    CHECK_ERR(setxattr("f", access_name, &acl, sizeof(acl), 0), EINVAL);
    acl.e[1].e_tag = 2;

    acl.e[3].e_perm = 7, acl.e[4].e_perm = 5;
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(setxattr("d", default_name, &acl, sizeof(acl), 0), 0);
    CHECK_EQ(mode_of("d"), 0755);
    close(OK(open("d/f", O_RDWR | O_CREAT, 0666)));
    CHECK_EQ(getxattr("d/f", access_name, got, sizeof(got)), sizeof(acl));
    CHECK_EQ(mode_of("d/f"), 0664);
    CHECK_EQ(mkdir("d/sub", 0777), 0);
    CHECK_EQ(getxattr("d/sub", default_name, got, sizeof(got)), sizeof(acl));
    CHECK(memcmp(got, &acl, sizeof(acl)) == 0);
    return done();
}
