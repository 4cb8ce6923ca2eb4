// SPDX-License-Identifier: MIT
// trusted.* and security.* are root's: he sets, sees and lists them; an ordinary user does not
// see trusted.* at all, may read security.*, and needs write permission for user.*.
// covers: setxattr, getxattr, listxattr, removexattr, fsetxattr
// needs: root
#include "check.h"
#include <sys/xattr.h>

static int names(void)
{
    char list[512];
    ssize_t size = OK(listxattr("f", list, sizeof(list)));
    int n = 0;

    for (char *s = list; s < list + size; s += strlen(s) + 1)
        n += strcmp(s, "user.u") == 0 ? 1 : strcmp(s, "trusted.t") == 0 ? 10 : 100;
    return n;
}

int main(void)
{
    char text[16] = "";

    put_file("f", "");
    CHECK_EQ(setxattr("f", "user.u", "u", 1, 0), 0);
    CHECK_EQ(setxattr("f", "trusted.t", "t", 1, 0), 0);
    CHECK_EQ(setxattr("f", "security.custom", "s", 1, 0), 0);
    CHECK_EQ(names(), 111);
    CHECK_EQ(getxattr("f", "trusted.t", text, 16), 1);
    CHECK_STR(text, "t");
    CHECK_EQ(getxattr("f", "security.custom", text, 16), 1);
    CHECK_STR(text, "s");

    pid_t pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        CHECK_EQ(names(), 101);
        CHECK_ERR(getxattr("f", "trusted.t", text, 16), ENODATA);
        CHECK_EQ(getxattr("f", "security.custom", text, 16), 1);
        CHECK_EQ(getxattr("f", "user.u", text, 16), 1);
        CHECK_ERR(setxattr("f", "trusted.t", "x", 1, 0), EPERM);
        CHECK_ERR(removexattr("f", "trusted.t"), EPERM);
        CHECK_ERR(setxattr("f", "security.custom", "x", 1, 0), EPERM);
        CHECK_ERR(setxattr("f", "user.u", "x", 1, 0), EACCES);
        CHECK_ERR(setxattr("f", "system.nosuch", "x", 1, 0),
                  EOPNOTSUPP); // which nobody is asked for
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(chmod("f", 0), 0);
    pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        CHECK_ERR(getxattr("f", "user.u", text, 16), EACCES);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(removexattr("f", "trusted.t"), 0);
    CHECK_EQ(removexattr("f", "security.custom"), 0);
    CHECK_EQ(names(), 1);
    return done();
}
