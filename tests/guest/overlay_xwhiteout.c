// SPDX-License-Identifier: MIT
// Whiteouts in the form of an attribute (Linux 6.7): an empty file with overlay.whiteout, in a
// directory whose overlay.opaque is "x", as image tools make them where they cannot make nodes.
// covers: mount, setxattr, open, getdents64, unlink, mkdir
// needs: root
#include "overlay.h"

static void hide(const char *dir, const char *name, const char *class)
{
    char path[64], xattr[64];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    put_file(path, "");
    snprintf(xattr, sizeof(xattr), "%s.overlay.whiteout", class);
    CHECK_EQ(setxattr(path, xattr, "", 0, 0), 0);
    snprintf(xattr, sizeof(xattr), "%s.overlay.opaque", class);
    CHECK_EQ(setxattr(dir, xattr, "x", 1, 0), 0);
    CHECK_EQ(setxattr("l1", xattr, "x", 1, 0), 0);
}

static void look(const char *class)
{
    char options[128];

    snprintf(options, sizeof(options), "lowerdir=l1:l2,upperdir=up,workdir=work%s",
             strcmp(class, "user") ? "" : ",userxattr");
    CHECK_EQ(mkdir("l1/d", 0755) | mkdir("l2/d", 0755), 0);
    put_file("l2/d/hidden", "h");
    put_file("l2/d/seen", "s");
    put_file("l2/top", "t");
    hide("l1/d", "hidden", class);
    hide("l1", "top", class);
    put_file("l1/empty", "");
    CHECK_EQ(mount("o", "m", "overlay", 0, options), 0);
    CHECK_STR(names_in("m"), "d empty");
    CHECK_STR(names_in("m/d"), "seen");
    CHECK_ERR(open("m/d/hidden", O_RDONLY), ENOENT);
    CHECK_ERR(unlink("m/d/hidden"), ENOENT);
    put_file("m/d/hidden", "mine");
    CHECK_STR(get_file("m/d/hidden"), "mine");
    CHECK_EQ(unlink("m/d/hidden") | unlink("m/d/seen"), 0);
    CHECK_EQ(mkdir("m/top", 0755), 0);
    CHECK_STR(names_in("m/d"), "");
    CHECK_STR(names_in("m"), "d empty top");
}

int main(void)
{
    overlay_layers();
    look("trusted");
    overlay_end();
    CHECK_EQ(rmdir("base"), 0);
    overlay_layers();
    look("user");
    overlay_end();
    return done();
}
