// SPDX-License-Identifier: MIT
// The descriptor of a symlink (O_PATH | O_NOFOLLOW) is no directory to go on from, wherever the
// link leads: not one of a tree, and none of /proc, which leads to an object.
// covers: openat, newfstatat, mkdirat, readlinkat, unlinkat, fchdir, openat2
#include "check.h"
#include <linux/openat2.h>

static void look(const char *link)
{
    struct stat st;
    struct open_how how = {.flags = O_PATH};
    char again[64], text[4096];
    int fd = OK(open(link, O_PATH | O_NOFOLLOW));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    static const char *const names[] = {"in", ".", "..", "etc", "../in"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        CHECK_ERR(openat(fd, names[i], O_RDONLY), ENOTDIR);
        CHECK_ERR(openat(fd, names[i], O_PATH), ENOTDIR);
        CHECK_ERR(fstatat(fd, names[i], &st, 0), ENOTDIR);
        CHECK_ERR(readlinkat(fd, names[i], text, sizeof(text)), ENOTDIR);
        CHECK_ERR(syscall(SYS_openat2, fd, names[i], &how, sizeof(how)), ENOTDIR);
    }
    CHECK_ERR(mkdirat(fd, "new", 0755), ENOTDIR);
    CHECK_ERR(openat(fd, "new", O_CREAT | O_WRONLY, 0644), ENOTDIR);
    CHECK_ERR(unlinkat(fd, "in", 0), ENOTDIR);
    CHECK_ERR(fchdir(fd), ENOTDIR);
    snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
    CHECK_ERR(open(again, O_RDONLY), ELOOP);
    CHECK_ERR(open(again, O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(chdir(again), ENOTDIR);
    close(fd);
}

int main(void)
{
    char path[64];
    CHECK_EQ(mkdir("d", 0755) | mkdir("d/in", 0755), 0);
    CHECK_EQ(symlink("d", "link"), 0);
    int d = OK(open("d", O_PATH));
    look("link");
    look("/proc/self/root");
    look("/proc/self/cwd");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", d);
    look(path);
    return done();
}
