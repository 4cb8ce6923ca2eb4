// SPDX-License-Identifier: MIT
// What POSIX ACLs permit (acl(5)): named users and groups, the mask, which chmod changes, the order
// of the classes; on files, on directories, and where a default ACL has given them.
// covers: setxattr, getxattr, open, access, stat, mkdir, removexattr
// needs: root
#include "check.h"
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static unsigned char value[256];
static size_t size;

static void entry(unsigned tag, unsigned perm, unsigned id)
{
    unsigned short t = (unsigned short)tag, p = (unsigned short)perm;

    memcpy(value + size, &t, 2);
    memcpy(value + size + 2, &p, 2);
    memcpy(value + size + 4, &id, 4);
    size += 8;
}

// user::owner, user:1000:user, group::group, group:2000:named, mask::mask, other::other
static void acl(unsigned owner, unsigned user, unsigned group, unsigned named, unsigned mask,
                unsigned other)
{
    unsigned version = 2;

    memcpy(value, &version, 4);
    size = 4;
    entry(USER_OBJ, owner, -1u);
    entry(USER, user, 1000);
    entry(GROUP_OBJ, group, -1u);
    entry(GROUP, named, 2000);
    entry(MASK, mask, -1u);
    entry(OTHER, other, -1u);
}

// What each sees of path: r, w, x by access(2), and whether open(2) says the same.
static void show(const char *path)
{
    static const struct {
        uid_t uid;
        gid_t gid, more;
    } who[] = {{500, 500, 500},   {1000, 500, 500}, {1001, 100, 100},
               {1001, 500, 2000}, {1001, 1, 1},     {1000, 100, 2000}};

    int dir = S_ISDIR(stat_of(path).st_mode);

    printf("%s %o:", path, mode_of(path));
    fflush(stdout);
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
        pid_t pid = OK(fork());

        if (pid == 0) {
            CHECK_EQ(setgroups(1, &who[i].more), 0);
            CHECK_EQ(setresgid(who[i].gid, who[i].gid, who[i].gid), 0);
            CHECK_EQ(setresuid(who[i].uid, who[i].uid, who[i].uid), 0);
            printf(" %c%c%c", access(path, R_OK) ? '-' : 'r', access(path, W_OK) ? '-' : 'w',
                   access(path, X_OK) ? '-' : 'x');
            CHECK_EQ(open(path, O_RDONLY) >= 0, access(path, R_OK) == 0);
            if (!dir)
                CHECK_EQ(open(path, O_RDWR) >= 0, access(path, R_OK | W_OK) == 0);
            fflush(stdout);
            _exit(0);
        }
        wait_ok(pid);
    }
    puts("");
}

int main(void)
{
    char text[256];
    pid_t pid;

    CHECK_EQ(chmod(".", 0777), 0);
    umask(0);
    put_file("f", "text");
    CHECK_EQ(chown("f", 500, 100), 0);
    for (unsigned i = 0; i < 8; i++) {
        acl(i & 1 ? 6 : 4, i & 2 ? 6 : 0, i & 1 ? 2 : 4, i & 4 ? 7 : 5, 7 - i / 2, i & 2 ? 4 : 1);
        CHECK_EQ(setxattr("f", ACCESS, value, size, 0), 0);
        show("f");
        CHECK_EQ(chmod("f", 0600 | i << 3), 0);
        show("f");
    }
    CHECK_EQ(removexattr("f", ACCESS), 0);
    show("f");
    CHECK_ERR(getxattr("f", ACCESS, text, sizeof(text)), ENODATA);
    CHECK_EQ(listxattr("f", text, sizeof(text)), 0);

    // A directory that only user 1000 may pass, and one that gives it on.
    CHECK_EQ(mkdir("d", 0700), 0);
    put_file("d/in", "");
    acl(7, 5, 0, 0, 5, 0);
    CHECK_EQ(setxattr("d", ACCESS, value, size, 0), 0);
    show("d");
    show("d/in");
    acl(7, 6, 5, 4, 7, 0);
    CHECK_EQ(setxattr("d", DEFAULT, value, size, 0), 0);
    umask(077);
    put_file("d/new", "");
    CHECK_EQ(mkdir("d/sub", 0750), 0);
    CHECK_EQ(mkdir("d/sub/sub", 0777), 0);
    CHECK_EQ(mknod("d/sub/node", S_IFREG | 0660, 0), 0);
    acl(7, 7, 7, 7, 7, 7);
    CHECK_EQ(setxattr("d", ACCESS, value, size, 0), 0);
    show("d/new");
    show("d/sub");
    CHECK_EQ(chmod("d/sub", 0777), 0);
    show("d/sub/node");
    show("d/sub/sub");

    // Only the owner sets one.
    pid = OK(fork());
    if (pid == 0) {
        become(1000, 1000);
        CHECK_ERR(setxattr("f", ACCESS, value, size, 0), EPERM);
        CHECK_ERR(setxattr("f", DEFAULT, value, size, 0), EACCES);
        CHECK_ERR(removexattr("f", ACCESS), EPERM);
        put_file("own", "");
        CHECK_EQ(setxattr("own", ACCESS, value, size, 0), 0);
        _exit(0);
    }
    wait_ok(pid);
    show("own");
    return done();
}
