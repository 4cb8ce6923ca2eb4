// SPDX-License-Identifier: MIT
// Symlinks and special files show no attribute either, whatever is stored for them.
// covers: llistxattr, lgetxattr, mknod, lchown
// needs: root
#include "hidden.h"

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
