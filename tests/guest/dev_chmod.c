// SPDX-License-Identifier: MIT
// Owner and mode of a device, changed by a descriptor: they are its name's. Where the descriptor
// does not tell which name that is, nothing is changed.
// covers: fchmod, fchown, fchmodat2
// native: skip it would change the machine's own /dev
#include "check.h"
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static void is(const char *path, unsigned mode, unsigned uid, unsigned gid)
{
    struct stat st;

    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode, S_IFCHR | mode);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
}

int main(void)
{
    struct stat full;
    int fd = OK(open("/dev/full", O_RDWR)), path = OK(open("/dev/full", O_PATH));

    CHECK_EQ(stat("/dev/full", &full), 0);
    CHECK_EQ(fchmod(fd, 0640), 0);
    is("/dev/full", 0640, 0, 0);
    CHECK_EQ(fchown(fd, 5, -1), 0);
    CHECK_EQ(fchown(fd, -1, 6), 0);
    CHECK_EQ(fchown(fd, -1, -1), 0);
    is("/dev/full", 0640, 5, 6);
    CHECK_EQ(syscall(452 /* fchmodat2 */, fd, "", 0600, AT_EMPTY_PATH), 0);
    CHECK_EQ(fchownat(fd, "", 7, 8, AT_EMPTY_PATH), 0);
    is("/dev/full", 0600, 7, 8);
    CHECK_ERR(fchmod(path, 0666), EBADF);
    CHECK_ERR(fchown(path, 1, 1), EBADF);
    pid_t pid = OK(fork());
    if (!pid) {
        become(1000, 1000);
        CHECK_ERR(fchmod(fd, 0666), EPERM);
        CHECK_ERR(fchown(fd, 1000, 1000), EPERM);
        return 0;
    }
    wait_ok(pid);
    if (!(pid = OK(fork()))) {
        become(7, 7);
        CHECK_EQ(fchmod(fd, 0620), 0);
        return 0;
    }
    wait_ok(pid);
    is("/dev/full", 0620, 7, 8);

    // Another node of the same number keeps out of it, and has no part in this one's.
    CHECK_EQ(mknod("node", S_IFCHR | 0644, makedev(1, 7)), 0);
    int node = OK(open("node", O_RDONLY));
    CHECK_ERR(fchmod(node, 0600), EPERM);
    is("node", 0644, 0, 0);
    is("/dev/full", 0620, 7, 8);
    CHECK_EQ(fchown(fd, 0, 0) | fchmod(fd, full.st_mode & 07777), 0);
    is("/dev/full", full.st_mode & 07777, 0, 0);
    return done();
}
