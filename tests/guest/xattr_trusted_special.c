// SPDX-License-Identifier: MIT
// Symlinks and fifos carry trusted.* attributes, apart from what a link points to.
// covers: lsetxattr, lgetxattr, llistxattr, lremovexattr, setxattr
// needs: root
#include "check.h"
#include <sys/xattr.h>

int main(void)
{
    char text[16] = "";

    put_file("f", "");
    CHECK_EQ(symlink("f", "s") | mkfifo("p", 0600), 0);
    CHECK_EQ(lsetxattr("s", "trusted.link", "l", 1, 0), 0);
    CHECK_EQ(lgetxattr("s", "trusted.link", text, 16), 1);
    CHECK_STR(text, "l");
    CHECK_ERR(getxattr("s", "trusted.link", text, 16), ENODATA);
    CHECK_EQ(llistxattr("s", text, 16), 13);
    CHECK_EQ(setxattr("p", "trusted.pipe", "p", 1, 0), 0);
    CHECK_EQ(listxattr("p", text, 16), 13);
    CHECK_EQ(lremovexattr("s", "trusted.link"), 0);
    CHECK_EQ(llistxattr("s", text, 16), 0);
    return done();
}
