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

// By a link, of what it leads to; a link has none itself. f has none, d/f has one.
static void by_links(void)
{
    char got[256];
    CHECK_EQ(symlink("f", "to_f"), 0);
    CHECK_EQ(symlink("to_d/f", "to_df"), 0);
    CHECK_EQ(symlink("d", "to_d"), 0);
    CHECK_EQ(symlink("nothing", "to_nothing"), 0);
    CHECK_EQ(symlink("loop", "loop"), 0);
    CHECK_ERR(getxattr("to_f", access_name, got, sizeof(got)), ENODATA);
    CHECK_EQ(getxattr("to_df", access_name, got, sizeof(got)), sizeof(struct acl));
    CHECK_EQ(getxattr("to_d", default_name, got, sizeof(got)), sizeof(struct acl));
    CHECK_EQ(getxattr("to_d/", default_name, got, sizeof(got)), sizeof(struct acl));
    CHECK_EQ(lgetxattr("to_d/", default_name, got, sizeof(got)), sizeof(struct acl));
    CHECK_EQ(lgetxattr("to_d/f", access_name, got, sizeof(got)), sizeof(struct acl));
    CHECK_ERR(getxattr("to_f/", access_name, got, sizeof(got)), ENOTDIR);
    CHECK_ERR(getxattr("f/", access_name, got, sizeof(got)), ENOTDIR);
    CHECK_ERR(lgetxattr("to_f", access_name, got, sizeof(got)), EOPNOTSUPP);
    CHECK_ERR(lgetxattr("to_d", default_name, got, sizeof(got)), EOPNOTSUPP);
    CHECK_ERR(getxattr("to_nothing", access_name, got, sizeof(got)), ENOENT);
    CHECK_ERR(getxattr("loop", access_name, got, sizeof(got)), ELOOP);
    CHECK_ERR(lgetxattr("loop/", access_name, got, sizeof(got)), ELOOP);
}

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
    by_links();
    return done();
}
