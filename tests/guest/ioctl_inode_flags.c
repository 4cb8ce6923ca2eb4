// SPDX-License-Identifier: MIT
// chattr(1): inode flags are read by all, changed by the owner only; append-only and immutable need
// a capability. Through descriptors opened for reading.
// covers: ioctl
// needs: root
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "check.h"

static void user(void)
{
    int mine = OK(open("mine", O_RDONLY)), theirs = OK(open("theirs", O_RDONLY)), flags, was;
    struct fsxattr x;

    CHECK_EQ(ioctl(theirs, FS_IOC_GETFLAGS, &flags), 0);
    CHECK_ERR(ioctl(theirs, FS_IOC_SETFLAGS, &flags), EPERM);
    CHECK_EQ(ioctl(theirs, FS_IOC_FSGETXATTR, &x), 0);
    CHECK_ERR(ioctl(theirs, FS_IOC_FSSETXATTR, &x), EPERM);
    CHECK_EQ(ioctl(mine, FS_IOC_GETFLAGS, &was), 0);
    flags = was | FS_NODUMP_FL;
    CHECK_EQ(ioctl(mine, FS_IOC_SETFLAGS, &flags), 0);
    CHECK_EQ(ioctl(mine, FS_IOC_GETFLAGS, &flags), 0);
    CHECK_EQ(flags, was | FS_NODUMP_FL);
    flags = was | FS_IMMUTABLE_FL;
    CHECK_ERR(ioctl(mine, FS_IOC_SETFLAGS, &flags), EPERM);
    flags = was | FS_APPEND_FL;
    CHECK_ERR(ioctl(mine, FS_IOC_SETFLAGS, &flags), EPERM);
    CHECK_ERR(ioctl(mine, FS_IOC_SETFLAGS, NULL), EFAULT);
    CHECK_EQ(ioctl(mine, FS_IOC_SETFLAGS, &was), 0);
}

int main(void)
{
    int flags, status, fd;
    pid_t pid;

    put_file("mine", "");
    put_file("theirs", "");
    CHECK_EQ(chmod("theirs", 0644), 0);
    CHECK_EQ(chown("mine", 1000, 1000), 0);
    fd = OK(open("mine", O_RDONLY));
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
        CHECK(errno == ENOTTY || errno == EOPNOTSUPP);
        return done(); // a file system without
    }
    CHECK_EQ(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0); // CAP_FOWNER
    pid = OK(fork());
    if (!pid) {
        become(1000, 1000);
        user();
        exit(done());
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return done();
}
