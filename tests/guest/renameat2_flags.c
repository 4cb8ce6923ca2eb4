// SPDX-License-Identifier: MIT
// renameat2: NOREPLACE never replaces, EXCHANGE swaps anything with anything in one step.
// covers: renameat2
#include "check.h"

static int rename2(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

int main(void)
{
    int dir;

    put_file("a", "A");
    put_file("b", "B");
    CHECK_ERR(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
    CHECK_STR(get_file("b"), "B");
    CHECK_EQ(symlink("nowhere", "dangling"), 0);
    CHECK_ERR(rename2("a", "dangling", RENAME_NOREPLACE), EEXIST);
    CHECK_EQ(rename2("a", "c", RENAME_NOREPLACE), 0);
    CHECK_STR(get_file("c"), "A");
    CHECK_ERR(rename2("missing", "d", RENAME_NOREPLACE), ENOENT);

    CHECK_EQ(rename2("b", "c", RENAME_EXCHANGE), 0);
    CHECK_STR(get_file("b"), "A");
    CHECK_STR(get_file("c"), "B");
    CHECK_ERR(rename2("b", "missing", RENAME_EXCHANGE), ENOENT);
    CHECK_ERR(rename2("missing", "b", RENAME_EXCHANGE), ENOENT);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/in", "IN");
    CHECK_EQ(rename2("d", "b", RENAME_EXCHANGE), 0);
    CHECK_STR(get_file("b/in"), "IN");
    CHECK_STR(get_file("d"), "A");
    CHECK_EQ(rename2("dangling", "b", RENAME_EXCHANGE), 0);
    CHECK(S_ISLNK(stat_of("b").st_mode));
    CHECK(S_ISDIR(stat_of("dangling").st_mode));
    CHECK_ERR(rename2("dangling", "dangling/in", RENAME_EXCHANGE), EINVAL);
    CHECK_ERR(rename2("dangling/in", "dangling", RENAME_EXCHANGE), EINVAL);
    CHECK_EQ(rename2("c", "c", RENAME_EXCHANGE), 0);

    dir = OK(open("dangling", O_PATH));
    CHECK_EQ(renameat2(dir, "in", AT_FDCWD, "c", RENAME_EXCHANGE), 0);
    CHECK_STR(get_file("c"), "IN");
    CHECK_ERR(rename2("a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
    CHECK_ERR(rename2("a", "b", 1 << 20), EINVAL);
    CHECK_EQ(rename2("c", "e", 0), 0);
    return done();
}
