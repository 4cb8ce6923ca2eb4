// SPDX-License-Identifier: MIT
// pivot_root(".", ".") puts the old root over the new one, and umount2(".") takes it away: what
// pivot_root(2) tells containers to do; so does one by a descriptor of the old root. The new root
// keeps what is mounted in it. umount2(".") of a directory that was entered before something was
// mounted on it is that mount's.
// covers: pivot_root, umount2, mount, chdir
// needs: root
#include "mountns.h"

static void pivot(int by_old)
{
    char marker[8192];

    own_mounts();
    CHECK(getcwd(marker, 4096) != NULL);
    strcat(marker, "/marker");
    put_file("marker", "old");
    CHECK_EQ(by_old ? 0 : mkdir("d", 0755) | mkdir("root", 0755), 0);
    CHECK_EQ(chdir("d"), 0);
    CHECK_EQ(mount("none", "../d", "tmpfs", 0, NULL), 0);
    put_file("../d/inside", "");
    CHECK_ERR(access("inside", F_OK), ENOENT);
    CHECK_EQ(umount2(".", 0), 0);
    CHECK_ERR(access("../d/inside", F_OK), ENOENT);
    CHECK_ERR(umount2(".", 0), EINVAL);
    CHECK_EQ(chdir(".."), 0);

    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("root/bound", 0755) | mkdir("root/tmp", 0755), 0);
    CHECK_EQ(mount("d", "root/bound", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount("none", "root/tmp", "tmpfs", 0, NULL), 0);
    put_file("root/tmp/in_tmp", "");
    put_file("root/new", "");
    put_file("d/in_d", "");
    CHECK_EQ(chdir("root"), 0);
    int old = OK(open("/", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(syscall(SYS_pivot_root, ".", "."), 0);
    if (by_old)
        CHECK_EQ(fchdir(old), 0);
    CHECK_EQ(umount2(".", MNT_DETACH), 0);
    CHECK_EQ(close(old), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(access("/new", F_OK), 0);
    CHECK_EQ(access("new", F_OK), 0);
    CHECK_EQ(access("/tmp/in_tmp", F_OK), 0);
    CHECK_EQ(access("/bound/in_d", F_OK), 0);
    CHECK_EQ(access("/../new", F_OK), 0);
    CHECK_ERR(access(marker, F_OK), ENOENT);
    CHECK_EQ(mkdir("/more", 0755), 0);
    CHECK_EQ(mount("none", "/more", "tmpfs", 0, NULL), 0);
    put_file("/more/x", "");
    CHECK_EQ(umount2("/tmp", 0), 0);
    CHECK_ERR(access("/tmp/in_tmp", F_OK), ENOENT);
    CHECK_EQ(umount2("/more", 0), 0);
}

int main(void)
{
    for (int by_old = 0; by_old < 2; by_old++) {
        pid_t pid = fork();
        if (pid == 0) {
            pivot(by_old);
            _exit(0);
        }
        wait_ok(pid);
    }
    return done();
}
