// SPDX-License-Identifier: MIT
// rename in an overlay mount: files of lower layers are copied up and leave whiteouts; directories
// that a lower layer has are EXDEV, others are moved.
// covers: rename, renameat2, mount
// needs: root
#include "overlay.h"

int main(void)
{
    overlay_layers();
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof(name), "l2/f%d", i);
        put_file(name, name + 4);
    }
    CHECK_EQ(mkdir("l2/d", 0755) | mkdir("l1/d", 0755) | mkdir("l2/gone", 0755), 0);
    put_file("l2/d/in", "in");
    put_file("l2/gone/x", "x");
    CHECK_EQ(symlink("f1", "l2/s") | lchown("l2/s", 5, 6), 0);
    overlay_mount();

    CHECK_EQ(rename("m/f0", "m/g0"), 0);
    CHECK_STR(get_file("m/g0"), "0");
    CHECK_ERR(access("m/f0", F_OK), ENOENT);
    CHECK(is_whiteout("up/f0"));
    CHECK_STR(get_file("l2/f0"), "0");
    CHECK_EQ(rename("m/f1", "m/f2"), 0); // over one of a lower layer
    CHECK_STR(get_file("m/f2"), "1");
    CHECK_EQ(rename("m/g0", "m/f0"), 0); // over a whiteout
    CHECK_STR(get_file("m/f0"), "0");
    CHECK_ERR(access("m/g0", F_OK), ENOENT);
    CHECK_ERR(lstat("up/g0", &(struct stat){0}), ENOENT);
    CHECK_EQ(rename("m/f3", "m/d/moved"), 0);
    CHECK_STR(names_in("m/d"), "in moved");
    CHECK_EQ(rename("m/s", "m/t"), 0);
    CHECK_EQ(stat_of("m/t").st_uid, 5);
    CHECK_ERR(rename("m/f3", "m/x"), ENOENT);
    CHECK_ERR(rename("m/f4", "m/d"), EISDIR);
    CHECK_ERR(rename("m/d", "m/f4"), ENOTDIR);

    CHECK_ERR(rename("m/d", "m/e"), EXDEV);
    CHECK_ERR(rename("m/gone", "m/d/gone"), EXDEV);
    CHECK_ERR(rename("m/f4", "f4"), EXDEV);
    CHECK_EQ(mkdir("m/new", 0755), 0);
    put_file("m/new/y", "y");
    CHECK_EQ(rename("m/new", "m/newer"), 0);
    CHECK_STR(names_in("m/newer"), "y");
    CHECK_ERR(lstat("up/new", &(struct stat){0}), ENOENT);
    CHECK_ERR(rename("m/newer", "m/d"), ENOTEMPTY);
    CHECK_ERR(rename("m/newer", "m/newer/z"), EINVAL);
    // Over a whiteout of a directory: what it hid stays hidden.
    CHECK_EQ(unlink("m/gone/x") | rmdir("m/gone"), 0);
    CHECK_EQ(rename("m/newer", "m/gone"), 0);
    CHECK_STR(names_in("m/gone"), "y");
    CHECK_ERR(lstat("up/newer", &(struct stat){0}), ENOENT);
    // Over an empty directory that hides a full one.
    CHECK_EQ(unlink("m/d/in") | unlink("m/d/moved"), 0);
    CHECK_EQ(mkdir("m/again", 0755), 0);
    put_file("m/again/z", "z");
    CHECK_EQ(rename("m/again", "m/d"), 0);
    CHECK_STR(names_in("m/d"), "z");

    CHECK_ERR(renameat2(AT_FDCWD, "m/f4", AT_FDCWD, "m/f5", RENAME_NOREPLACE), EEXIST);
    CHECK_EQ(renameat2(AT_FDCWD, "m/f4", AT_FDCWD, "m/f9", RENAME_NOREPLACE), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "m/f3", AT_FDCWD, "m/f9", RENAME_NOREPLACE) == -1, 1);
    CHECK_EQ(renameat2(AT_FDCWD, "m/f5", AT_FDCWD, "m/f6", RENAME_EXCHANGE), 0);
    CHECK_STR(get_file("m/f5"), "6");
    CHECK_STR(get_file("m/f6"), "5");
    CHECK_STR(get_file("l2/f6"), "6");
    CHECK_ERR(renameat2(AT_FDCWD, "m/f5", AT_FDCWD, "m/f4", RENAME_EXCHANGE), ENOENT);
    CHECK_ERR(renameat2(AT_FDCWD, "m/f5", AT_FDCWD, "m/f8", RENAME_WHITEOUT), EINVAL);
    CHECK_STR(names_in("m"), "d f0 f2 f5 f6 f7 f9 gone t");
    CHECK_EQ(umount("m"), 0);
    overlay_mount();
    CHECK_STR(names_in("m"), "d f0 f2 f5 f6 f7 f9 gone t");
    CHECK_STR(names_in("m/gone"), "y");
    CHECK_STR(names_in("m/d"), "z");
    overlay_end();
    return done();
}
