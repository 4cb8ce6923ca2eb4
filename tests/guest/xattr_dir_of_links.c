// SPDX-License-Identifier: MIT
// A directory of symlinks that have many owners has room for attributes and a default ACL of its
// own.
// covers: setxattr, fsetxattr, lchown
// needs: root
#include "check.h"
#include <stdint.h>
#include <sys/xattr.h>

#define LINKS 48
#define ENTRIES 60

static void owners_stay(void)
{
    char name[32];
    struct stat st;
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "d/link%d", i);
        CHECK_EQ(lstat(name, &st), 0);
        CHECK_EQ(st.st_uid, 1000 + i);
        CHECK_EQ(st.st_gid, 2000 + i % 3);
    }
}

int main(void)
{
    char name[32], value[1500], got[1500];
    struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } e[ENTRIES + 4];
    } acl = {.version = 2};
    CHECK_EQ(mkdir("d", 0755), 0);
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "d/link%d", i);
        CHECK_EQ(symlink("target", name) | lchown(name, 1000 + i, 2000 + i % 3), 0);
    }
    memset(value, 'x', sizeof value);
    CHECK_EQ(setxattr("d", "user.one", value, sizeof value, XATTR_CREATE), 0);
    owners_stay();
    int fd = OK(open("d", O_RDONLY | O_DIRECTORY)), n = 0;
    CHECK_EQ(fsetxattr(fd, "trusted.two", value, 500, 0), 0);
    acl.e[n].tag = 1; // of the owner, ENTRIES others, the group, the mask, all
    acl.e[n].perm = 7;
    acl.e[n++].id = -1u;
    for (int i = 0; i < ENTRIES; i++, n++) {
        acl.e[n].tag = 2;
        acl.e[n].perm = 5;
        acl.e[n].id = 500 + (uint32_t)i;
    }
    for (int tag = 4; tag <= 32; tag *= 2) {
        if (tag == 8)
            continue;
        acl.e[n].tag = (uint16_t)tag;
        acl.e[n].perm = 5;
        acl.e[n++].id = -1u;
    }
    CHECK_EQ(n, ENTRIES + 4);
    CHECK_EQ(setxattr("d", "system.posix_acl_default", &acl, 4 + 8 * (size_t)n, 0), 0);
    owners_stay();
    CHECK_EQ(getxattr("d", "user.one", got, sizeof got), sizeof got);
    CHECK(!memcmp(got, value, sizeof got));
    CHECK_ERR(setxattr("d", "user.one", value, 1, XATTR_CREATE), EEXIST);
    // Too much is ENOSPC, or served where the file system has room for it.
    char *much = calloc(1, 65536);
    long r = setxattr("d", "user.much", much, 65536, 0);
    CHECK(r == 0 || errno == ENOSPC || errno == E2BIG);
    owners_stay();
    return done();
}
