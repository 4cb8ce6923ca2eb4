// SPDX-License-Identifier: MIT
// A default ACL that could not be given to new files, because the root of the tree has no room for
// the mark that there are some (fs/acl.c), is refused; with room it is there.
// covers: setxattr
// native: skip only lxrun keeps such a mark
// trap: not overlay the attribute is one of the root of that mount, which is not "/"
#include "check.h"
#include <sys/xattr.h>

#define DEFAULT "system.posix_acl_default"

static const unsigned char acl[] = {
    2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,   7,  0, 9, 0, 0,   0,   4,   0,
    5, 0, 255, 255, 255, 255, 16, 0, 7,   0,   255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255,
};

// Until nothing more goes in: on ext4 attributes of an inode share one block. Elsewhere there is
// room for ever.
static int fill(void)
{
    static char value[3000];
    char name[32];
    int n = 0;

    for (size_t size = sizeof(value); size; size /= 2)
        while (n < 30) {
            snprintf(name, sizeof(name), "user.fill%d", n);
            if (setxattr("/", name, value, size, 0)) {
                CHECK_EQ(errno, ENOSPC);
                break;
            }
            n++;
        }
    return n;
}

int main(void)
{
    struct stat st;
    char name[32];
    int n = fill();

    CHECK_EQ(mkdir("d", 0755), 0);
    if (n < 30) {
        CHECK_ERR(setxattr("d", DEFAULT, acl, sizeof(acl), 0), ENOSPC);
        CHECK_ERR(getxattr("d", DEFAULT, NULL, 0), ENODATA);
        CHECK_EQ(removexattr("/", "user.fill0"), 0);
    }
    CHECK_EQ(setxattr("d", DEFAULT, acl, sizeof(acl), 0), 0);
    umask(0);
    put_file("d/f", "");
    CHECK_EQ(stat("d/f", &st), 0);
    CHECK_EQ(getxattr("d/f", "system.posix_acl_access", NULL, 0), sizeof(acl));
    while (n--) {
        snprintf(name, sizeof(name), "user.fill%d", n);
        removexattr("/", name);
    }
    return done();
}
