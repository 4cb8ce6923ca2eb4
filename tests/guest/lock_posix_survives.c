// SPDX-License-Identifier: MIT
// No call by path on a locked file drops the caller's POSIX lock: none of them opens and closes
// it in this process. (SQLite and others lose data where one does.)
// covers: fcntl, stat, chmod, chown, utimensat, truncate, rename, link, linkat, access, statx
// covers: setxattr
#include "check.h"
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>

static int fd;

// As a child sees it through the inherited descriptor.
static int locked(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        _exit(fcntl(fd, F_SETLK, &l) == 0 ? 10 : errno == EAGAIN ? 11 : 12);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 10 || WEXITSTATUS(status) == 11));
    return WEXITSTATUS(status) == 11;
}

#define KEEPS(call)                                                                                \
    do {                                                                                           \
        CHECK_EQ(call, 0);                                                                         \
        CHECK(locked());                                                                           \
    } while (0)
#define KEEPS_ERR(call, err)                                                                       \
    do {                                                                                           \
        CHECK_ERR(call, err);                                                                      \
        CHECK(locked());                                                                           \
    } while (0)

int main(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "f"};
    struct statfs fs;
    struct statx stx;
    struct stat st;
    char text[64];

    put_file("f", "data");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
    CHECK(locked());
    KEEPS(stat("f", &st));
    KEEPS(lstat("f", &st));
    KEEPS(fstat(fd, &st));
    KEEPS(statx(AT_FDCWD, "f", 0, STATX_ALL, &stx));
    KEEPS(statfs("f", &fs));
    KEEPS(access("f", R_OK | W_OK));
    KEEPS(chmod("f", 0600));
    KEEPS(fchmod(fd, 0444));
    KEEPS(chmod("f", 0644));
    KEEPS(chown("f", geteuid(), getegid()));
    KEEPS(fchown(fd, -1, getegid()));
    KEEPS(lchown("f", -1, -1));
    KEEPS(utimensat(AT_FDCWD, "f", NULL, 0));
    KEEPS(futimens(fd, NULL));
    KEEPS(truncate("f", 100));
    KEEPS(setxattr("f", "user.a", "1", 1, 0));
    KEEPS(getxattr("f", "user.a", text, sizeof(text)) != 1);
    KEEPS(listxattr("f", text, sizeof(text)) < 7);
    KEEPS(removexattr("f", "user.a"));
    KEEPS(link("f", "g"));
    KEEPS(rename("g", "h"));
    KEEPS(unlink("h"));
    KEEPS(symlink("f", "s"));
    KEEPS(stat("s", &st));
    KEEPS(chmod("s", 0640));
    KEEPS(chdir(".") || access("./f/../f", F_OK) == 0);
    KEEPS(inotify_add_watch(inotify_init(), "f", IN_ALL_EVENTS) < 0);

    // Calls that fail on it.
    KEEPS_ERR(mkdir("f", 0755), EEXIST);
    KEEPS_ERR(open("f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    KEEPS_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    KEEPS_ERR(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
    KEEPS_ERR(chdir("f"), ENOTDIR);
    KEEPS_ERR(readlink("f", text, sizeof(text)), EINVAL);
    KEEPS_ERR(symlink("x", "f"), EEXIST);
    KEEPS_ERR(mknod("f", S_IFIFO | 0600, 0), EEXIST);
    KEEPS_ERR(rmdir("f"), ENOTDIR);
    KEEPS_ERR(execl("f", "f", NULL), EACCES);
    KEEPS_ERR(connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)),
              ECONNREFUSED);
    KEEPS_ERR(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)), EADDRINUSE);

    // Opens without a close, and replacing the name.
    KEEPS(open("f", O_RDWR | O_TRUNC) < 0);
    KEEPS(rename("f", "elsewhere") || rename("elsewhere", "f"));
    return done();
}
