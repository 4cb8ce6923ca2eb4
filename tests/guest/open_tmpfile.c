// SPDX-License-Identifier: MIT
// O_TMPFILE makes a file without a name, which linkat may name later; O_EXCL forbids that.
// covers: open, linkat, fstat, getdents64
#include "check.h"
#include <dirent.h>

static int entries(void)
{
    DIR *dir = opendir(".");
    int n = 0;

    CHECK(dir != NULL);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

int main(void)
{
    struct stat st;
    char name[32];
    int fd;

    umask(022);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chdir("d"), 0);
    fd = OK(open(".", O_TMPFILE | O_RDWR, 0666));
    CHECK_EQ(write(fd, "hidden", 6), 6);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0644);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(st.st_uid, geteuid());
    CHECK_EQ(entries(), 2);
    CHECK_EQ(fchmod(fd, 0640), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    CHECK_EQ(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(entries(), 3);
    CHECK_STR(get_file("named"), "hidden");
    CHECK_EQ(mode_of("named"), 0640);
    CHECK_EQ(stat_of("named").st_nlink, 1);
    CHECK_EQ(stat_of("named").st_ino, st.st_ino);
    CHECK_ERR(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), EEXIST);

    fd = OK(open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    CHECK_ERR(linkat(AT_FDCWD, name, AT_FDCWD, "second", AT_SYMLINK_FOLLOW), ENOENT);

    CHECK_ERR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    CHECK_ERR(open("missing", O_TMPFILE | O_RDWR, 0600), ENOENT);
    CHECK_ERR(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
    return done();
}
