// SPDX-License-Identifier: MIT
// Of two links of a lower layer's file one is changed: then they are two files, and nobody takes
// them for one by their numbers.
// covers: mount, link, stat, open, rename
// needs: root
#include "overlay.h"

int main(void)
{
    overlay_layers();
    put_file("l2/a", "old");
    CHECK_EQ(link("l2/a", "l2/b"), 0);
    put_file("l2/single", "old");
    overlay_mount();
    ino_t both = stat_of("m/a").st_ino, single = stat_of("m/single").st_ino;

    CHECK_EQ(stat_of("m/b").st_ino, both);
    CHECK_EQ(chmod("m/a", 0600), 0);
    CHECK_EQ(chmod("m/single", 0600), 0);
    CHECK(stat_of("m/a").st_ino != stat_of("m/b").st_ino);
    CHECK_EQ(stat_of("m/a").st_nlink, 1);
    CHECK_EQ(stat_of("m/single").st_ino, single);
    CHECK_EQ(rename("m/a", "m/b"), 0); // of two links of one file neither would go
    CHECK_ERR(stat("m/a", &(struct stat){0}), ENOENT);
    CHECK_EQ(stat_of("m/b").st_mode & 0777, 0600);
    overlay_end();
    return done();
}
