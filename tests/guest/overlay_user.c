// SPDX-License-Identifier: MIT
// An overlay for users: permission is that of what is seen, in whichever layer it lies; set-id bits
// go with a write, sticky and set-gid directories count, default ACLs of lower directories, too.
// covers: mount, open, unlink, rename, chmod, chown, utimensat, access, setxattr, mkdir, link
// needs: root
#include "overlay.h"

static void as_user(void)
{
    struct timespec ts[2] = {{1, 0}, {2, 0}};
    int fd;

    become(1000, 1000);
    CHECK_ERR(open("m/closed/f", O_RDONLY), EACCES);
    CHECK_ERR(open("m/root", O_WRONLY), EACCES);
    CHECK_ERR(chmod("m/root", 0777), EPERM);
    CHECK_ERR(chown("m/root", 1000, 1000), EPERM);
    CHECK_ERR(utimensat(AT_FDCWD, "m/root", ts, 0), EPERM);
    CHECK_ERR(truncate("m/root", 0), EACCES);
    CHECK_ERR(setxattr("m/root", "user.a", "b", 1, 0), EACCES);
    CHECK_ERR(unlink("m/root"), EACCES);
    CHECK_ERR(rename("m/root", "m/open/root"), EACCES);
    CHECK_ERR(mkdir("m/new", 0755), EACCES);
    CHECK_ERR(open("m/new", O_RDWR | O_CREAT, 0644), EACCES);
    CHECK_ERR(lstat("up/root", &(struct stat){0}), ENOENT);
    CHECK_ERR(unlink("m/sticky/root"), EPERM);
    CHECK_EQ(unlink("m/sticky/mine"), 0);
    CHECK_EQ(unlink("m/open/root"), 0);
    CHECK_EQ(mkdir("m/open/root", 0700), 0);
    CHECK_EQ(stat_of("m/open/root").st_uid, 1000);
    CHECK_EQ(stat_of("m/open/root").st_gid, 50);
    CHECK(mode_of("m/open/root") & S_ISGID);
    fd = OK(open("m/open/made", O_RDWR | O_CREAT | O_EXCL, 0640));
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(stat_of("m/open/made").st_gid, 50);
    CHECK_EQ(stat_of("up/open").st_gid, 50);
    CHECK_EQ(mode_of("up/open"), 02777);

    fd = OK(open("m/open/suid", O_WRONLY | O_APPEND));
    CHECK_EQ(mode_of("m/open/suid"), 06777);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode_of("m/open/suid"), 0777);
    CHECK_EQ(mode_of("l2/open/suid"), 06777);
    CHECK_EQ(stat_of("m/open/suid").st_uid, 0);
    CHECK_EQ(chmod("m/open/own", 0600), 0);
    CHECK_EQ(stat_of("m/open/own").st_uid, 1000);
    CHECK_EQ(symlink("x", "m/open/gone"), 0);
    CHECK_EQ(stat_of("m/open/gone").st_uid, 1000);
    CHECK_EQ(rename("m/open/own", "m/open/own2"), 0);
    CHECK_EQ(link("m/open/own2", "m/open/own3"), 0);
    CHECK_EQ(stat_of("up/open/own3").st_uid, 1000);
    _exit(0);
}

static void put_as(const char *path, int uid, int mode)
{
    put_file(path, path);
    CHECK_EQ(chown(path, uid, uid) | chmod(path, mode), 0);
}

int main(void)
{
    overlay_layers();
    CHECK_EQ(chmod(".", 0755) | chmod("up", 0755), 0);
    CHECK_EQ(mkdir("l2/closed", 0700) | mkdir("l2/open", 0755) | mkdir("l2/sticky", 0755), 0);
    CHECK_EQ(chown("l2/open", 0, 50) | chmod("l2/open", 02777) | chmod("l2/sticky", 01777), 0);
    put_as("l2/closed/f", 1000, 0644);
    put_as("l2/root", 0, 0644);
    put_as("l2/sticky/root", 0, 0666);
    put_as("l2/sticky/mine", 1000, 0600);
    put_as("l2/open/root", 0, 0600);
    put_as("l2/open/suid", 0, 06777);
    put_as("l2/open/own", 1000, 0644);
    put_as("l2/open/gone", 0, 0644);
    CHECK_EQ(chmod("l1", 0755) | chmod("l2", 0755), 0);
    overlay_mount();
    CHECK_EQ(unlink("m/open/gone"), 0);
    pid_t child = fork();
    if (child == 0)
        as_user();
    wait_ok(child);
    CHECK_STR(names_in("m/open"), "gone made own2 own3 root suid");
    CHECK_STR(names_in("l2/open"), "gone own root suid");
    overlay_end();
    return done();
}
