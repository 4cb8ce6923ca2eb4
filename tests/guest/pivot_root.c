// SPDX-License-Identifier: MIT
// pivot_root puts another mount at / and the old root below it; afterwards the old one can go.
// covers: pivot_root, mount, umount2, chdir
// needs: root
#include "mountns.h"

static int pivot(const char *new, const char *old)
{
    return syscall(SYS_pivot_root, new, old);
}

int main(void)
{
    char cwd[4096], old[8192];

    own_mounts();
    CHECK_EQ(mkdir("root", 0755), 0);
    put_file("marker", "old tree");
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("root/old", 0755) | mkdir("root/etc", 0755), 0);
    put_file("root/etc/new", "new tree");
    CHECK_ERR(pivot("root/etc", "root/old"), EINVAL); // no mount point
    CHECK_ERR(pivot("missing", "root/old"), ENOENT);
    CHECK_ERR(pivot("marker", "root/old"), ENOTDIR);
    CHECK_EQ(pivot("root", "root/old"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_STR(get_file("/etc/new"), "new tree");
    snprintf(old, sizeof(old), "/old%s/marker", cwd);
    CHECK_STR(get_file(old), "old tree");
    CHECK_EQ(umount2("/old", MNT_DETACH), 0);
    CHECK_ERR(access(old, F_OK), ENOENT);
    CHECK_STR(get_file("/old/../../etc/new"), "new tree");
    CHECK_EQ(rmdir("/old"), 0);
    return done();
}
