// SPDX-License-Identifier: MIT
// What is changed of a mount in one namespace, and of what: its flags are this namespace's, that
// the file system is read-only is everybody's; who uses a mount in one does not keep it in another;
// what is renamed or removed there though it is a mount point here.
// covers: mount, umount2, unshare, statfs, rmdir, rename
// needs: root
#include "mountns.h"
#include <sys/statfs.h>

static long flags_of(const char *path)
{
    struct statfs s;
    CHECK_EQ(statfs(path, &s), 0);
    return s.f_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

static int to_[2], from_[2];
static void meet(int in, int out)
{
    char c;
    CHECK_EQ(write(out, "x", 1), 1);
    CHECK_EQ(read(in, &c, 1), 1);
}

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("m", 0755) | mkdir("d", 0755) | mkdir("e", 0755), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(pipe(to_) | pipe(from_), 0);
    put_file("m/file", "text");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(close(to_[1]) | close(from_[0]), 0);
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
        CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL), 0);
        CHECK_EQ(flags_of("m"), MS_RDONLY | MS_NOSUID);
        CHECK_ERR(open("m/file", O_WRONLY), EROFS);
        CHECK_ERR(mkdir("m/sub", 0755), EROFS);
        pid_t inner = fork(); // a copy has what was changed
        if (inner == 0) {
            CHECK_EQ(unshare(CLONE_NEWNS), 0);
            CHECK_EQ(flags_of("m"), MS_RDONLY | MS_NOSUID);
            CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL), 0);
            CHECK_EQ(flags_of("m"), MS_NODEV);
            CHECK_EQ(mkdir("m/inner", 0755) | rmdir("m/inner"), 0);
            _exit(0);
        }
        wait_ok(inner);
        CHECK_EQ(flags_of("m"), MS_RDONLY | MS_NOSUID);
        meet(to_[0], from_[1]); // 1
        CHECK_EQ(flags_of("m"), MS_RDONLY | MS_NOSUID);
        CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
        CHECK_ERR(mkdir("m/sub", 0755), EROFS); // the file system's
        CHECK_EQ(mount("none", "d", "tmpfs", 0, NULL), 0);
        int fd = OK(open("m/file", O_RDONLY));
        meet(to_[0], from_[1]); // 2
        CHECK_STR(get_file("m/file"), "text");
        CHECK_EQ(close(fd), 0);
        _exit(0);
    }
    CHECK_EQ(close(to_[0]) | close(from_[1]), 0);
    char c;
    CHECK_EQ(read(from_[0], &c, 1), 1); // 1
    CHECK_EQ(flags_of("m"), 0);
    CHECK_EQ(mkdir("m/here", 0755), 0);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY | MS_NOEXEC, NULL), 0);
    CHECK_EQ(flags_of("m"), MS_RDONLY | MS_NOEXEC);
    CHECK_EQ(write(to_[1], "x", 1), 1);
    CHECK_EQ(read(from_[0], &c, 1), 1); // 2
    CHECK_EQ(umount2("m", 0), 0);       // the file is open in the other
    CHECK_ERR(access("m/file", F_OK), ENOENT);
    // d is a mount point there alone.
    CHECK_EQ(rename("d", "d2"), 0);
    CHECK_EQ(rmdir("d2"), 0);
    CHECK_EQ(write(to_[1], "x", 1), 1);
    wait_ok(pid);
    return done();
}
