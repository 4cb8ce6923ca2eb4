// SPDX-License-Identifier: MIT
// Options of overlay mounts: what is missing, unknown or cannot be is refused; userxattr; whiteouts
// in the form of an attribute; bind mounts and mount points within.
// covers: mount, umount2
// needs: root
#include "overlay.h"

static int try(const char *options)
{
    int r = mount("o", "m", "overlay", 0, options);

    if (r == 0)
        CHECK_EQ(umount("m"), 0);
    return r == 0 ? 0 : errno;
}

int main(void)
{
    char value[4] = "", line[4096];

    overlay_layers();
    put_file("l1/file", "f");
    put_file("l2/hidden", "h");
    put_file("l2/x", "x");
    CHECK_EQ(mkdir("l1/d", 0755) | mkdir("l2/d", 0755), 0);
    put_file("l2/d/in", "in");
    CHECK_EQ(try("lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
    CHECK_EQ(try("lowerdir=l1,upperdir=up,workdir=work,index=off,xino=off,metacopy=off"), 0);
    CHECK_EQ(try("lowerdir=l1:l2"), 0);
    CHECK_EQ(try(""), EINVAL);
    CHECK_EQ(try("lowerdir=l1"), EINVAL);
    CHECK_EQ(try("upperdir=up,workdir=work"), EINVAL);
    CHECK_EQ(try("lowerdir=l1,upperdir=up"), EINVAL);
    CHECK_EQ(try("lowerdir=l1,upperdir=up,workdir=up"), EINVAL);
    CHECK_EQ(try("lowerdir=l1,upperdir=up,workdir=up/w"), ENOENT);
    CHECK_EQ(try("lowerdir=none,upperdir=up,workdir=work"), ENOENT);
    CHECK_EQ(try("lowerdir=l1:l2,upperdir=up,workdir=work,sideways"), EINVAL);
    CHECK_EQ(mkdir("a:b", 0755), 0);
    put_file("a:b/colon", "c");
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=a\\:b,upperdir=up,workdir=work"), 0);
    CHECK_STR(get_file("m/colon"), "c");
    CHECK_EQ(umount("m"), 0);

    // Options of a remount do not matter, whatever they say.
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
    CHECK_EQ(mount("o", "m", "overlay", MS_REMOUNT | MS_RDONLY, "lowerdir=l1:l2,upperdir=up,x=y"),
             0);
    CHECK_ERR(open("m/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_EQ(mount("o", "m", "overlay", MS_REMOUNT, "lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
    put_file("m/new", "");
    CHECK_EQ(unlink("m/new"), 0);
    CHECK_EQ(umount("m"), 0);
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2"), 0);
    CHECK_ERR(mount("o", "m", "overlay", MS_REMOUNT, "lowerdir=l1:l2"), EROFS);
    CHECK_EQ(umount("m"), 0);

    // What is in the way of the directory that is made in that for work, goes: no link is followed.
    CHECK(rmdir("work/work") == 0 || errno == ENOTEMPTY);
    if (rename("work/work", "old") == 0 || errno == ENOENT)
        CHECK_EQ(symlink("../l1", "work/work"), 0);
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
    put_file("m/in_the_way", "");
    CHECK_EQ(unlink("m/in_the_way"), 0);
    CHECK(S_ISDIR(stat_of("work/work").st_mode));
    CHECK_EQ(umount("m"), 0);

    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=up,workdir=work,userxattr"), 0);
    CHECK_EQ(unlink("m/d/in") | rmdir("m/d") | mkdir("m/d", 0755), 0);
    CHECK_EQ(getxattr("up/d", "user.overlay.opaque", value, sizeof(value)), 1);
    CHECK_STR(value, "y");
    CHECK_ERR(getxattr("m/d", "user.overlay.opaque", value, sizeof(value)), ENODATA);
    CHECK_STR(names_in("m/d"), "");
    CHECK_EQ(umount("m"), 0);
    // The attribute of the other kind says nothing.
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
    CHECK_STR(names_in("m/d"), "in");
    // Mounts within, and views of it.
    CHECK_EQ(mkdir("view", 0755), 0);
    CHECK_EQ(mount("none", "m/d", "tmpfs", 0, NULL), 0);
    put_file("m/d/t", "t");
    CHECK_ERR(umount("m"), EBUSY);
    CHECK_ERR(rmdir("m/d"), EBUSY);
    CHECK_EQ(umount("m/d"), 0);
    CHECK_EQ(mount("m", "view", NULL, MS_BIND, NULL), 0);
    CHECK_STR(names_in("view"), "d file hidden x");
    put_file("view/file", "changed");
    CHECK_STR(get_file("m/file"), "changed");
    CHECK_STR(get_file("l1/file"), "f");
    CHECK_EQ(umount("view"), 0);
    CHECK_EQ(mount("m/d", "view", NULL, MS_BIND, NULL), 0);
    CHECK_STR(names_in("view"), "in");
    put_file("view/in", "changed");
    CHECK_STR(get_file("m/d/in"), "changed");
    CHECK_STR(get_file("l2/d/in"), "in");
    CHECK_EQ(umount("view"), 0);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    CHECK_ERR(unlink("m/file"), EROFS);
    snprintf(line, sizeof(line), "%s", "");
    FILE *f = fopen("/proc/self/mounts", "r");
    CHECK(f != NULL);
    int seen = 0;
    while (fgets(line, sizeof(line), f))
        seen |= strstr(line, "/base/m overlay ro") && strstr(line, ",lowerdir=l1:l2,upperdir=up");
    CHECK(seen);
    fclose(f);
    overlay_end();
    return done();
}
