// SPDX-License-Identifier: MIT
// Symlinks and special files show no attribute either, whatever is stored for them.
// covers: llistxattr, lgetxattr, mknod, lchown
// needs: root
#include "check.h"
#include <sys/xattr.h>

static const char own[] = "user.containers.override_stat";

static void nothing(const char *path)
{
    char list[512], text[64];

    CHECK_EQ(llistxattr(path, NULL, 0), 0);
    CHECK_EQ(llistxattr(path, list, sizeof(list)), 0);
    CHECK_ERR(lgetxattr(path, own, text, sizeof(text)), ENODATA);
    CHECK_ERR(lgetxattr(path, own, NULL, 0), ENODATA);
}

int main(void)
{
    CHECK_EQ(mkfifo("p", 0400), 0);
    CHECK_EQ(mknod("c", S_IFCHR | 0600, 0x501), 0);
    CHECK_EQ(symlink("f", "s"), 0);
    nothing("p");
    nothing("c");
    nothing("s");
    CHECK_EQ(lchown("s", 50, 60), 0);
    CHECK_EQ(chown("c", 50, 60) | chmod("p", 0640), 0);
    nothing("p");
    nothing("c");
    nothing("s");
    return done();
}
