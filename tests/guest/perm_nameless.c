// SPDX-License-Identifier: MIT
// Pipes, sockets and memory files belong to the user who made them, who may change their mode and
// times; a socket's mode before bind is that of its name.
// covers: fstat, fchmod, fchown, utimensat, bind, memfd_create
// needs: root
#include "check.h"
#include <grp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static void own(int fd)
{
    struct timespec ts[2] = {{1, 0}, {1, 0}};
    char path[32];
    struct stat st;

    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 1234);
    CHECK_EQ(st.st_gid, 1234);
    CHECK_EQ(fchmod(fd, 0640), 0);
    CHECK_EQ(fchown(fd, 1234, 1234), 0);
    CHECK_ERR(fchown(fd, 0, -1), EPERM);
    CHECK_ERR(fchown(fd, -1, 0), EPERM);
    CHECK_EQ(futimens(fd, ts), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 1234);
    CHECK_EQ(st.st_mode & 07777, 0640);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_uid, 1234);
    CHECK_EQ(st.st_mode & 07777, 0600);
}

int main(void)
{
    struct sockaddr_un a = {AF_UNIX, "s"};
    struct stat st;
    int p[2], s[2], fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chown("d", 1234, 1234), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(1234, 1234, 1234), 0);
    CHECK_EQ(setresuid(1234, 1234, 1234), 0);
    CHECK_EQ(chdir("d"), 0);
    CHECK_EQ(pipe(p) | socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    own(p[0]);
    own(s[1]);
    own(OK(socket(AF_INET, SOCK_STREAM, 0)));
    fd = OK(memfd_create("m", 0));
    own(fd);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 1234);

    fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_EQ(stat("s", &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    return done();
}
