// SPDX-License-Identifier: MIT
// Names up to 255 bytes and paths up to 4095; beyond, ENAMETOOLONG. Deeper trees are reached
// step by step, and then getcwd says so too.
// covers: open, mkdir, stat, getcwd, chdir, symlink, rename
// trap: not nested: the host sees a longer path than the guest, and the outer lxrun tells it
#include "check.h"

int main(void)
{
    static char name[300], path[5000], cwd[8192];
    struct stat st;

    memset(name, 'n', 256);
    CHECK_ERR(mkdir(name, 0755), ENAMETOOLONG);
    CHECK_ERR(stat(name, &st), ENAMETOOLONG);
    CHECK_ERR(symlink("x", name), ENAMETOOLONG);
    CHECK_ERR(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    CHECK_ERR(rename(".", name), EBUSY);
    put_file("f", "data");
    CHECK_ERR(rename("f", name), ENAMETOOLONG);
    CHECK_ERR(link("f", name), ENAMETOOLONG);
    name[255] = 0;
    put_file(name, "long name");
    CHECK_STR(get_file(name), "long name");
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(mkdir(name, 0755), 0);
    CHECK_EQ(stat(name, &st), 0);
    CHECK_EQ(rename(name, "d"), 0);

    // 4095 bytes: "././.../f"
    for (int i = 0; i < 4094; i += 2)
        memcpy(path + i, "./", 2);
    strcpy(path + 4094, "f");
    CHECK_EQ(strlen(path), 4095);
    CHECK_STR(get_file(path), "data");
    CHECK_EQ(chmod(path, 0600), 0);
    strcpy(path + 4094, "./");
    CHECK_EQ(strlen(path), 4096);
    CHECK_ERR(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK_ERR(stat(path, &st), ENAMETOOLONG);
    CHECK_ERR(mkdir(path, 0700), ENAMETOOLONG);
    memset(path, '/', 4094);
    strcpy(path + 4094, ".");
    CHECK_EQ(stat(path, &st), 0);

    // 20 levels of 255 bytes: over 5000 in all.
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(mkdir(name, 0755), 0);
        CHECK_EQ(chdir(name), 0);
    }
    put_file("deep", "deep data");
    CHECK_STR(get_file("deep"), "deep data");
    CHECK_EQ(access("../../.", F_OK), 0);
    CHECK_ERR(syscall(SYS_getcwd, cwd, sizeof(cwd)), ENAMETOOLONG);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL); // libc walks upwards
    CHECK(strlen(cwd) > 20 * 256);
    CHECK_EQ(unlink("deep"), 0);
    return done();
}
