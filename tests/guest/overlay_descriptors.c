// SPDX-License-Identifier: MIT
// What is changed by a descriptor of a lower layer's file: its copy, if that has the name still,
// and else nothing: neither what has the name now, nor the lower layer.
// covers: mount, fchmod, fchown, futimens, fsetxattr, unlink, rename
// needs: root
#include "overlay.h"

static unsigned mode(const char *path)
{
    return stat_of(path).st_mode & 07777;
}

static void refused(int fd, const char *lower)
{
    struct timespec times[2] = {{1, 0}, {1, 0}};

    CHECK_EQ(fchmod(fd, 0600), -1);
    CHECK_EQ(fchown(fd, 5, 5), -1);
    CHECK_EQ(futimens(fd, times), -1);
    CHECK_EQ(fsetxattr(fd, "trusted.x", "1", 1, 0), -1);
    CHECK_EQ(mode(lower), 0644);
    CHECK_EQ(stat_of(lower).st_uid, 0);
    CHECK(stat_of(lower).st_mtime != 1);
    CHECK_ERR(getxattr(lower, "trusted.x", NULL, 0), ENODATA);
    CHECK_EQ(close(fd), 0);
}

int main(void)
{
    static const char *const files[] = {"removed", "replaced",       "copied",
                                        "link",    "also (deleted)", "also"};
    char path[64];

    overlay_layers();
    for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "l2/%s", files[i]);
        put_file(path, "x");
    }
    CHECK_EQ(link("l2/link", "l2/other"), 0);
    overlay_mount();

    int fd = OK(open("m/removed", O_RDONLY));
    CHECK_EQ(unlink("m/removed"), 0);
    refused(fd, "l2/removed");

    fd = OK(open("m/replaced", O_RDONLY));
    put_file("m/new", "new");
    CHECK_EQ(rename("m/new", "m/replaced"), 0);
    refused(fd, "l2/replaced");
    CHECK_EQ(mode("m/replaced"), 0644);
    CHECK_ERR(getxattr("m/replaced", "trusted.x", NULL, 0), ENODATA);

    fd = OK(open("m/copied", O_RDONLY));
    CHECK_EQ(chmod("m/copied", 0640), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode("m/copied"), 0600);
    CHECK_EQ(mode("l2/copied"), 0644);

    fd = OK(open("m/link", O_RDONLY));
    CHECK_EQ(chmod("m/link", 0640), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode("m/link"), 0600);
    CHECK_EQ(mode("m/other"), 0644);
    CHECK_EQ(mode("l2/link"), 0644);

    // The upper layer's own file is changed itself, whatever has its name.
    fd = OK(open("m/own", O_RDWR | O_CREAT, 0644));
    put_file("m/new", "new");
    CHECK_EQ(rename("m/new", "m/own"), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode("m/own"), 0644);
    fd = OK(open("m/also", O_RDWR));
    CHECK_EQ(unlink("m/also"), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode("m/also (deleted)"), 0644);
    CHECK_EQ(mode("l2/also"), 0644);
    overlay_end();
    return done();
}
