// SPDX-License-Identifier: MIT
// chroot: absolute paths, links and `..` end at the new root; what was open before stays
// reachable; root only; inherited by fork.
// covers: chroot, fchdir, getcwd
// needs: root
#include "check.h"

static void inside(int outer)
{
    char text[4096] = "";
    int fd;

    CHECK_EQ(chroot("jail"), 0);
    // The current directory is outside and stays what it is.
    CHECK_STR(get_file("outside"), "outside");
    CHECK(syscall(SYS_getcwd, text, sizeof(text)) > 0);
    CHECK(strncmp(text, "(unreachable)/", 14) == 0);
    CHECK(getcwd(text, sizeof(text)) == NULL && errno == ENOENT);

    CHECK_STR(get_file("/f"), "inside");
    CHECK_STR(get_file("/../../../f"), "inside");
    CHECK_STR(get_file("/d/../../f"), "inside");
    CHECK_STR(get_file("/abs"), "inside");
    CHECK_STR(get_file("/d/up"), "inside");
    CHECK_ERR(access("/outside", F_OK), ENOENT);
    CHECK_EQ(chdir("/d"), 0);
    CHECK(getcwd(text, sizeof(text)) != NULL);
    CHECK_STR(text, "/d");
    CHECK_EQ(chdir("../.."), 0);
    CHECK(getcwd(text, sizeof(text)) != NULL);
    CHECK_STR(text, "/");
    CHECK_EQ(stat_of("/..").st_ino, stat_of("/").st_ino);

    // A directory held from before is a way out: so it is on Linux.
    fd = OK(openat(outer, "outside", O_RDONLY));
    CHECK_STR(get_fd(fd), "outside");
    // But on the way through the new root, `..` stops there.
    fd = OK(openat(outer, "jail/../f", O_RDONLY));
    CHECK_STR(get_fd(fd), "inside");
    CHECK_ERR(openat(outer, "jail/../outside", O_RDONLY), ENOENT);
    fd = OK(openat(outer, "jail/abs", O_RDONLY));
    CHECK_STR(get_fd(fd), "inside");

    pid_t pid = fork();
    if (pid == 0) {
        CHECK_STR(get_file("/f"), "inside");
        CHECK_EQ(chroot("/d"), 0);
        CHECK_ERR(access("/f", F_OK), ENOENT);
        CHECK_EQ(access("/up", F_OK), -1);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_STR(get_file("/f"), "inside");
    CHECK_ERR(chroot("/f"), ENOTDIR);
    CHECK_ERR(chroot("/missing"), ENOENT);
    CHECK_ERR(chroot(""), ENOENT);
    become(1000, 1000);
    CHECK_ERR(chroot("/"), EPERM);
    _exit(0);
}

int main(void)
{
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("jail", 0755) | mkdir("jail/d", 0755), 0);
    put_file("jail/f", "inside");
    put_file("outside", "outside");
    CHECK_EQ(symlink("/f", "jail/abs"), 0);
    CHECK_EQ(symlink("../../../../f", "jail/d/up"), 0);
    pid_t pid = fork();
    if (pid == 0)
        inside(OK(open(".", O_PATH)));
    wait_ok(pid);
    CHECK_ERR(access("/f", F_OK), ENOENT);
    return done();
}
