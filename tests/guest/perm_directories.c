// SPDX-License-Identifier: MIT
// Access of an ordinary user by owner, group and other, one class only; search along the path;
// the sticky bit protects names.
// covers: open, unlink, rename, rmdir, mkdir, link, chdir
// needs: root
#include "check.h"

static void child(void)
{
    gid_t group = 50;

    CHECK_EQ(setgroups(1, &group), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);

    // The owner's bits hold for the owner even where others may more; so do the group's.
    CHECK_ERR(open("own", O_RDONLY), EACCES);
    CHECK_ERR(open("grp", O_RDONLY), EACCES);
    OK(open("other", O_RDONLY));
    CHECK_ERR(open("other", O_RDWR), EACCES);

    CHECK_ERR(open("closed/f", O_RDONLY), EACCES);
    CHECK_ERR(access("closed/missing", F_OK), EACCES);
    CHECK_ERR(chdir("closed"), EACCES);
    CHECK_ERR(mkdir("closed/d", 0700), EACCES);
    CHECK_ERR(open("new", O_RDWR | O_CREAT, 0600), EACCES);
    CHECK_ERR(unlink("other"), EACCES);
    CHECK_ERR(mkdir("newdir", 0700), EACCES);
    CHECK_ERR(symlink("x", "news"), EACCES);
    CHECK_ERR(mkfifo("newp", 0600), EACCES);
    CHECK_ERR(link("own", "newl"), EACCES);
    CHECK_ERR(rename("other", "open/x"), EACCES);
    // What exists is told before what is not permitted.
    CHECK_ERR(mkdir("other", 0700), EEXIST);
    CHECK_ERR(unlink("missing"), ENOENT);

    // Sticky: names go only with the owner of file or directory.
    put_file("sticky/mine", "");
    CHECK_ERR(unlink("sticky/roots"), EPERM);
    CHECK_ERR(rename("sticky/roots", "sticky/x"), EPERM);
    CHECK_ERR(rename("sticky/mine", "sticky/roots"), EPERM);
    CHECK_ERR(rmdir("sticky/dir"), EPERM);
    CHECK_EQ(rename("sticky/mine", "sticky/still mine"), 0);
    CHECK_EQ(unlink("sticky/still mine"), 0);
    put_file("open/mine", "");
    CHECK_EQ(unlink("open/roots"), 0);
    _exit(0);
}

int main(void)
{
    umask(0);
    CHECK_EQ(mkdir("t", 0755), 0);
    CHECK_EQ(chdir("t"), 0);
    put_file("own", "");
    CHECK_EQ(chown("own", 1000, 0), 0);
    CHECK_EQ(chmod("own", 0077), 0);
    put_file("grp", "");
    CHECK_EQ(chown("grp", 0, 50), 0);
    CHECK_EQ(chmod("grp", 0707), 0);
    put_file("other", "");
    CHECK_EQ(chmod("other", 0604), 0);
    CHECK_EQ(mkdir("closed", 0700), 0);
    put_file("closed/f", "");
    CHECK_EQ(chmod("closed/f", 0777), 0);
    CHECK_EQ(mkdir("open", 0777), 0);
    put_file("open/roots", "");
    CHECK_EQ(mkdir("sticky", 01777), 0);
    put_file("sticky/roots", "");
    CHECK_EQ(chmod("sticky/roots", 0666), 0);
    CHECK_EQ(mkdir("sticky/dir", 0777), 0);
    pid_t pid = fork();
    if (pid == 0)
        child();
    wait_ok(pid);
    CHECK_EQ(stat_of("open/mine").st_uid, 1000);
    return done();
}
