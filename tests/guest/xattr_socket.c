// SPDX-License-Identifier: MIT
// A socket tells its protocol by an attribute, by its descriptor and by /proc; what has the name of
// one does not.
// covers: fgetxattr, getxattr, flistxattr, fsetxattr
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

static const char name[] = "system.sockprotoname";

int main(void)
{
    struct sockaddr_un a = {AF_UNIX, "s"};
    char path[64], text[64];
    int s[2], fd;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(fgetxattr(s[0], name, text, sizeof(text)), sizeof("UNIX-STREAM"));
    CHECK_STR(text, "UNIX-STREAM");
    CHECK_EQ(fgetxattr(s[0], name, NULL, 0), sizeof("UNIX-STREAM"));
    CHECK_ERR(fgetxattr(s[0], name, text, 3), ERANGE);
    CHECK_ERR(fgetxattr(s[0], name, (void *)8, 64), EFAULT);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", s[1]);
    CHECK_EQ(getxattr(path, name, text, sizeof(text)), sizeof("UNIX-STREAM"));
    CHECK_STR(text, "UNIX-STREAM");
    CHECK_ERR(lgetxattr(path, name, text, sizeof(text)), EOPNOTSUPP);
    memset(text, 0, sizeof(text));
    CHECK_EQ(flistxattr(s[0], text, sizeof(text)), sizeof(name));
    CHECK_STR(text, name);
    CHECK_ERR(fsetxattr(s[0], name, "x", 1, 0), EOPNOTSUPP);

    fd = OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_EQ(fgetxattr(fd, name, text, sizeof(text)), sizeof("UDP"));
    CHECK_STR(text, "UDP");

    CHECK_EQ(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_ERR(getxattr("s", name, text, sizeof(text)), EOPNOTSUPP);
    put_file("f", "");
    CHECK_ERR(getxattr("f", name, text, sizeof(text)), EOPNOTSUPP);
    return done();
}
