// SPDX-License-Identifier: MIT
// What an overlay has, reached by links of /proc/self/fd: it is the overlay's, and what is changed
// there is copied up first.
// covers: open, openat, chmod, truncate, setxattr
// needs: root
#include "overlay.h"

static char path[64];

static const char *proc(int fd)
{
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

static void is_old(const char *name)
{
    char at[64];

    snprintf(at, sizeof(at), "l2/d/%s", name);
    CHECK_STR(get_file(at), "old");
    CHECK_EQ(mode_of(at), 0644);
    CHECK_ERR(getxattr(at, "trusted.x", NULL, 0), ENODATA);
}

int main(void)
{
    umask(022);
    overlay_layers();
    CHECK_EQ(mkdir("l2/d", 0755) | mkdir("l1/d", 0755) | mkdir("l1/d/e", 0755), 0);
    for (const char *name = "abcdef"; *name; name++) {
        char at[64];
        snprintf(at, sizeof(at), "l2/d/%c", *name);
        put_file(at, "old");
    }
    overlay_mount();
    int a = OK(open("m/d/a", O_RDONLY)), b = OK(open("m/d/b", O_RDONLY)),
        c = OK(open("m/d/c", O_PATH)), d = OK(open("m/d/d", O_RDONLY)),
        e = OK(open("m/d/e", O_RDONLY | O_DIRECTORY)), f, i;

    CHECK_STR(get_file(proc(a)), "old");
    f = OK(open(proc(a), O_RDWR));
    CHECK_EQ(write(f, "new", 3), 3);
    CHECK_STR(get_file("m/d/a"), "new");
    close(f);
    f = OK(open(proc(a), O_WRONLY | O_TRUNC)); // copied up meanwhile
    CHECK_STR(get_file("m/d/a"), "");
    CHECK_EQ(write(f, "more", 4), 4);
    CHECK_STR(get_file("m/d/a"), "more");
    close(f);
    f = OK(open("m/d/a", O_RDONLY));
    close(OK(open(proc(f), O_RDWR | O_TRUNC)));
    CHECK_STR(get_file("m/d/a"), "");
    CHECK_EQ(chmod(proc(b), 0600), 0);
    CHECK_EQ(mode_of("m/d/b"), 0600);
    CHECK_EQ(truncate(proc(c), 1), 0);
    CHECK_STR(get_file("m/d/c"), "o");
    CHECK_EQ(setxattr(proc(d), "trusted.x", "y", 1, 0), 0);
    CHECK_EQ(getxattr("m/d/d", "trusted.x", NULL, 0), 1);
    // A directory is the overlay's, too.
    i = OK(open(proc(e), O_RDONLY | O_DIRECTORY));
    struct stat st, up = stat_of("m/d");
    CHECK_EQ(fstatat(i, "..", &st, 0), 0);
    CHECK_EQ(st.st_dev, up.st_dev);
    CHECK_EQ(st.st_ino, up.st_ino);
    CHECK_EQ(mkdirat(i, "sub", 0755), 0);
    CHECK_EQ(stat("m/d/e/sub", &st), 0);
    CHECK_ERR(stat("l1/d/e/sub", &st), ENOENT);
    close(f);
    // Of a removed file only the link leads to it.
    f = OK(open("m/d/a", O_RDONLY));
    CHECK_EQ(unlink("m/d/a"), 0);
    close(OK(open(proc(f), O_RDWR | O_TRUNC)));
    CHECK_STR(get_fd(f), "");
    is_old("a");
    is_old("b");
    is_old("c");
    is_old("d");
    close(a), close(b), close(c), close(d), close(e), close(f), close(i);
    overlay_end();
    return done();
}
