// SPDX-License-Identifier: MIT
// Processes that give a file an ACL and take it away at the same time: in the end it has the one
// with its mode, or none with the other's. Capabilities and chown, which takes them away, too.
// covers: setxattr, getxattr, chown
// needs: root
// timeout: 60
#include "check.h"
#include <sys/xattr.h>

#define ACL "system.posix_acl_access"
#define CAPS "security.capability"
#define ROUNDS 25
#define TIMES 40

static const unsigned char named[] = {
    2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   7,  0, 9, 0, 0,   0,   4,   0,
    0, 0, 255, 255, 255, 255, 16, 0, 7,   0,   255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
};
static const unsigned char plain[] = {
    2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 4,   0,
    0, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255,
};
static const unsigned char caps[20] = {0, 0, 0, 2, 0, 0x20};

static void times(int what)
{
    for (int i = 0; i < TIMES; i++)
        switch (what / 2) {
        case 0:
            CHECK_EQ(setxattr("f", ACL, named, sizeof(named), 0), 0);
            break;
        case 1:
            CHECK_EQ(setxattr("f", ACL, plain, sizeof(plain), 0), 0);
            break;
        case 2:
            CHECK_EQ(setxattr("g", CAPS, caps, sizeof(caps), 0), 0);
            break;
        default:
            CHECK_EQ(chown("g", 1, 1), 0);
        }
}

static void at_once(int first, int last)
{
    pid_t pid[8];

    for (int what = first; what <= last; what++)
        if (!(pid[what] = fork())) {
            times(what);
            _exit(0);
        }
    for (int what = first; what <= last; what++)
        wait_ok(pid[what]);
}

int main(void)
{
    char value[64];

    put_file("f", "");
    put_file("g", "");
    for (int i = 0; i < ROUNDS; i++) {
        at_once(0, 3);
        if (getxattr("f", ACL, value, sizeof(value)) < 0) {
            CHECK_EQ(errno, ENODATA);
            CHECK_EQ(mode_of("f"), 0600);
        } else {
            CHECK_EQ(memcmp(value, named, sizeof(named)), 0);
            CHECK_EQ(mode_of("f"), 0670);
        }
        at_once(4, 7);
        // Listed is what can be read.
        ssize_t n = OK(listxattr("g", value, sizeof(value)));
        int listed = n > 0 && memmem(value, (size_t)n, CAPS, sizeof(CAPS)) != NULL;
        CHECK_EQ(getxattr("g", CAPS, NULL, 0), listed ? (long)sizeof(caps) : -1);
    }
    return done();
}
