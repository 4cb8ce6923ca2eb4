// SPDX-License-Identifier: MIT
// Descriptors received from another process serve like one's own: directories as dirfd, O_PATH,
// with fchdir, fchmod, getdents and /proc/self/fd; over fork in both directions.
// covers: sendmsg, recvmsg, openat, fchdir, fchmod, getdents64
#include "scm.h"
#include <dirent.h>

int main(void)
{
    int s[2], fds[3], n = 0;
    char path[64], link[4096] = "";
    DIR *dir;

    CHECK_EQ(mkdir("d", 0755) | mkdir("d/sub", 0755), 0);
    put_file("d/f", "data");
    put_file("outside", "parent");
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(chdir("/"), 0);
        CHECK_EQ(recv_fds(s[1], fds, 3, 0, NULL), 3);
        int fd = OK(openat(fds[0], "f", O_RDWR));
        CHECK_STR(get_fd(fd), "data");
        fd = OK(openat(fds[0], "../outside", O_RDONLY));
        CHECK_STR(get_fd(fd), "parent");
        fd = OK(openat(fds[1], "../f", O_RDONLY)); // O_PATH
        CHECK_STR(get_fd(fd), "data");
        CHECK_EQ(mkdirat(fds[1], "made", 0700), 0);
        CHECK_EQ(fchmod(fds[2], 0604), 0);
        CHECK_EQ(fchownat(fds[2], "", -1, -1, AT_EMPTY_PATH), 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
        CHECK(readlink(path, link, sizeof(link) - 1) > 0);
        CHECK_STR(link + strlen(link) - 6, "/d/sub");
        dir = fdopendir(fds[0]);
        CHECK(dir != NULL);
        while (readdir(dir))
            n++;
        CHECK_EQ(n, 4);
        CHECK_EQ(fchdir(fds[1]), 0);
        CHECK_STR(get_file("../f"), "data");
        fd = OK(open("new", O_RDWR | O_CREAT, 0600));
        CHECK_EQ(write(fd, "by child", 8), 8);
        CHECK_EQ(send_fds(s[1], &fd, 1), 1);
        _exit(0);
    }
    fds[0] = OK(open("d", O_RDONLY));
    fds[1] = OK(open("d/sub", O_PATH));
    fds[2] = OK(open("d/f", O_RDWR));
    CHECK_EQ(send_fds(s[0], fds, 3), 1);
    wait_ok(pid);
    CHECK_EQ(recv_fds(s[0], fds, 1, 0, NULL), 1);
    CHECK_STR(get_fd(fds[0]), "by child");
    CHECK_EQ(mode_of("d/f"), 0604);
    CHECK(S_ISDIR(stat_of("d/sub/made").st_mode));
    return done();
}
