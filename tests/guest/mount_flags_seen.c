// SPDX-License-Identifier: MIT
// What statfs tells of a mount's flags; what is wrong first where a name is a mount point; proc
// twice in one place.
// covers: statfs, fstatfs, rename, rmdir, mount
// needs: root
#include "mountns.h"
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define FLAGS (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)

static long flags_of(const char *path)
{
    struct statfs by_path, by_fd;
    int fd = OK(open(path, O_RDONLY));

    CHECK_EQ(statfs(path, &by_path), 0);
    CHECK_EQ(fstatfs(fd, &by_fd), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(by_path.f_flags & FLAGS, by_fd.f_flags & FLAGS);
    return by_path.f_flags & FLAGS;
}

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("a", 0755), 0);
    CHECK_EQ(mkdir("a/d", 0755), 0);
    CHECK_EQ(mkdir("b", 0755), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(flags_of("b") & (ST_RDONLY | ST_NOEXEC), 0);
    CHECK_EQ(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL), 0);
    CHECK_EQ(flags_of("b") & ~ST_NODEV, ST_RDONLY | ST_NOSUID);
    CHECK_EQ(flags_of("b/d") & ~ST_NODEV, ST_RDONLY | ST_NOSUID);
    CHECK_EQ(flags_of("a") & (ST_RDONLY | ST_NOEXEC), 0);

    // A mount point in a mount that is read-only, and in another one than the new name's.
    CHECK_EQ(mount("t", "b/d", "tmpfs", MS_NODEV | MS_NOEXEC, NULL), 0);
    CHECK_EQ(flags_of("b/d"), ST_NODEV | ST_NOEXEC);
    CHECK_ERR(rmdir("b/d"), EROFS);
    CHECK_ERR(rmdir("b"), EBUSY);
    CHECK_ERR(rename("a/d", "b"), EBUSY);
    CHECK_ERR(rename("missing", "b"), ENOENT);
    CHECK_ERR(rename("b/d", "b/x"), EROFS);
    CHECK_ERR(rename("b/d", "x"), EXDEV);
    CHECK_ERR(rename("b", "b/d/x"), EXDEV);
    CHECK_ERR(rename("b/missing", "b"), EXDEV);

    CHECK_EQ(mkdir("p", 0755), 0);
    CHECK_EQ(mount("proc", "p", "proc", 0, NULL), 0);
    CHECK_EQ(mount("proc", "p", "proc", MS_NOSUID | MS_RDONLY, NULL), 0);
    CHECK_EQ(flags_of("p") & (ST_RDONLY | ST_NOSUID), ST_RDONLY | ST_NOSUID);
    CHECK_EQ(umount2("p", 0), 0);
    CHECK_EQ(umount2("p", 0), 0);
    return done();
}
