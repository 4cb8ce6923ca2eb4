// SPDX-License-Identifier: MIT
// /proc/self/fd/N of a lower layer's file: it is copied up by that as by its name, and what was
// copied up since it was opened is what that leads to.
// covers: open, stat, chmod, chown, truncate, linkat, setxattr
// needs: root
#include "overlay.h"

static char path[64];

static int by_link(const char *name)
{
    int fd = OK(open(name, O_PATH));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return fd;
}

int main(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    char name[32], value[4];
    struct stat st;
    overlay_layers();
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "l%d/%s", 1 + (i & 1), names[i]);
        put_file(name, names[i]);
    }
    CHECK_EQ(mkfifo("l2/p", 0600), 0);
    overlay_mount();
    CHECK_EQ(chdir("m"), 0);

    int a = by_link("a");
    CHECK_EQ(chmod(path, 0604), 0);
    CHECK_EQ(mode_of("a"), 0604);
    CHECK_EQ(chown(path, 5, 6), 0);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_uid, 5);
    CHECK_EQ(stat_of("a").st_uid, 5);
    CHECK_EQ(st.st_ino, stat_of("a").st_ino);

    int b = by_link("b"), w = OK(open(path, O_RDWR));
    CHECK_EQ(w, b + 1); // the lowest number
    CHECK_EQ(write(w, "written", 7), 7);
    CHECK_EQ(fcntl(w, F_GETFL) & (O_ACCMODE | O_DIRECTORY | O_NOFOLLOW | O_PATH), O_RDWR);
    CHECK_STR(get_file("b"), "written");
    CHECK_STR(get_file(path), "written");
    CHECK_EQ(truncate(path, 3), 0);
    CHECK_EQ(stat_of("b").st_size, 3);

    // By its name meanwhile.
    int c = by_link("c"), r;
    put_file("c", "changed");
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, 7);
    CHECK_STR(get_file(path), "changed");
    r = OK(open(path, O_RDONLY));
    CHECK_EQ(r, c + 1);
    CHECK_EQ(chmod(path, 0640), 0);
    CHECK_EQ(mode_of("c"), 0640);

    int d = by_link("d");
    CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "link", AT_SYMLINK_FOLLOW), 0);
    CHECK_STR(get_file("link"), "d");
    CHECK_EQ(stat_of("link").st_nlink, 2);

    int e = by_link("e");
    CHECK_EQ(setxattr(path, "user.x", "1", 1, 0), 0);
    CHECK_EQ(getxattr("e", "user.x", value, sizeof value), 1);

    int p = by_link("p");
    CHECK_EQ(chmod(path, 0622), 0);
    CHECK_EQ(mode_of("p"), 0622);
    CHECK_EQ(close(OK(open(path, O_RDWR))), 0);
    CHECK_EQ(close(a) | close(b) | close(w) | close(c) | close(r) | close(d) | close(e) | close(p),
             0);
    CHECK_STR(get_file("../l1/a"), "a");
    CHECK_STR(get_file("../l2/b"), "b");
    CHECK_STR(get_file("../l1/c"), "c");
    CHECK_EQ(chdir(".."), 0);
    overlay_end();
    return done();
}
