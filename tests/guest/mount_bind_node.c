// SPDX-License-Identifier: MIT
// Device nodes, FIFOs and sockets mounted over a file, as containers have their /dev: they are the
// same objects with the same owner and mode, also seen through a recursive bind, and of a user.
// covers: mount, umount2, open, connect, chmod, chown, unlink
// needs: root
// trap: not overlay no file out of an overlay is mounted elsewhere
#include "mountns.h"
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static int sock_at(const char *path, int (*call)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    strcpy(a.sun_path, path);
    CHECK_EQ(call(s, (struct sockaddr *)&a, sizeof a), 0);
    return s;
}

static void same(const char *a, const char *b)
{
    struct stat x = stat_of(a), y = stat_of(b);
    CHECK_EQ(x.st_ino, y.st_ino);
    CHECK_EQ(x.st_dev, y.st_dev);
    CHECK_EQ(x.st_mode, y.st_mode);
    CHECK_EQ(x.st_rdev, y.st_rdev);
    CHECK_EQ(x.st_uid, y.st_uid);
    CHECK_EQ(x.st_gid, y.st_gid);
}

int main(void)
{
    char buf[8];

    own_mounts();
    CHECK_EQ(mkdir("dev", 0755) | mkdir("other", 0755) | mkdir("src", 0755), 0);
    put_file("dev/null", "hidden");
    put_file("dev/fifo", "hidden");
    put_file("dev/sock", "hidden");
    CHECK_EQ(mkfifo("src/pipe", 0600) | chown("src/pipe", 12, 34), 0);
    int listener = sock_at("src/bus", bind);
    CHECK_EQ(listen(listener, 5) | chmod("src/bus", 0660) | chown("src/bus", 56, 78), 0);

    CHECK_EQ(mount("/dev/null", "dev/null", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount("src/pipe", "dev/fifo", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount("src/bus", "dev/sock", NULL, MS_BIND, NULL), 0);
    same("dev/null", "/dev/null");
    same("dev/fifo", "src/pipe");
    same("dev/sock", "src/bus");
    CHECK_EQ(stat_of("dev/fifo").st_uid, 12);
    CHECK_EQ(stat_of("dev/null").st_rdev, makedev(1, 3));
    int fd = OK(open("dev/null", O_RDWR));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(read(fd, buf, 1), 0);
    CHECK_EQ(close(fd), 0);
    int r = OK(open("dev/fifo", O_RDONLY | O_NONBLOCK)), w = OK(open("src/pipe", O_WRONLY));
    CHECK_EQ(write(w, "y", 1), 1);
    CHECK_EQ(read(r, buf, 8), 1);
    CHECK_EQ(close(r) | close(w), 0);
    CHECK_EQ(close(sock_at("dev/sock", connect)), 0);
    // What is changed there is the object's.
    CHECK_EQ(chmod("dev/fifo", 0640) | chown("dev/fifo", 13, 35), 0);
    same("dev/fifo", "src/pipe");
    CHECK_EQ(stat_of("src/pipe").st_uid, 13);
    CHECK_EQ(mode_of("src/pipe"), 0640);

    CHECK_ERR(unlink("dev/null"), EBUSY);
    CHECK_ERR(rename("dev/sock", "dev/x"), EBUSY);
    CHECK_ERR(open("dev/null/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("dev/null/..", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("dev/fifo/..", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(mount("/dev/null", "other", NULL, MS_BIND, NULL), ENOTDIR);

    CHECK_EQ(mount("dev", "other", NULL, MS_BIND | MS_REC, NULL), 0);
    same("other/null", "/dev/null");
    same("other/sock", "src/bus");
    put_file("again", "");
    CHECK_EQ(mount("other/fifo", "again", NULL, MS_BIND, NULL), 0);
    same("again", "src/pipe");
    CHECK_EQ(mount(NULL, "other/null", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL), 0);
    CHECK_ERR(open("other/null", O_RDONLY), EACCES);
    CHECK_EQ(close(OK(open("dev/null", O_RDONLY))), 0);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setresgid(78, 78, 78) | setresuid(57, 57, 57), 0);
        CHECK_ERR(open("again", O_RDONLY | O_NONBLOCK), EACCES);
        CHECK_EQ(access("dev/sock", W_OK), 0); // by the group
        CHECK_EQ(access("dev/null", W_OK), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(umount2("again", 0) | umount2("dev/null", 0) | umount2("dev/sock", 0), 0);
    CHECK_STR(get_file("dev/null"), "hidden");
    CHECK_EQ(umount2("other", MNT_DETACH), 0);
    return done();
}
