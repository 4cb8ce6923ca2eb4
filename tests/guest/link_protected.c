// SPDX-License-Identifier: MIT
// fs.protected_hardlinks: an ordinary user gives another's file a name only where he may read and
// write it and where it grants no identity. The kernel's default is off, distributions set it.
// covers: linkat, link
// needs: root
#include "check.h"

static void owned(const char *name, uid_t uid, mode_t mode)
{
    put_file(name, "");
    CHECK_EQ(chown(name, uid, 0), 0);
    CHECK_EQ(chmod(name, mode), 0);
}

int main(void)
{
    FILE *f = fopen("/proc/sys/fs/protected_hardlinks", "r");
    int on = 0;

    if (f && fscanf(f, "%d", &on) != 1)
        on = 0;
    owned("secret", 0, 0600);
    owned("readable", 0, 0644);
    owned("open", 0, 0666);
    owned("setuid", 0, 04777);
    owned("setgid", 0, 02777);
    owned("lock", 0, 02767);
    owned("mine", 1000, 0);
    CHECK_EQ(symlink("open", "symlink"), 0);
    CHECK_EQ(mkfifo("fifo", 0666), 0);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 0777), 0);
    CHECK_EQ(link("secret", "d/by-root"), 0);
    become(1000, 1000);
    if (on) {
        CHECK_ERR(link("secret", "d/1"), EPERM);
        CHECK_ERR(link("readable", "d/1"), EPERM);
        CHECK_ERR(link("setuid", "d/1"), EPERM);
        CHECK_ERR(link("setgid", "d/1"), EPERM);
        CHECK_ERR(link("symlink", "d/1"), EPERM);
        CHECK_ERR(link("fifo", "d/1"), EPERM);
        CHECK_ERR(link("secret", "d/by-root"), EEXIST);
        CHECK_ERR(link("secret", "none/1"), ENOENT);
    }
    CHECK_EQ(link("open", "d/2"), 0);
    CHECK_EQ(link("lock", "d/3"), 0); // set-gid without execute permission grants nothing
    CHECK_EQ(link("mine", "d/4"), 0);
    CHECK_EQ(linkat(AT_FDCWD, "symlink", AT_FDCWD, "d/5", AT_SYMLINK_FOLLOW), 0);
    CHECK_ERR(link("d", "d/6"), EPERM);
    CHECK_ERR(link("d", "d/5"), EEXIST);
    return done();
}
