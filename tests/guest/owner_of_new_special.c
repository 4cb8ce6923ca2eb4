// SPDX-License-Identifier: MIT
// New symlinks, fifos and sockets belong to their maker, or to the group of a set-group-id
// directory.
// covers: symlink, mknod, bind, setresuid
// needs: root
#include "owner.h"
#include <sys/socket.h>
#include <sys/un.h>

static void make_all(unsigned uid, unsigned gid)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};

    CHECK_EQ(symlink("x", "s"), 0);
    is("s", uid, gid, S_IFLNK | 0777);
    CHECK_EQ(mknod("p", S_IFIFO | 0604, 0), 0);
    is("p", uid, gid, S_IFIFO | 0604);
    CHECK_EQ(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)), 0);
    is("sock", uid, gid, S_IFSOCK | 0777);
}

int main(void)
{
    umask(0);
    CHECK_EQ(mkdir("a", 0777) | mkdir("b", 0777) | mkdir("c", 0777), 0);
    CHECK_EQ(chown("c", 5, 6) | chmod("c", 02777), 0);
    CHECK_EQ(chdir("a"), 0);
    make_all(0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(21, 11);
        CHECK_EQ(chdir("../b"), 0);
        make_all(21, 11);
        CHECK_EQ(chdir("../c"), 0);
        make_all(21, 6);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
