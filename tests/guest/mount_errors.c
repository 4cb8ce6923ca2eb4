// SPDX-License-Identifier: MIT
// What mount and umount2 refuse, and the flags of umount2.
// covers: mount, umount2
// needs: root
#include "mountns.h"

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    put_file("f", "");
    CHECK_EQ(symlink("m", "s"), 0);
    CHECK_ERR(mount("none", "missing", "tmpfs", 0, NULL), ENOENT);
    CHECK_ERR(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
    CHECK_ERR(mount("none", "m", "no-such-fs", 0, NULL), ENODEV);
    CHECK_ERR(mount("missing", "m", NULL, MS_BIND, NULL), ENOENT);
    CHECK_ERR(mount("f", "m", NULL, MS_BIND, NULL), ENOTDIR);
    CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_mount, "none", bad_ptr, "tmpfs", 0, NULL), EFAULT);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "nonsense=1"), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "uid=4294967295"), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "mode=77777777777777"), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "size=0x"), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "size=1a"), EINVAL);
    static const char *const amounts[] = {"size=1T", "size=0x100000", "size=0100000", "size=1g"};
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "uid=010,gid=0x10"), 0);
    CHECK_EQ(stat_of("m").st_uid, 8);
    CHECK_EQ(stat_of("m").st_gid, 16);
    CHECK_EQ(umount("m"), 0);
    for (unsigned i = 0; i < sizeof(amounts) / sizeof(*amounts); i++) {
        CHECK_EQ(mount("none", "m", "tmpfs", 0, amounts[i]), 0);
        CHECK_EQ(umount("m"), 0);
    }
    CHECK_ERR(umount2("m", 0), EINVAL);
    CHECK_ERR(umount2("missing", 0), ENOENT);
    CHECK_ERR(umount2("f", 0), EINVAL);

    CHECK_EQ(mount("none", "s", "tmpfs", 0, NULL), 0); // links are followed
    put_file("m/f", "");
    CHECK_ERR(umount2("s", UMOUNT_NOFOLLOW), EINVAL);
    CHECK_ERR(umount2("m", 1 << 20), EINVAL);
    CHECK_ERR(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
    CHECK_ERR(umount2("m", MNT_EXPIRE), EAGAIN);
    CHECK_EQ(umount2("m", MNT_EXPIRE), 0);

    CHECK_EQ(chmod(".", 0777), 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        CHECK_ERR(mount("none", "m", "tmpfs", 0, NULL), EPERM);
        CHECK_ERR(umount2("/proc", 0), EPERM);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
