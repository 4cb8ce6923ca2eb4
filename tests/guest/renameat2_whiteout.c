// SPDX-License-Identifier: MIT
// RENAME_WHITEOUT leaves a 0:0 character node under the old name, as overlay file systems want
// it.
// covers: renameat2
// trap: not overlay: EINVAL, as by Linux (ovl_rename)
// needs: root
#include "check.h"

int main(void)
{
    put_file("a", "A");
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "a", AT_FDCWD, "d/b", RENAME_WHITEOUT), 0);
    CHECK_STR(get_file("d/b"), "A");
    CHECK(S_ISCHR(stat_of("a").st_mode));
    CHECK_EQ(stat_of("a").st_rdev, 0);
    CHECK_ERR(open("a", O_RDONLY), ENXIO);
    CHECK_ERR(renameat2(AT_FDCWD, "d/b", AT_FDCWD, "a", RENAME_WHITEOUT | RENAME_NOREPLACE),
              EEXIST);
    CHECK_ERR(renameat2(AT_FDCWD, "d/b", AT_FDCWD, "a", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
    CHECK_EQ(unlink("a"), 0);
    return done();
}
