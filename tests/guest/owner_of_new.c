// SPDX-License-Identifier: MIT
// Who owns new files and directories: the effective user and group, or the group of a set-group-id
// directory; directories inherit that bit.
// covers: open, openat, mkdir, mkdirat, mknod, setresuid, setfsuid, setfsgid
// needs: root
#include "owner.h"
#include <sys/fsuid.h>

static _Noreturn void make_all(unsigned uid, unsigned gid, unsigned dirbits)
{
    close(OK(open("f", O_RDWR | O_CREAT, 0640)));
    is("f", uid, gid, S_IFREG | 0640);
    CHECK_EQ(mkdir("d", 0750), 0);
    is("d", uid, gid, S_IFDIR | dirbits | 0750);
    CHECK_EQ(mkdir("d/sub", 0700), 0);
    is("d/sub", uid, gid, S_IFDIR | dirbits | 0700);
    CHECK_EQ(mknod("r", S_IFREG | 0601, 0), 0);
    is("r", uid, gid, S_IFREG | 0601);
    _exit(0);
}

int main(void)
{
    umask(0);
    for (int step = 0; step < 4; step++) {
        const char *dir = &"a\0b\0c\0d"[2 * step];
        pid_t pid;

        CHECK_EQ(mkdir(dir, 0777), 0);
        CHECK_EQ(chown(dir, 5, 6), 0);
        CHECK_EQ(chmod(dir, step == 2 ? 02777 : 0777), 0);
        CHECK_EQ(chdir(dir), 0);
        pid = fork();
        if (pid == 0) {
            switch (step) {
            case 0:
                make_all(0, 0, 0);
            case 1:
                CHECK_EQ(setresgid(10, 11, 12), 0);
                CHECK_EQ(setresuid(20, 21, 22), 0);
                make_all(21, 11, 0);
            case 2:
                become(21, 11);
                make_all(21, 6, 02000);
            default:
                setfsgid(13);
                setfsuid(23);
                CHECK_EQ(setfsuid(-1), 23);
                make_all(23, 13, 0);
            }
        }
        wait_ok(pid);
        CHECK_EQ(chdir(".."), 0);
    }
    return done();
}
